/**
 * Time that passes only when it is told to: timers are run in the order in which they are due, and
 * of those due at once in the order in which they were set. Between two timers everything that can
 * go on without time goes on.
 *
 * Exports: `SimulatedClock` (`now`, `after`, `run(ms)`, `until(work, ms)`, `eventsRun`).
 */
import type { Clock } from '../../src/peer/index.ts'

interface Timer {
  readonly due: number
  readonly sequence: number
  callback: (() => void) | undefined
}

/** Kept from before the process is sealed, which takes timers away from everybody else. */
const nextTurn = setImmediate

export class SimulatedClock implements Clock {
  /** Timers that were run. */
  eventsRun = 0
  /** A heap: each timer is due no later than those at twice its number and after. */
  readonly #heap: Timer[] = []
  #now: number
  #sequence = 0

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    // What is due at once, or was due before, runs in a later turn all the same.
    // Whole milliseconds, as `Date.now` tells them.
    const due = this.#now + Math.max(0, Math.ceil(ms))
    const timer: Timer = { due, sequence: this.#sequence++, callback }
    if (due < Infinity) this.#push(timer)
    return () => (timer.callback = undefined)
  }

  /** Lets this many milliseconds pass. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms
    while (await this.#runNext(end));
    this.#now = end
  }

  /** Lets time pass until the work is done, but not longer than `msMax`. False when it is not done then. */
  async until(work: Promise<unknown>, msMax: number): Promise<boolean> {
    let done = false
    const settled = (): void => void (done = true)
    work.then(settled, settled)
    const end = this.#now + msMax
    while (!done && (await this.#runNext(end)));
    if (!done) this.#now = end
    return done
  }

  /** Runs the timer that is due next, after all that waits for none. False when none is due by then. */
  async #runNext(end: number): Promise<boolean> {
    await settle()
    const timer = this.#pop(end)
    if (timer === undefined) return false
    this.#now = timer.due
    this.eventsRun++
    const { callback } = timer
    timer.callback = undefined
    callback?.()
    return true
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(timer, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = timer
  }

  /** The first timer that was not cancelled, when it is due by then. */
  #pop(end: number): Timer | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (first.callback !== undefined && first.due > end)) return undefined
      this.#removeFirst()
      if (first.callback !== undefined) return first
    }
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.due < other.due || (one.due === other.due && one.sequence < other.sequence)
}

/**
 * Everything in the simulation waits for a timer of the clock or for a promise, and for nothing of
 * the real world. Promises are all settled before the event loop turns, so one turn is enough.
 */
function settle(): Promise<void> {
  return new Promise(resolve => nextTurn(resolve))
}
