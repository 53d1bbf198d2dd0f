/** Waits for a change, for at most so long. */
import type { Clock } from '../../peer/index.ts'

export class Bell {
  readonly #clock: Clock
  #wake: (() => void) | undefined
  #rang = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something has changed. Whoever waits goes on; when nobody does, the next wait is none. */
  ring(): void {
    this.#rang = true
    this.#wake?.()
  }

  /** Resolves when it rang since the last wait, after so long, or when the signal is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rang && !signal.aborted) await this.#sleep(ms, signal)
    this.#rang = false
  }

  /** As `wait`, however often it rings. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await new Bell(this.#clock).#sleep(ms, signal)
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    this.#wake = wake
    signal.addEventListener('abort', wake)
    const cancel = this.#clock.after(ms, wake)
    await promise
    cancel()
    signal.removeEventListener('abort', wake)
    this.#wake = undefined
  }
}
