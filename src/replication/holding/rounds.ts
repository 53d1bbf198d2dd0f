/**
 * Work that is done in rounds, one at a time, for as long as somebody has asked for one since the
 * last began.
 */
import type { Clock } from '../../peer/index.ts'
import { FINISH_MS, PROGRESS_MS } from './limits.ts'

export interface RoundsComponents {
  readonly clock: Clock
  /** One round. It ends early with the signal. */
  readonly work: (signal: AbortSignal) => Promise<void>
  /** A round failed, and not because it was ended. */
  readonly onFailure: (error: unknown) => void
  /** Told at the end of each round, and now and then while one takes long. */
  readonly onProgress: () => void
  /** What the round under way works for is not wanted as it is any more. */
  readonly isSuperseded: () => boolean
}

export class Rounds {
  readonly #components: RoundsComponents
  #closed: { readonly reason: unknown } | undefined
  #isDue = false
  #running: Promise<void> | undefined
  #round: AbortController | undefined
  #cancelHurry: (() => void) | undefined
  #cancelTick: (() => void) | undefined

  constructor(components: RoundsComponents) {
    this.#components = components
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  throwIfClosed(): void {
    if (this.#closed !== undefined) throw this.#closed.reason
  }

  /** There is a round after the one under way. */
  wake(): void {
    if (this.isClosed) return
    this.#isDue = true
    this.#running ??= this.#run()
  }

  /** Something is different: the round under way has a while to finish, if it is in vain now. */
  changed(): void {
    if (this.#round !== undefined) {
      this.#cancelHurry ??= this.#components.clock.after(FINISH_MS, () => this.#hurry())
    }
    this.wake()
  }

  /** Resolves when no round is under way and none is due. */
  async untilIdle(signal: AbortSignal | undefined): Promise<void> {
    const running = this.#running ?? Promise.resolve()
    if (signal === undefined) return running
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await Promise.race([running, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** Ends the round under way and waits for its end. Idempotent. */
  async close(reason: unknown): Promise<void> {
    this.#closed ??= { reason }
    this.#round?.abort(reason)
    await this.#running
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    // Whoever wakes us may be about to say more.
    await Promise.resolve()
    while (this.#isDue && !this.isClosed) {
      this.#isDue = false
      await this.#work(new AbortController())
    }
    this.#running = undefined
  }

  async #work(round: AbortController): Promise<void> {
    const { clock, work, onFailure, onProgress } = this.#components
    this.#round = round
    this.#cancelTick = clock.after(PROGRESS_MS, this.#tick)
    try {
      await work(round.signal)
    } catch (error) {
      if (!round.signal.aborted) onFailure(error)
    }
    this.#round = undefined
    this.#cancelTick()
    this.#cancelHurry?.()
    this.#cancelHurry = undefined
    if (!this.isClosed) onProgress()
  }

  #hurry(): void {
    this.#cancelHurry = undefined
    if (this.#components.isSuperseded()) this.#round?.abort()
  }

  readonly #tick = (): void => {
    this.#cancelTick = this.#components.clock.after(PROGRESS_MS, this.#tick)
    if (!this.isClosed) this.#components.onProgress()
  }
}
