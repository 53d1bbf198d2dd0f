/**
 * The contract of what is under a channel: bytes both ways between two peers, in order. A libp2p
 * stream is one, and so is a link of the memory network.
 */
export interface Wire {
  /** True while what was sent has not left: wait for `drained` before sending more. */
  readonly full: boolean
  /** What waits to leave, in bytes. */
  readonly unsentBytes: number
  /** Sends, or queues when full. Owns the parts until it is no longer full. Throws `ECONNRESET`. */
  send(parts: readonly Uint8Array[]): void
  /** Resolves when it is no longer full; rejects with `ECONNRESET` when it is lost. */
  drained(): Promise<void>
  /**
   * What arrives, in one or more arrays at a time, for one reader. While nobody reads, the sender
   * is held back. Ends when the other side has closed, throws `ECONNRESET` when it is lost.
   */
  readonly chunks: AsyncIterable<readonly Uint8Array[]>
  /** Ends at once, both ways. Idempotent. */
  abort(reason: Error): void
}
