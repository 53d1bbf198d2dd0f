/**
 * Puts fetched blocks into the local store in large batches, behind the back of whoever receives
 * them. Bounded: `isFull` says when to stop receiving. Until a block is in the store it is found here.
 */
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type { BlockStore } from '../block-store.ts'
import { WRITE_BATCH_BYTES, WRITE_BEHIND_BYTES_MAX } from './limits.ts'

export class WriteBehind {
  readonly #store: Pick<BlockStore, 'putMany'>
  /** Not yet in the store, in order of arrival. */
  readonly #pending = new Map<BlockId, Uint8Array>()
  /** Batches that the store refused, and why it refused the last one. */
  failures = 0
  lastError: unknown
  #bytes = 0
  #putCount = 0
  #writtenCount = 0
  #writing: Promise<void> | undefined
  #roomy: PromiseWithResolvers<void> | undefined

  constructor(store: Pick<BlockStore, 'putMany'>) {
    this.#store = store
  }

  get(id: BlockId): Uint8Array | undefined {
    return this.#pending.get(id)
  }

  put(block: Block): void {
    if (this.#pending.has(block.id)) return
    this.#pending.set(block.id, block.bytes)
    this.#bytes += block.bytes.length
    this.#putCount++
    this.#writing ??= this.#write()
  }

  get isFull(): boolean {
    return this.#bytes >= WRITE_BEHIND_BYTES_MAX
  }

  async untilRoom(): Promise<void> {
    while (this.isFull) {
      this.#roomy ??= Promise.withResolvers()
      await this.#roomy.promise
    }
  }

  /** Resolves when everything put before the call is in the store, or has failed to get there. */
  async flush(): Promise<void> {
    const target = this.#putCount
    while (this.#writtenCount < target) await this.#writing
  }

  /** Writes one batch, then the next if there is something. Never rejects. */
  async #write(): Promise<void> {
    // What arrives in the same turn goes into the same batch.
    await Promise.resolve()
    const batch = this.#nextBatch()
    try {
      await this.#store.putMany(batch)
    } catch (error) {
      this.failures++
      this.lastError = error
    }
    for (const block of batch) {
      this.#pending.delete(block.id)
      this.#bytes -= block.bytes.length
    }
    this.#writtenCount += batch.length
    this.#roomy?.resolve()
    this.#roomy = undefined
    this.#writing = this.#pending.size > 0 ? this.#write() : undefined
  }

  #nextBatch(): Block[] {
    const batch: Block[] = []
    let bytes = 0
    for (const [id, content] of this.#pending) {
      batch.push({ id, bytes: content })
      bytes += content.length
      if (bytes >= WRITE_BATCH_BYTES) break
    }
    return batch
  }
}
