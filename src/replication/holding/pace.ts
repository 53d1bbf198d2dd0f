/** Holds back what is got in the background, so that whoever reads meanwhile is not slowed down. */
import type { Clock } from '../../peer/index.ts'
import { pause } from '../pause.ts'

/** Called before some bytes are got; they are when it resolves. Rejects with the signal's reason. */
export type Pace = (bytes: number, options: { readonly signal: AbortSignal }) => Promise<void>

/** How far ahead of the rate it may run: what was not used is not saved up for longer. */
const BURST_MS = 1_000

/** So many bytes a second. What is larger than a second's worth is let through, and waited for after. */
export function createPace(clock: Clock, bytesPerSecond: number): Pace {
  /** When what was let through so far is through at that rate. */
  let dueMs = -Infinity
  return async (bytes, { signal }) => {
    signal.throwIfAborted()
    const now = clock.now()
    const waitMs = dueMs - now
    dueMs = Math.max(dueMs, now - BURST_MS) + (bytes / bytesPerSecond) * 1_000
    if (waitMs > 0) await pause(clock, waitMs, signal)
    signal.throwIfAborted()
  }
}
