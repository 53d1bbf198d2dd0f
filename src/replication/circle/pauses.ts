/**
 * Pauses between attempts to reach somebody: each is twice as long as the one before, until an
 * attempt lasts. A holder that is away or misbehaves costs little, one that returns is heard again.
 */
import { isWarrenError } from '../../errors.ts'
import type { Clock } from '../../peer/index.ts'
import { Bell } from './bell.ts'
import { WATCH_PAUSE_MS_MAX, WATCH_PAUSE_MS_MIN } from './circle-limits.ts'

export interface PausesComponents {
  readonly clock: Clock
  /** From 0 up to 1: spreads the calls of many that lost the same one. */
  readonly random: () => number
}

export class Pauses {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #bell: Bell
  #nextMs = WATCH_PAUSE_MS_MIN
  /** What was said last was no message of ours. */
  #isForeign = false

  constructor({ clock, random }: PausesComponents) {
    this.#clock = clock
    this.#random = random
    this.#bell = new Bell(clock)
  }

  /** What waits need not wait: the other is there again, or may think otherwise of us. */
  retry(): void {
    // Two who do not understand each other would else call each other without end.
    if (this.#isForeign) return
    this.#nextMs = WATCH_PAUSE_MS_MIN
    this.#bell.ring()
  }

  /** Waits after an attempt that began then and ended with this error, or without one. */
  async wait(startMs: number, error: unknown, signal: AbortSignal): Promise<void> {
    this.#isForeign = isWarrenError(error, 'EPROTO')
    // One that does not speak the protocol will not learn it soon.
    if (isWarrenError(error, 'ENOTSUP')) this.#nextMs = WATCH_PAUSE_MS_MAX
    if (this.#clock.now() - startMs > this.#nextMs) this.#nextMs = WATCH_PAUSE_MS_MIN
    const pauseMs = this.#nextMs
    this.#nextMs = Math.min(2 * pauseMs, WATCH_PAUSE_MS_MAX)
    await this.#bell.wait(pauseMs * (0.5 + this.#random() / 2), signal)
  }
}
