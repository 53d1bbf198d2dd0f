/**
 * A store in front of one that is not trusted to verify what it reads (an application's own store,
 * a remote bucket): nothing leaves it that does not have the hash its name says.
 *
 * A damaged block is missing here: `get` and, once that has been noticed, `has` say so, and putting
 * the block again replaces the damaged copy. It is not removed before, because the damage may be in
 * the reading.
 */
import type { Block } from './block.ts'
import { isBlock } from './block.ts'
import type { BlockId } from './block-id.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from './block-store.ts'
import { isWarrenError } from '../errors.ts'

/**
 * How many damaged blocks are remembered, at about 100 bytes each. Beyond it the oldest is
 * forgotten, and `has` is wrong about it again until it is read.
 */
export const DAMAGED_BLOCKS_MAX: number = 10_000

export function createVerifiedBlockStore(store: BlockStore): BlockStore {
  return new VerifiedBlockStore(store)
}

class VerifiedBlockStore implements BlockStore {
  readonly #store: BlockStore
  readonly #damaged = new Set<BlockId>()

  constructor(store: BlockStore) {
    this.#store = store
  }

  async get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const found = await this.#read(id, options)
    if (found !== 'damaged') {
      this.#damaged.delete(id)
      return found
    }
    this.#remember(id)
    return undefined
  }

  async has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    const found = await this.#store.has(id, options)
    return found && !this.#damaged.has(id)
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    const replaced = blocks.map(block => block.id).filter(id => this.#damaged.has(id))
    if (replaced.length > 0) await this.deleteMany(replaced, options)
    await this.#store.putMany(blocks, options)
  }

  async deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    await this.#store.deleteMany(ids, options)
    for (const id of ids) this.#damaged.delete(id)
  }

  ids(options?: StoreOptions): AsyncIterable<BlockId> {
    return this.#store.ids(options)
  }

  sync(): Promise<void> {
    return this.#store.sync()
  }

  usage(): BlockStoreUsage {
    return this.#store.usage()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #read(id: BlockId, options?: StoreOptions): Promise<Uint8Array | 'damaged' | undefined> {
    try {
      const bytes = await this.#store.get(id, options)
      return bytes === undefined || (await isBlock({ id, bytes })) ? bytes : 'damaged'
    } catch (error) {
      // A store that notices damage itself may say so by throwing.
      if (isWarrenError(error, 'EBADMSG')) return 'damaged'
      throw error
    }
  }

  #remember(id: BlockId): void {
    this.#damaged.add(id)
    if (this.#damaged.size <= DAMAGED_BLOCKS_MAX) return
    for (const oldest of this.#damaged) {
      this.#damaged.delete(oldest)
      return
    }
  }
}
