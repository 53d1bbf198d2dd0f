/**
 * Puts fetched blocks into the local store in large batches, behind the back of whoever receives
 * them. Bounded: `isFull` says when to stop receiving. Until a block is in the store it is found here.
 */
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type { BlockStore } from '../block-store.ts'
import type { Clock } from '../../peer/index.ts'
import { GATHER_BYTES, GATHER_MS, WRITE_BATCH_BYTES, WRITE_BEHIND_BYTES_MAX } from './limits.ts'

/**
 * A block that waits. It is emptied when it leaves: V8 makes a new table for a busy map now and
 * then, and the old ones, which point to each other, would keep what they held until the whole heap
 * is marked. Held through them, every block of a transfer outlived the young generation.
 */
interface Pending {
  bytes: Uint8Array | undefined
}

export class WriteBehind {
  readonly #store: Pick<BlockStore, 'putMany'>
  readonly #clock: Clock
  /** Not yet in the store, in order of arrival. */
  readonly #pending = new Map<BlockId, Pending>()
  /** Batches that the store refused, and why it refused the last one. */
  failures = 0
  lastError: unknown
  #bytes = 0
  #putCount = 0
  #writtenCount = 0
  #writing: Promise<void> | undefined
  #roomy: PromiseWithResolvers<void> | undefined
  /** Ends the wait for more blocks to write together. */
  #hurry: (() => void) | undefined

  constructor(store: Pick<BlockStore, 'putMany'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  get(id: BlockId): Uint8Array | undefined {
    return this.#pending.get(id)?.bytes
  }

  put({ id, bytes }: Block): void {
    if (this.#pending.has(id)) return
    this.#pending.set(id, { bytes })
    this.#bytes += bytes.length
    this.#putCount++
    this.#writing ??= this.#write()
    if (this.#bytes >= GATHER_BYTES) this.#hurry?.()
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
    while (this.#writtenCount < target) {
      this.#hurry?.()
      await this.#writing
    }
  }

  /** Writes one batch, then the next if there is something. Never rejects. */
  async #write(): Promise<void> {
    await this.#gather()
    const batch = this.#nextBatch()
    try {
      await this.#store.putMany(batch)
    } catch (error) {
      this.failures++
      this.lastError = error
    }
    for (const block of batch) this.#forget(block)
    this.#writtenCount += batch.length
    this.#roomy?.resolve()
    this.#roomy = undefined
    this.#writing = this.#pending.size > 0 ? this.#write() : undefined
  }

  /** A trip to the disk costs about as much for one block as for ten, and nobody waits for it. */
  async #gather(): Promise<void> {
    if (this.#bytes >= GATHER_BYTES) return
    await new Promise<void>(resolve => {
      const cancel = this.#clock.after(GATHER_MS, resolve)
      this.#hurry = () => {
        cancel()
        resolve()
      }
    })
    this.#hurry = undefined
  }

  #nextBatch(): Block[] {
    const batch: Block[] = []
    let bytes = 0
    for (const [id, pending] of this.#pending) {
      const block = { id, bytes: pending.bytes! }
      batch.push(block)
      bytes += block.bytes.length
      if (bytes >= WRITE_BATCH_BYTES) break
    }
    return batch
  }

  #forget({ id, bytes }: Block): void {
    this.#pending.get(id)!.bytes = undefined
    this.#pending.delete(id)
    this.#bytes -= bytes.length
  }
}
