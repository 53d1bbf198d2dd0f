/**
 * What is ours of a volume: placement over the holders that are counted on, and the policies of
 * one list. Policies go by a number, because each block has one and most have the same.
 */
import { BLOCK_ID_BYTES, DIGEST_BYTES } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import type { InodeNumber } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { Holder, HolderList } from '../holders/holder-list.ts'
import { SHARE_ALL, shareOf, sharesOf } from '../holders/shares.ts'
import type { CountedHolder, Shares } from '../holders/shares.ts'
import { strongerPolicy } from '../holders/policy.ts'
import type { Policy } from '../holders/policy.ts'
import type { Assignment } from '../placement/assignment.ts'
import { createPlacement } from '../placement/placement.ts'
import type { Placement } from '../placement/placement.ts'

/** The number of the policy for what no override covers, tree nodes included. */
export const DEFAULT_POLICY = 0
/** Of a block of which nothing was decided yet. */
export const NO_POLICY = 0xffff_ffff

const DIGEST_AT: number = BLOCK_ID_BYTES - DIGEST_BYTES

export class Part {
  readonly self: PeerId
  readonly list: HolderList
  readonly counted: readonly CountedHolder[]
  /** Listed, and not counted on. */
  readonly gone: readonly PeerId[]
  readonly #placement: Placement
  /** Where blocks go when we leave. */
  readonly #withoutUs: Placement
  readonly #policies: Policy[] = []
  readonly #numbers = new Map<string, number>()
  readonly #assignments: Assignment[] = []

  constructor(self: PeerId, list: HolderList, counted: readonly CountedHolder[]) {
    this.self = self
    this.list = list
    this.counted = counted
    const names = new Set(counted.map(({ peer }) => peer))
    this.gone = list.holders.map(({ peer }) => peer).filter(peer => !names.has(peer))
    this.#placement = createPlacement({ holders: counted })
    const others = counted.filter(({ peer }) => peer !== self)
    this.#withoutUs = createPlacement({ holders: others })
    this.numberOf(list.policy)
  }

  /** We among the holders; undefined: we are none. */
  get holder(): Holder | undefined {
    return this.list.holders.find(({ peer }) => peer === this.self)
  }

  /** Whether it says the same as a part of this list and these holders would. */
  isOf(list: HolderList, counted: readonly CountedHolder[]): boolean {
    const isSame = (holder: CountedHolder, index: number): boolean => {
      const ours = this.counted[index]!
      return holder.peer === ours.peer && shareOf(holder) === shareOf(ours)
    }
    return list === this.list && counted.length === this.counted.length && counted.every(isSame)
  }

  /** What those take that do not take all. */
  get shares(): Shares {
    return sharesOf(this.counted)
  }

  /** What we take. */
  get share(): number {
    return this.shares.get(this.self) ?? SHARE_ALL
  }

  numberOf(policy: Policy): number {
    const { replicas, minimum, on } = policy
    const name = [replicas, minimum, ...on].join(' ')
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.#policies.push(policy) - 1
      this.#numbers.set(name, number)
    }
    return number
  }

  policyAt(number: number): Policy {
    return this.#policies[number]!
  }

  stronger(one: number, other: number): number {
    if (one === other || one === NO_POLICY) return other
    return this.numberOf(strongerPolicy(this.policyAt(one), this.policyAt(other)))
  }

  /** The number of what is said of exactly this directory or file. */
  overrideOf(inode: InodeNumber): number | undefined {
    const policy = this.list.overrides.get(inode)
    return policy && this.numberOf(policy)
  }

  /** Of a block by the 36 bytes of its id. */
  isOurs(id: Uint8Array, number: number): boolean {
    const policy = this.policyAt(number)
    this.#assignments[number] ??= this.#placement.assignmentOf(this.self, policy)
    return this.#assignments[number].hasDigest(id, DIGEST_AT) || policy.on.includes(this.self)
  }

  /** Whether a policy names us, whatever placement says. */
  isNamed(number: number): boolean {
    return number !== NO_POLICY && this.policyAt(number).on.includes(this.self)
  }

  /** The others who should have a block as well. */
  placed(id: BlockId, number: number): PeerId[] {
    const placed = this.#placement.place(id, this.policyAt(number))
    return placed.filter(peer => peer !== this.self)
  }

  /**
   * The others who should have a block, were we not there; undefined when they are fewer than the
   * policy wants, so that the copy here counts whatever they say.
   */
  others(
    id: BlockId,
    number: number,
    { leaving }: { readonly leaving: boolean }
  ): PeerId[] | undefined {
    const policy = this.policyAt(number)
    const placement = leaving ? this.#withoutUs : this.#placement
    const placed = placement.place(id, policy).filter(peer => peer !== this.self)
    const wanted = policy.replicas === 'all' ? policy.minimum : policy.replicas
    if (placed.length < wanted) return undefined
    const named = policy.on.filter(peer => peer !== this.self && this.#isCounted(peer))
    return [...new Set([...placed, ...named])]
  }

  #isCounted(peer: PeerId): boolean {
    return this.counted.some(holder => holder.peer === peer)
  }
}
