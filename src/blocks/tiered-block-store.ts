/**
 * Several stores that look like one: the disk store, the references to shared host files, the
 * application's own store.
 *
 * Reads ask the tiers in order. Writes go to the first tier, also when a later one has the block:
 * a reference to a host file lasts only until its owner edits the file, so it cannot stand in for a
 * block that somebody was told is stored. Deleting deletes from every tier.
 */
import type { Block } from './block.ts'
import type { BlockId } from './block-id.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from './block-store.ts'

/** Closing it closes the tiers. A block in two tiers counts twice in `usage`, as it does on the disk. */
export function createTieredBlockStore(
  tiers: readonly [BlockStore, ...(readonly BlockStore[])]
): BlockStore {
  return new TieredBlockStore(tiers)
}

class TieredBlockStore implements BlockStore {
  readonly #tiers: readonly [BlockStore, ...(readonly BlockStore[])]

  constructor(tiers: readonly [BlockStore, ...(readonly BlockStore[])]) {
    this.#tiers = tiers
  }

  /** A tier that fails does not hide a later one that has the block; its error is thrown when none has. */
  async get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const failures: unknown[] = []
    for (const tier of this.#tiers) {
      try {
        const bytes = await tier.get(id, options)
        if (bytes !== undefined) return bytes
      } catch (error) {
        options?.signal?.throwIfAborted()
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
    return undefined
  }

  async has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    return hasAny(this.#tiers, id, options)
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    await this.#tiers[0].putMany(blocks, options)
  }

  async deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    await everyTier(this.#tiers, tier => tier.deleteMany(ids, options))
  }

  /** An id is told by the first tier that has it, which needs no memory of what was told before. */
  async *ids(options?: StoreOptions): AsyncGenerator<BlockId> {
    for (const [index, tier] of this.#tiers.entries()) {
      const earlier = this.#tiers.slice(0, index)
      for await (const id of tier.ids(options)) {
        if (!(await hasAny(earlier, id, options))) yield id
      }
    }
  }

  async sync(): Promise<void> {
    await everyTier(this.#tiers, tier => tier.sync())
  }

  usage(): BlockStoreUsage {
    let blocks = 0
    let bytes = 0
    for (const tier of this.#tiers) {
      const usage = tier.usage()
      blocks += usage.blocks
      bytes += usage.bytes
    }
    return { blocks, bytes }
  }

  async close(): Promise<void> {
    await everyTier(this.#tiers, tier => tier.close())
  }
}

async function hasAny(
  tiers: readonly BlockStore[],
  id: BlockId,
  options?: StoreOptions
): Promise<boolean> {
  for (const tier of tiers) {
    if (await tier.has(id, options)) return true
  }
  return false
}

/** Does it on every tier, also after one has failed, and then throws the first failure. */
async function everyTier(
  tiers: readonly BlockStore[],
  work: (tier: BlockStore) => Promise<void>
): Promise<void> {
  for (const result of await Promise.allSettled(tiers.map(work))) {
    if (result.status === 'rejected') throw result.reason
  }
}
