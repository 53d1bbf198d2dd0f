/**
 * Challenges made while a block was at hand, with the right answers, for auditing its holders when
 * it no longer is. Each can be used once: whoever has seen its nonce could keep the answer in place
 * of the block. So their number bounds how often a holder can be audited about blocks that we do
 * not have; the table is small, in memory, and refilled whenever blocks pass through.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { PeerId } from '../../peer/index.ts'
import { PREPARED_MAX, PREPARED_PER_HOLDER_MAX } from './audit-limits.ts'
import type { Challenge } from './audit-messages.ts'

export interface ExpectedProof {
  readonly challenge: Challenge
  readonly expected: Uint8Array
}

export class PreparedChallenges {
  /** For each holder, one for each block, the oldest first. */
  readonly #byHolder = new Map<PeerId, Map<BlockId, ExpectedProof>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Takes the place of one about the same block, and of the oldest when there are too many. */
  keep(holder: PeerId, prepared: ExpectedProof): void {
    const { id } = prepared.challenge
    this.take(holder, id)
    const table = this.#byHolder.get(holder) ?? new Map<BlockId, ExpectedProof>()
    if (table.size >= PREPARED_PER_HOLDER_MAX) this.take(holder, table.keys().next().value!)
    if (this.#size >= PREPARED_MAX) this.#dropOldest()
    table.set(id, prepared)
    // The holder for which something was prepared longest ago comes first.
    this.#byHolder.delete(holder)
    this.#byHolder.set(holder, table)
    this.#size++
  }

  /** Blocks about which this holder can be audited once. */
  ids(holder: PeerId): BlockId[] {
    return [...(this.#byHolder.get(holder)?.keys() ?? [])]
  }

  /** Hands one out and forgets it. */
  take(holder: PeerId, id: BlockId): ExpectedProof | undefined {
    const table = this.#byHolder.get(holder)
    const prepared = table?.get(id)
    if (table === undefined || prepared === undefined) return undefined
    table.delete(id)
    this.#size--
    if (table.size === 0) this.#byHolder.delete(holder)
    return prepared
  }

  #dropOldest(): void {
    for (const [holder, table] of this.#byHolder) {
      for (const id of table.keys()) {
        this.take(holder, id)
        return
      }
    }
  }
}
