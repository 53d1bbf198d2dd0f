/** Tries again after pauses that grow, as long as nothing else happens before. */
import type { Clock } from '../../peer/index.ts'
import { RETRY_MS_MAX } from './limits.ts'

/** Pauses are spread by up to this share, so that holders who lost the same one do not come at once. */
const SPREAD = 0.25

export class Retry {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #again: () => void
  #failures = 0
  #cancel: (() => void) | undefined

  constructor(clock: Clock, random: () => number, again: () => void) {
    this.#clock = clock
    this.#random = random
    this.#again = again
  }

  /** Something failed: it is tried again after `firstMs`, twice that the next time, and so on. */
  failed(firstMs: number): void {
    this.stop()
    const ms = Math.min(firstMs * 2 ** this.#failures++, RETRY_MS_MAX)
    this.#cancel = this.#clock.after(ms * (1 + SPREAD * this.#random()), () => {
      this.#cancel = undefined
      this.#again()
    })
  }

  /** Nothing is to be tried again. */
  succeeded(): void {
    this.#failures = 0
    this.stop()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
