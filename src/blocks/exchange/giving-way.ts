/**
 * Lets what somebody waits for go before what only keeps copies up: a want that says it is in the
 * background gets a sixteenth of what is sent while others are served, and everything otherwise.
 * Counted in bytes and not in time, so that it holds for whatever is scarce: network, disk, processor.
 */
import type { Clock } from '../../peer/index.ts'

/** Bytes for others that go before each byte in the background. */
const OTHERS_SHARE = 15

/** Nothing was sent to others for so long: nobody has to be given way to. */
const QUIET_MS = 100

/** Not longer for one message, because whoever waits for it would take us for stalled. */
const WAIT_MS_MAX = 250

/** How often is looked whether the way is free. */
const LOOK_MS = 10

/** What may be saved up: a burst of a few messages. */
const ALLOWANCE_BYTES_MAX = 1024 * 1024

export class GivingWay {
  readonly #clock: Clock
  /** What may be sent in the background, by everybody together. */
  #allowance = 0
  #othersAt = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Bytes were sent to somebody who waits for them. */
  sent(bytes: number): void {
    this.#allowance = Math.min(ALLOWANCE_BYTES_MAX, this.#allowance + bytes / OTHERS_SHARE)
    this.#othersAt = this.#clock.now()
  }

  /** Resolves when a message of so many bytes may be sent in the background. */
  async wait(bytes: number, signal: AbortSignal): Promise<void> {
    const began = this.#clock.now()
    const mustWait = (): boolean => {
      const now = this.#clock.now()
      const isBusy = now - this.#othersAt < QUIET_MS && this.#allowance < bytes
      return isBusy && now - began < WAIT_MS_MAX
    }
    while (mustWait()) {
      await new Promise<void>(resolve => void this.#clock.after(LOOK_MS, resolve))
      signal.throwIfAborted()
    }
    this.#allowance = Math.max(0, this.#allowance - bytes)
  }
}
