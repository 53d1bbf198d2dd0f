/** A clock that a test moves by hand. */
import type { Clock } from '../../src/peer/clock.ts'

export interface ManualClock extends Clock {
  /** Runs what is due within the next `ms`, in order, and lets promises settle in between. */
  advance(ms: number): Promise<void>
}

export function createManualClock(): ManualClock {
  let now = 0
  let timers: { readonly due: number; readonly callback: () => void }[] = []
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { due: now + ms, callback }
      timers.push(timer)
      return () => void (timers = timers.filter(other => other !== timer))
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        await settle()
        const next = timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]
        if (next === undefined) break
        timers = timers.filter(other => other !== next)
        now = next.due
        next.callback()
      }
      now = end
    }
  }
}

function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
