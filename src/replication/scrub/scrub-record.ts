/**
 * How far a scrub has come, for the next start. Blocks have no order to come back to a place in,
 * so the place is a count: a store lists the same blocks in about the same order again, and what
 * moved over the line meanwhile is looked at twice, or in the next pass.
 */
export interface ScrubRecord {
  /** When the pass began, in milliseconds since 1970. */
  readonly beganMs: number
  /** Blocks of the store's list that were looked at, or skipped because they had been before. */
  readonly listed: number
  readonly finished: boolean
}

export interface ScrubStore {
  /** What was saved last; undefined when nothing was. */
  load(): Promise<ScrubRecord | undefined>
  save(record: ScrubRecord): Promise<void>
}
