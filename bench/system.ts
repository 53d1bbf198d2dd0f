/** What the benchmark measures in one way: warren and the systems it is held against. */
import type { Timed, TimedRanges, Usage } from './side.ts'

export interface UsageOfBoth {
  readonly a: Usage
  readonly b: Usage
}

/** Provider A and fetcher B of one system, each in a process of its own, with their own stores. */
export interface Sides extends AsyncDisposable {
  /** A takes the file or directory in, B connects to A; neither is measured. */
  provide(source: string): Promise<void>
  /**
   * From B's request until all of it stands at `target` on B's disk, checked. The last name of
   * `target` is that of the source.
   */
  fetch(target: string): Promise<Timed>
  /** Reads 64 KiB of the provided file at each offset, none of which B holds. */
  readRanges?(directory: string, offsets: readonly number[], atOnce: number): Promise<TimedRanges>
  /** What both sides have used since the last call. */
  usage(): Promise<UsageOfBoth>
}

export interface StartOptions {
  /** For the stores of both sides; exists. */
  readonly directory: string
  /** Node flags of side `A` and side `B`. */
  readonly flags: (side: 'A' | 'B') => readonly string[]
  /** How long a call may take, in milliseconds. Default 3 minutes. */
  readonly callMsMax?: number
}

export interface System {
  readonly name: string
  /** Why it cannot be measured on this machine, where it cannot. */
  readonly missing?: string
  /** Whether its sides can read ranges of what they do not hold. */
  readonly readsRanges: boolean
  start(options: StartOptions): Promise<Sides>
}

/** The system that the others are held against. */
export const OURS = 'warren'
