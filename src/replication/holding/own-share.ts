/**
 * How much of what placement gives us we take: less as soon as it does not fit, and more only a good
 * while later, and later each time that it was too much. Every change of it moves blocks at others.
 */
import type { Clock } from '../../peer/index.ts'
import { SHARE_ALL } from '../holders/shares.ts'
import { RAISE_MS_MAX } from './limits.ts'

export interface OwnShareComponents {
  readonly clock: Clock
  /** Remembers it. */
  readonly keep: (share: number) => Promise<void>
  /** It may be raised by now. */
  readonly due: () => void
}

export class OwnShare {
  readonly #components: OwnShareComponents
  #now: number
  #pauseMs: number
  #cancel: (() => void) | undefined
  #wasRaised = false

  constructor(
    components: OwnShareComponents,
    { share, raiseMs }: { readonly share: number; readonly raiseMs: number }
  ) {
    this.#components = components
    this.#now = share
    this.#pauseMs = raiseMs
    this.#wait()
  }

  get now(): number {
    return this.#now
  }

  /** False when it is as low already, or nobody knows how low it would have to be. */
  async lower(share: number = SHARE_ALL): Promise<boolean> {
    if (share >= this.#now) return false
    if (this.#wasRaised) this.#pauseMs = Math.min(RAISE_MS_MAX, 2 * this.#pauseMs)
    this.#wasRaised = false
    await this.#set(share)
    return true
  }

  /** Asks how much it could be once it has been the same for long; false when it stays. */
  async raise(choose: () => number): Promise<boolean> {
    if (this.#now === SHARE_ALL || this.#cancel !== undefined) return false
    const share = choose()
    this.#wait()
    if (share <= this.#now) return false
    this.#wasRaised = true
    await this.#set(share)
    return true
  }

  stop(): void {
    this.#cancel?.()
  }

  async #set(share: number): Promise<void> {
    this.#now = share
    this.#wait()
    // Who forgets it finds out again that it does not fit.
    await this.#components.keep(share).catch(() => {})
  }

  #wait(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#now === SHARE_ALL) return
    this.#cancel = this.#components.clock.after(this.#pauseMs, () => {
      this.#cancel = undefined
      this.#components.due()
    })
  }
}
