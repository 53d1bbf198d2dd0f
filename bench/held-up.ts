/**
 * How long the event loop was held up by what ran in it. A timer that fires late says for how long
 * nothing else had its turn; how much of that the thread was ready and some other one had its
 * processor is told by Linux (https://docs.kernel.org/scheduler/sched-stats.html), and is not ours.
 */
import { openSync, readSync } from 'node:fs'

const TICK_MS = 5

export interface HeldUpMeter {
  /** The longest since the last call, in milliseconds, to about a tick. */
  take(): number
}

export function createHeldUpMeter(): HeldUpMeter {
  const waitedMs = createWaitMeter()
  let longestMs = 0
  let before = { at: performance.now(), waited: waitedMs() }
  setInterval(() => {
    const now = { at: performance.now(), waited: waitedMs() }
    const heldMs = now.at - before.at - TICK_MS - (now.waited - before.waited)
    longestMs = Math.max(longestMs, heldMs)
    before = now
  }, TICK_MS).unref()
  return {
    take() {
      const taken = longestMs
      longestMs = 0
      return taken
    }
  }
}

/** Milliseconds for which the main thread waited for a processor; 0 where the system does not tell. */
function createWaitMeter(): () => number {
  const text = Buffer.alloc(128)
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r')
    return () =>
      Number(text.toString('latin1', 0, readSync(file, text, 0, 128, 0)).split(' ')[1]) / 1e6
  } catch {
    return () => 0
  }
}
