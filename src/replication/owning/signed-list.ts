/**
 * The holder list of the own volume, and how it changes: one change at a time, each signed under a
 * larger sequence. The owner stands in it too, with the largest pledge of the others, because nobody
 * pledged its own (docs/decisions/008-who-holds-what.md).
 */
import { WarrenError } from '../../errors.ts'
import type { PeerId, SigningKey } from '../../peer/index.ts'
import type { Circle } from '../circle/circle.ts'
import { encodeHolderList } from '../holders/holder-list-record.ts'
import type { Holder, HolderList, HolderListFields } from '../holders/holder-list.ts'
import type { Policy } from '../holders/policy.ts'

/** As long as nobody said otherwise: the owner's own copy. */
export const ONE_COPY: Policy = { replicas: 1, minimum: 1, on: [] }

/** Somebody with the same key may sign at the same time; against one who never stops nothing helps. */
const TRIES = 3

/**
 * Lists that holders may still act by. What a holder says it has is its part by the list that it
 * names; of an older one than these nothing is known any more.
 */
const LISTS_REMEMBERED = 16

export interface SignedListComponents {
  readonly key: SigningKey
  readonly owner: PeerId
  /** What fails together with the owner. */
  readonly zone: () => string
  readonly circle: Pick<Circle, 'list' | 'learn'>
}

export class SignedList {
  readonly #components: SignedListComponents
  readonly #remembered = new Map<number, HolderList>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(components: SignedListComponents) {
    this.#components = components
    this.remember()
  }

  /** What the newest list says; before there is one, what holds without. */
  get now(): HolderListFields {
    const { circle } = this.#components
    return circle.list ?? { sequence: 0, policy: ONE_COPY, overrides: new Map(), holders: [] }
  }

  /** The list of this sequence, if it is not long ago. */
  of(sequence: number): HolderList | undefined {
    const { list } = this.#components.circle
    return list?.sequence === sequence ? list : this.#remembered.get(sequence)
  }

  /** To be called when there is a newer list. */
  remember(): void {
    const { list } = this.#components.circle
    if (list === undefined) return
    this.#remembered.set(list.sequence, list)
    if (this.#remembered.size <= LISTS_REMEMBERED) return
    this.#remembered.delete(this.#remembered.keys().next().value!)
  }

  /**
   * Signs what `edit` makes of the newest list; undefined leaves it as it is. Resolves when the list
   * is stored and on its way to the others. Throws what `edit` throws, and `EINVAL` beyond the limits
   * of a list.
   */
  change(
    edit: (fields: HolderListFields) => Promise<HolderListFields | undefined>
  ): Promise<HolderListFields> {
    const changed = this.#last.then(() => this.#change(edit))
    this.#last = changed.catch(() => {})
    return changed
  }

  async #change(
    edit: (fields: HolderListFields) => Promise<HolderListFields | undefined>
  ): Promise<HolderListFields> {
    const { key, circle } = this.#components
    for (let tries = 0; tries < TRIES; tries++) {
      const before = this.now
      const next = await edit(before)
      if (next === undefined) return before
      const holders = this.#withOwner(next.holders)
      const list = await encodeHolderList(key, { ...next, holders, sequence: before.sequence + 1 })
      if (await circle.learn(list)) {
        this.remember()
        return list
      }
    }
    throw new WarrenError('EBUSY', { message: 'the list of holders is signed elsewhere as well' })
  }

  #withOwner(holders: readonly Holder[]): Holder[] {
    const { owner, zone } = this.#components
    const others = holders.filter(({ peer }) => peer !== owner)
    const pledgeBytes = others.reduce((most, holder) => Math.max(most, holder.pledgeBytes), 1)
    return [{ peer: owner, pledgeBytes, zone: zone(), state: 'active' }, ...others]
  }
}
