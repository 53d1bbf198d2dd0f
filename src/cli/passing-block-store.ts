/**
 * A block store for a peer that only passes by: it fetches, and keeps nothing. Blocks stay in
 * memory as long as there is room, the ones used least recently go first, so that fetching a
 * terabyte takes no more memory than fetching a megabyte.
 */
import { WarrenError } from '../errors.ts'
import type { Block, BlockId, BlockStore, BlockStoreUsage } from '../index.ts'

/** Twice what a transfer has under way, so that what was fetched is still here when it is read. */
export const PASSING_BYTES_MAX: number = 16 * 1024 * 1024

export interface PassingBlockStore extends BlockStore {
  /** What is here now stays: what this peer made itself nobody else has. */
  pin(): void
}

export function createPassingBlockStore(bytesMax: number = PASSING_BYTES_MAX): PassingBlockStore {
  return new MemoryPassingBlockStore(bytesMax)
}

class MemoryPassingBlockStore implements PassingBlockStore {
  readonly #bytesMax: number
  readonly #pinned = new Map<BlockId, Uint8Array>()
  /** Used least recently first. */
  readonly #passing = new Map<BlockId, Uint8Array>()
  #bytes = 0
  #isClosed = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  pin(): void {
    for (const [id, bytes] of this.#passing) this.#pinned.set(id, bytes)
    this.#passing.clear()
    this.#bytes = 0
  }

  async get(id: BlockId): Promise<Uint8Array | undefined> {
    this.#requireOpen()
    const bytes = this.#passing.get(id)
    if (bytes === undefined) return this.#pinned.get(id)
    this.#passing.delete(id)
    this.#passing.set(id, bytes)
    return bytes
  }

  async has(id: BlockId): Promise<boolean> {
    this.#requireOpen()
    return this.#passing.has(id) || this.#pinned.has(id)
  }

  async putMany(blocks: readonly Block[]): Promise<void> {
    this.#requireOpen()
    for (const { id, bytes } of blocks) {
      if (this.#passing.has(id) || this.#pinned.has(id)) continue
      this.#passing.set(id, bytes)
      this.#bytes += bytes.length
    }
    for (const id of this.#passing.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.#remove(id)
    }
  }

  async deleteMany(ids: readonly BlockId[]): Promise<void> {
    this.#requireOpen()
    for (const id of ids) {
      this.#remove(id)
      this.#pinned.delete(id)
    }
  }

  async *ids(): AsyncGenerator<BlockId> {
    this.#requireOpen()
    yield* [...this.#pinned.keys(), ...this.#passing.keys()]
  }

  async sync(): Promise<void> {
    this.#requireOpen()
  }

  usage(): BlockStoreUsage {
    let bytes = this.#bytes
    for (const block of this.#pinned.values()) bytes += block.length
    return { blocks: this.#pinned.size + this.#passing.size, bytes }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#pinned.clear()
    this.#passing.clear()
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new WarrenError('EBADF', { message: 'the block store is closed' })
  }

  #remove(id: BlockId): void {
    this.#bytes -= this.#passing.get(id)?.length ?? 0
    this.#passing.delete(id)
  }
}
