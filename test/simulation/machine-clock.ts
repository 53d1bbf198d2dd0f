/**
 * The clock of one machine: it may be ahead of the others or jump, the machine can sleep, and when
 * it crashes nothing that was going to happen on it happens any more.
 */
import type { Clock } from '../../src/peer/index.ts'

export class MachineClock implements Clock {
  readonly #clock: Clock
  #offsetMs: number
  #dead = false
  #asleep = false
  /** Timers that came due in its sleep, in order. */
  #missed: (() => void)[] = []

  constructor(clock: Clock, offsetMs = 0) {
    this.#clock = clock
    this.#offsetMs = offsetMs
  }

  get offsetMs(): number {
    return this.#offsetMs
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs
  }

  after(ms: number, callback: () => void): () => void {
    let cancelled = false
    const run = (): void => {
      if (cancelled || this.#dead) return
      if (this.#asleep) this.#missed.push(run)
      else callback()
    }
    const cancel = this.#dead ? (): void => {} : this.#clock.after(ms, run)
    return () => {
      cancelled = true
      cancel()
    }
  }

  /** Somebody sets the clock. Timers stay: they count what passes and not what the clock shows. */
  jump(ms: number): void {
    this.#offsetMs += ms
  }

  sleep(): void {
    this.#asleep = true
  }

  wake(): void {
    this.#asleep = false
    for (const run of this.#missed.splice(0)) this.#clock.after(0, run)
  }

  die(): void {
    this.#dead = true
    this.#missed = []
  }
}
