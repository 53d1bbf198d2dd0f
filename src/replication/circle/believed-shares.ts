/**
 * What the holders of a circle take of what they are given, as far as that is believed. Who takes
 * less is believed at once, because nobody can be made to take more. Who takes more again has others
 * give up their copies; so that nobody can make blocks go to and fro, that is believed only when the
 * holder has taken the same for a while.
 */
import type { Clock, PeerId } from '../../peer/index.ts'
import { SHARE_ALL } from '../holders/shares.ts'
import type { Shares } from '../holders/shares.ts'

export interface BelievedSharesComponents {
  readonly clock: Clock
  /** How long a holder has to take the same before it is believed that it takes more, in milliseconds. */
  readonly restMs: number
  readonly changed: (holder: PeerId) => void
}

export class BelievedShares {
  readonly #components: BelievedSharesComponents
  readonly #shares = new Map<PeerId, number>()
  /** Those that have changed lately, with how to forget it. */
  readonly #resting = new Map<PeerId, () => void>()
  /** What those said since that is not believed yet. */
  readonly #waiting = new Map<PeerId, number>()

  constructor(components: BelievedSharesComponents) {
    this.#components = components
  }

  get now(): Shares {
    return this.#shares
  }

  /** A holder says how much it takes. */
  said(holder: PeerId, share: number): void {
    this.#waiting.delete(holder)
    const before = this.#shares.get(holder) ?? SHARE_ALL
    if (share > before && this.#resting.has(holder)) this.#waiting.set(holder, share)
    else if (share !== before) this.believe(holder, share)
  }

  /** From now on. */
  believe(holder: PeerId, share: number): void {
    if (share === (this.#shares.get(holder) ?? SHARE_ALL)) return
    if (share === SHARE_ALL) this.#shares.delete(holder)
    else this.#shares.set(holder, share)
    this.#resting.get(holder)?.()
    const { clock, restMs, changed } = this.#components
    this.#resting.set(
      holder,
      clock.after(restMs, () => this.#rested(holder))
    )
    changed(holder)
  }

  /** Of those that are not among these nothing is known any more. */
  keep(isKept: (holder: PeerId) => boolean): void {
    for (const holders of [this.#shares, this.#waiting]) {
      for (const holder of holders.keys()) if (!isKept(holder)) holders.delete(holder)
    }
    for (const [holder, cancel] of this.#resting) {
      if (isKept(holder)) continue
      cancel()
      this.#resting.delete(holder)
    }
  }

  close(): void {
    this.keep(() => false)
  }

  #rested(holder: PeerId): void {
    this.#resting.delete(holder)
    const share = this.#waiting.get(holder)
    if (share !== undefined) this.said(holder, share)
  }
}
