/**
 * The block store of a holder that pretends: data that it is given it drops, and says that it has
 * it; asked for it, it gives other bytes or none. Nodes it keeps, or it could not even pretend.
 */
import { codecOf } from '../../src/blocks/index.ts'
import type { Block, BlockId } from '../../src/blocks/index.ts'
import { SimulatedBlockStore } from './simulated-block-store.ts'

export class LyingBlockStore extends SimulatedBlockStore {
  /** Blocks that it was given, and how many bytes each had. */
  readonly #dropped = new Map<BlockId, number>()

  override async get(
    id: BlockId,
    options?: { readonly signal?: AbortSignal }
  ): Promise<Uint8Array | undefined> {
    const bytes = this.#dropped.get(id)
    // The last character of an id is as good as chance.
    const isSilent = id.charCodeAt(id.length - 1) % 2 === 0
    if (bytes === undefined || isSilent) return await super.get(id, options)
    return new Uint8Array(bytes).fill(7)
  }

  override async has(id: BlockId, options?: { readonly signal?: AbortSignal }): Promise<boolean> {
    return this.#dropped.has(id) || (await super.has(id, options))
  }

  override async putMany(
    blocks: readonly Block[],
    options?: { readonly signal?: AbortSignal }
  ): Promise<void> {
    const kept = blocks.filter(({ id }) => codecOf(id) === 'dag-cbor')
    for (const { id, bytes } of blocks) {
      if (codecOf(id) !== 'dag-cbor') this.#dropped.set(id, bytes.length)
    }
    await super.putMany(kept, options)
  }

  override async deleteMany(
    ids: readonly BlockId[],
    options?: { readonly signal?: AbortSignal }
  ): Promise<void> {
    for (const id of ids) this.#dropped.delete(id)
    await super.deleteMany(ids, options)
  }
}
