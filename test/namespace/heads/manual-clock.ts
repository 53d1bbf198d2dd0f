/** A clock that stands still until a test moves it. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../../src/peer/index.ts'

export interface ManualClock extends Clock {
  /** Lets everything due within `ms` happen, in order, each with time for what follows from it. */
  advance(ms: number): Promise<void>
  /** Timers that wait. */
  readonly waiting: number
}

/** Turns of the event loop after which calls over the memory network have got where they can. */
const TURNS = 20

export function createManualClock(): ManualClock {
  let nowMs = 1_000_000
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>()
  return {
    now: () => nowMs,
    after: (ms, callback) => {
      const timer = { dueMs: nowMs + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    get waiting() {
      return timers.size
    },
    async advance(ms) {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const [next] = [...timers].sort((one, other) => one.dueMs - other.dueMs)
        if (next === undefined || next.dueMs > endMs) break
        timers.delete(next)
        nowMs = next.dueMs
        next.callback()
        await settle()
      }
      nowMs = endMs
    }
  }
}

export async function settle(): Promise<void> {
  for (let index = 0; index < TURNS; index++) await turn()
}
