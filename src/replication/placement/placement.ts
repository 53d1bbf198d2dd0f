/**
 * Placement: which holders should have which blocks. Weighted rendezvous hashing over the signed
 * holder list and nothing else, so that everybody who has the list has the same answer.
 *
 * Copies are spread over zones: no zone gets a second copy while another one has an active holder
 * without any. A holder's share follows its pledge, but nothing here knows how full anybody is:
 * that changes by the minute and is seen differently by everyone, and a placement that depended on
 * it would differ too. A holder that is full says so when it is given a block, and the copy then
 * goes to the next one in the order, which everybody knows too; that is the work of repair.
 */
import { digestOf } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { HolderListFields } from '../holders/holder-list.ts'
import type { Policy } from '../holders/policy.ts'
import { createAssignment } from './assignment.ts'
import type { Assignment } from './assignment.ts'
import { createHolderTable } from './holder-table.ts'
import type { HolderTable } from './holder-table.ts'
import { rankAll } from './rank-all.ts'
import { FEW_MAX, FewRanker } from './rank-few.ts'
import { firstWord, secondWord } from './shortfall.ts'
import type { Seed } from './shortfall.ts'

/** The holders of a list, in whatever order. */
export type Holders = Pick<HolderListFields, 'holders'>

export interface Placement {
  /**
   * The holders that should have the block, best first: as many as the policy wants, or as there
   * are. Draining ones are among them only when the active ones are too few: for the replicas
   * when those are a number, for the minimum when they are `'all'`.
   */
  place(id: BlockId, policy: Policy): PeerId[]
  /**
   * All holders in the order in which they should have the block, draining ones last. `place` is
   * its beginning; where a copy cannot go there, the next one takes it.
   */
  rank(id: BlockId): PeerId[]
  /** What this peer should have: the fast answer to "is it mine?" for many blocks. */
  assignmentOf(peer: PeerId, policy: Policy): Assignment
}

/** Lays the list out once, for many questions. The list must not change afterwards. */
export function createPlacement(list: Holders): Placement {
  return new RendezvousPlacement(list)
}

const placements = new WeakMap<Holders, Placement>()

/**
 * The holders that should have a block, best first; see `Placement.place`. What is computed from
 * the list is kept for as long as the list is, so the list must not change.
 */
export function placeBlock(id: BlockId, list: Holders, policy: Policy): PeerId[] {
  let placement = placements.get(list)
  if (placement === undefined) {
    placement = createPlacement(list)
    placements.set(list, placement)
  }
  return placement.place(id, policy)
}

class RendezvousPlacement implements Placement {
  readonly #table: HolderTable
  readonly #few: FewRanker
  readonly #seed: Seed = { first: 0, second: 0 }

  constructor(list: Holders) {
    this.#table = createHolderTable(list.holders)
    this.#few = new FewRanker(this.#table)
  }

  place(id: BlockId, policy: Policy): PeerId[] {
    const copies = this.#copies(policy)
    const isFew = copies <= FEW_MAX && copies <= this.#table.activeCount
    const seed = this.#seedOf(id)
    const indexes = isFew
      ? this.#few.rank(seed, copies)
      : rankAll(this.#table, seed).slice(0, copies)
    const peers: PeerId[] = []
    for (const index of indexes) peers.push(this.#table.peers[index]!)
    return peers
  }

  rank(id: BlockId): PeerId[] {
    return rankAll(this.#table, this.#seedOf(id)).map(index => this.#table.peers[index]!)
  }

  assignmentOf(peer: PeerId, policy: Policy): Assignment {
    const index = this.#table.peers.indexOf(peer)
    return createAssignment(this.#table, index, this.#copies(policy))
  }

  #copies({ replicas, minimum }: Policy): number {
    const { activeCount, peers } = this.#table
    const wanted = replicas === 'all' ? Math.max(activeCount, minimum) : replicas
    return Math.min(wanted, peers.length)
  }

  #seedOf(id: BlockId): Seed {
    const digest = digestOf(id)
    this.#seed.first = firstWord(digest, 0)
    this.#seed.second = secondWord(digest, 0)
    return this.#seed
  }
}
