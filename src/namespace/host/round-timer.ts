/** Says when changes are due to be taken in: when they have come to rest, or have gone on for long. */

/** Milliseconds without a change that count as rest: an editor's save is several changes. */
const REST_MS = 100

/** Milliseconds after which changes are taken in though more are coming. */
const LONG_MS = 900

export class RoundTimer {
  readonly #signal: AbortSignal | undefined
  readonly #abort = (): void => this.#wake?.()
  /** Undefined while there is no change to take in. */
  #firstAt: number | undefined
  #lastAt = 0
  #wake: (() => void) | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort)
  }

  change(): void {
    this.#lastAt = performance.now()
    if (this.#firstAt !== undefined) return
    this.#firstAt = this.#lastAt
    this.#wake?.()
  }

  /**
   * Resolves when changes are due, not before `earliest`, and at `latest` without any; both as
   * `performance.now()` tells time. Throws the signal's reason.
   */
  async wait({
    earliest,
    latest
  }: {
    readonly earliest: number
    readonly latest: number
  }): Promise<void> {
    for (;;) {
      this.#signal?.throwIfAborted()
      const due = Math.max(earliest, Math.min(latest, this.#dueAt()))
      const leftMs = due - performance.now()
      if (leftMs <= 0) break
      await this.#sleep(leftMs)
    }
    this.#firstAt = undefined
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#abort)
  }

  #dueAt(): number {
    if (this.#firstAt === undefined) return Infinity
    return Math.min(this.#firstAt + LONG_MS, this.#lastAt + REST_MS)
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}
