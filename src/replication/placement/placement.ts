/**
 * Placement: which holders should have which blocks. Weighted rendezvous hashing over the signed
 * holder list and nothing else, so that everybody who has the list has the same answer.
 *
 * Copies are spread over zones: no zone gets a second copy while another one has an active holder
 * without any. A holder's share follows its pledge, but nothing here knows how full anybody is:
 * that changes by the minute and is seen differently by everyone, and a placement that depended on
 * it would differ too. A holder whose part does not fit its pledge says which share of it it takes.
 * For the blocks that it does not take it is as if it were not there: the next one in the order,
 * which everybody knows too, has them.
 */
import { digestOf } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { Policy } from '../holders/policy.ts'
import type { CountedHolder } from '../holders/shares.ts'
import { createAssignment, createAssignmentBy } from './assignment.ts'
import type { Assignment } from './assignment.ts'
import { createHolderTable } from './holder-table.ts'
import type { HolderTable } from './holder-table.ts'
import { rankAll } from './rank-all.ts'
import { FEW_MAX, FewRanker } from './rank-few.ts'
import { firstWord, secondWord } from './shortfall.ts'
import type { Seed } from './shortfall.ts'
import { takes } from './takes.ts'

/** The holders of a list, in whatever order. */
export interface Holders {
  readonly holders: readonly CountedHolder[]
}

export interface Placement {
  /**
   * The holders that should have the block, best first: as many as the policy wants, or as there
   * are. Draining ones are among them only when the active ones are too few: for the replicas
   * when those are a number, for the minimum when they are `'all'`.
   */
  place(id: BlockId, policy: Policy): PeerId[]
  /**
   * All holders that take the block in the order in which they should have it, draining ones last.
   * `place` is its beginning; where a copy cannot go there, the next one takes it.
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
    const peers: PeerId[] = []
    for (const index of this.#place(this.#seedOf(id), policy)) {
      peers.push(this.#table.peers[index]!)
    }
    return peers
  }

  rank(id: BlockId): PeerId[] {
    return rankAll(this.#table, this.#seedOf(id)).map(index => this.#table.peers[index]!)
  }

  assignmentOf(peer: PeerId, policy: Policy): Assignment {
    const index = this.#table.peers.indexOf(peer)
    const { shares } = this.#table
    if (shares === undefined || index < 0) {
      return createAssignment(this.#table, index, this.#copies(policy))
    }
    return createAssignmentBy(seed => {
      return takes(this.#table, index, seed) && this.#place(seed, policy).includes(index)
    })
  }

  /** Indexes, in memory that the next call may use again. */
  #place(seed: Seed, policy: Policy): readonly number[] | Uint16Array {
    const copies = this.#copies(policy)
    if (copies <= FEW_MAX && copies <= this.#table.activeCount) {
      const few = this.#few.rank(seed, copies)
      if (few.length === copies) return few
    }
    const all = rankAll(this.#table, seed)
    if (policy.replicas !== 'all') return all.slice(0, copies)
    // Nobody drains for the sake of those who do not take it.
    const active = all.filter(index => index < this.#table.activeCount).length
    return all.slice(0, Math.max(active, policy.minimum))
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
