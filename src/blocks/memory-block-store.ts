/**
 * A block store that forgets: for tests, for caches, and for peers without a disk. It is also the
 * plainest statement of the contract, so read it first.
 */
import type { Block } from './block.ts'
import type { BlockId } from './block-id.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from './block-store.ts'
import { WarrenError } from '../errors.ts'

export interface MemoryBlockStoreOptions {
  /** Bytes of block content at most; a batch that would not fit is refused whole with `ENOSPC`. Default: no limit. */
  readonly bytesMax?: number
}

export function createMemoryBlockStore(options: MemoryBlockStoreOptions = {}): BlockStore {
  return new MemoryBlockStore(options.bytesMax ?? Infinity)
}

class MemoryBlockStore implements BlockStore {
  readonly #bytesMax: number
  readonly #blocks = new Map<BlockId, Uint8Array>()
  #bytes = 0
  #closed = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  async get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    this.#check(options)
    return this.#blocks.get(id)
  }

  async has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    this.#check(options)
    return this.#blocks.has(id)
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    this.#check(options)
    const added = new Map<BlockId, Uint8Array>()
    let bytes = this.#bytes
    for (const block of blocks) {
      if (this.#blocks.has(block.id) || added.has(block.id)) continue
      added.set(block.id, block.bytes)
      bytes += block.bytes.length
    }
    if (bytes > this.#bytesMax) {
      throw new WarrenError('ENOSPC', {
        message: `${bytes} bytes of blocks, ${this.#bytesMax} at most`
      })
    }
    for (const [id, content] of added) this.#blocks.set(id, ownBytes(content))
    this.#bytes = bytes
  }

  async deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    this.#check(options)
    for (const id of ids) {
      this.#bytes -= this.#blocks.get(id)?.length ?? 0
      this.#blocks.delete(id)
    }
  }

  async *ids(options?: StoreOptions): AsyncGenerator<BlockId> {
    this.#check(options)
    for (const id of this.#blocks.keys()) {
      yield id
      this.#check(options)
    }
  }

  async sync(): Promise<void> {
    this.#check()
  }

  usage(): BlockStoreUsage {
    this.#check()
    return { blocks: this.#blocks.size, bytes: this.#bytes }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#blocks.clear()
    this.#bytes = 0
  }

  #check(options?: StoreOptions): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the block store is closed' })
    options?.signal?.throwIfAborted()
  }
}

/** A small view would keep the large buffer it looks into (a network frame, say) alive: copy it out. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
