/**
 * How much of what placement gives us we take: less as soon as a version does not fit the pledge, and
 * more only a good while later, and later each time that it was too much. Every change of it moves
 * blocks at others. What we do not take any more stays until others have it; when they do not, what
 * is new has to do with the room beside it.
 */
import type { Clock } from '../../peer/index.ts'
import { SHARE_ALL } from '../holders/shares.ts'
import type { FittingShares } from './fitting-share.ts'
import { RAISE_MS_MAX } from './limits.ts'

export interface OwnShareComponents {
  readonly clock: Clock
  /** Remembers it. */
  readonly keep: (share: number) => Promise<void>
  /** It may be raised by now. */
  readonly due: () => void
}

export interface OwnShareOptions {
  /** At first. */
  readonly share: number
  /** How long it is the same before it is raised, in milliseconds. */
  readonly raiseMs: number
  /** How long others may take to have what we do not take any more, in milliseconds. */
  readonly giveUpMs: number
}

/** The newest version does not fit. */
interface Excess {
  /** Milliseconds by the clock: none has fitted since. */
  readonly since: number
  readonly tried: readonly unknown[]
  readonly fitting: FittingShares | undefined
}

export class OwnShare {
  readonly #components: OwnShareComponents
  readonly #giveUpMs: number
  #excess: Excess | undefined
  #now: number
  #pauseMs: number
  #cancel: (() => void) | undefined
  #wasRaised = false

  constructor(components: OwnShareComponents, { share, raiseMs, giveUpMs }: OwnShareOptions) {
    this.#components = components
    this.#giveUpMs = giveUpMs
    this.#now = share
    this.#pauseMs = raiseMs
    this.#wait()
  }

  get now(): number {
    return this.#now
  }

  /** Whether a version did not fit with all of this the same: version, part and pledge. */
  isHopeless(tried: readonly unknown[]): boolean {
    const before = this.#excess?.tried
    return before !== undefined && tried.every((part, index) => part === before[index])
  }

  /** True: it is less now, and may fit. */
  async doesNotFit(
    tried: readonly unknown[],
    fitting: FittingShares | undefined
  ): Promise<boolean> {
    const since = this.#excess?.since ?? this.#components.clock.now()
    this.#excess = { since, tried, fitting }
    return await this.#lower(fitting?.ours)
  }

  /**
   * Others have not taken what we gave up yet, or cannot before all has fitted. True: we take less of
   * what is new instead.
   */
  async surplusStays({ forGood }: { readonly forGood: boolean }): Promise<boolean> {
    const { since, fitting } = this.#excess ?? {}
    if (since === undefined) return false
    if (!forGood && this.#components.clock.now() - since < this.#giveUpMs) return false
    return await this.#lower(fitting?.besideSurplus)
  }

  fits(): void {
    this.#excess = undefined
  }

  /** There may be room for what did not fit. */
  tryAgain(): void {
    if (this.#excess !== undefined) this.#excess = { ...this.#excess, tried: [] }
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

  /** False when it is as low already, or nobody knows how low it would have to be. */
  async #lower(share: number = SHARE_ALL): Promise<boolean> {
    if (share >= this.#now) return false
    if (this.#wasRaised) this.#pauseMs = Math.min(RAISE_MS_MAX, 2 * this.#pauseMs)
    this.#wasRaised = false
    await this.#set(share)
    return true
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
