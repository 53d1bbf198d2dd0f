/**
 * A clock that a test moves in steps, for circles of many holders: whatever falls due within a step
 * happens at its end, together, which costs far less than moving from timer to timer.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../../src/peer/index.ts'

export interface SteppingClock extends Clock {
  /** Lets time pass, in steps, each with what follows from it. */
  advance(ms: number): Promise<void>
  /** Sets the clock without time passing: timers are due when they were, but `now` is another. */
  set(offsetMs: number): void
  /** Lets time pass without anything happening, as when the machine sleeps; then all of it is due. */
  sleep(ms: number): void
  /** Timers that wait. */
  readonly waiting: number
}

const STEP_MS = 100

/** Turns of the event loop after which calls over the memory network have got where they can. */
const TURNS = 12

export function createSteppingClock(): SteppingClock {
  let passedMs = 0
  let startMs = 1_000_000
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>()

  async function runDue(): Promise<void> {
    for (;;) {
      const due = [...timers].filter(({ dueMs }) => dueMs <= passedMs)
      if (due.length === 0) return
      for (const timer of due) if (timers.delete(timer)) timer.callback()
      await settle()
    }
  }

  return {
    now: () => startMs + passedMs,
    after: (ms, callback) => {
      const timer = { dueMs: passedMs + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    set: offsetMs => void (startMs += offsetMs),
    sleep: ms => void (passedMs += ms),
    get waiting() {
      return timers.size
    },
    async advance(ms) {
      await settle()
      const endMs = passedMs + ms
      while (passedMs < endMs) {
        passedMs = Math.min(endMs, passedMs + STEP_MS)
        await runDue()
      }
      await runDue()
    }
  }
}

async function settle(): Promise<void> {
  for (let index = 0; index < TURNS; index++) await turn()
}
