/** A js-stores `Blockstore`, an application's own for instance, for everything that takes our block store. */
import { CID } from 'multiformats/cid'
import type { Block } from './block.ts'
import type { BlockId } from './block-id.ts'
import { blockIdToBytes, parseBlockId } from './block-id.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from './block-store.ts'
import { joinPieces } from './blockstore-pieces.ts'
import type { Blockstore } from './interface-blockstore.ts'
import { createVerifiedBlockStore } from './verified-block-store.ts'
import { isWarrenError, WarrenError } from '../errors.ts'

export interface FromBlockstoreOptions {
  /** What is in it already, since a `Blockstore` cannot be asked. Default: nothing. */
  readonly usage?: BlockStoreUsage
}

/**
 * What it reads is verified. It is as durable as the `Blockstore` is, which has no `sync`; and
 * `close` leaves the `Blockstore` to whoever opened it. Where one keeps blocks by their hash alone
 * (blockstore-fs does), `ids` tells every block as `raw`.
 */
export function fromBlockstore(
  blockstore: Blockstore,
  options: FromBlockstoreOptions = {}
): BlockStore {
  const usage = options.usage ?? { blocks: 0, bytes: 0 }
  return createVerifiedBlockStore(new BlockstoreAsStore(blockstore, usage))
}

class BlockstoreAsStore implements BlockStore {
  readonly #blockstore: Blockstore
  #usage: BlockStoreUsage
  #closed = false
  /** Changes go one after the other, so that what each adds or removes is counted right. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(blockstore: Blockstore, usage: BlockStoreUsage) {
    this.#blockstore = blockstore
    this.#usage = usage
  }

  async get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    this.#check(options)
    return this.#read(id, options)
  }

  async has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    this.#check(options)
    return this.#blockstore.has(cidOf(id), options)
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    this.#check(options)
    await this.#change(() => this.#put(blocks, options))
  }

  async deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    this.#check(options)
    await this.#change(() => this.#delete(ids, options))
  }

  /** Only of blocks that can be ours. */
  async *ids(options?: StoreOptions): AsyncGenerator<BlockId> {
    this.#check(options)
    for await (const { cid } of this.#blockstore.getAll(options)) {
      this.#check(options)
      const id = ownIdOf(cid)
      if (id !== undefined) yield id
    }
  }

  async sync(): Promise<void> {
    this.#check()
    await this.#lastChange
  }

  usage(): BlockStoreUsage {
    this.#check()
    return this.#usage
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#lastChange
  }

  async #read(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    try {
      return await joinPieces(this.#blockstore.get(cidOf(id), options), options?.signal)
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (isWarrenError(error, 'EFBIG')) throw new WarrenError('EBADMSG', { cause: error })
      throw error
    }
  }

  async #put(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    const added = new Map<BlockId, Uint8Array>()
    let bytes = 0
    for (const block of blocks) {
      if (added.has(block.id)) continue
      if (await this.#blockstore.has(cidOf(block.id), options)) continue
      added.set(block.id, block.bytes)
      bytes += block.bytes.length
    }
    const pairs = [...added].map(([id, content]) => ({ cid: cidOf(id), bytes: content }))
    for await (const _cid of this.#blockstore.putMany(pairs, options)) continue
    this.#count(added.size, bytes)
  }

  async #delete(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    for (const id of new Set(ids)) {
      const length = await this.#lengthOf(id, options)
      if (length === undefined) continue
      await this.#blockstore.delete(cidOf(id), options)
      this.#count(-1, -length)
    }
  }

  /** There is no other way to ask than to read it. A block too large to be one was never counted. */
  async #lengthOf(id: BlockId, options?: StoreOptions): Promise<number | undefined> {
    try {
      return (await this.#read(id, options))?.length
    } catch (error) {
      if (isWarrenError(error, 'EBADMSG')) return 0
      throw error
    }
  }

  #change(work: () => Promise<void>): Promise<void> {
    const change = this.#lastChange.then(work)
    this.#lastChange = change.catch(() => {})
    return change
  }

  #count(blocks: number, bytes: number): void {
    this.#usage = { blocks: this.#usage.blocks + blocks, bytes: this.#usage.bytes + bytes }
  }

  #check(options?: StoreOptions): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the block store is closed' })
    options?.signal?.throwIfAborted()
  }
}

function cidOf(id: BlockId): CID {
  return CID.decode(blockIdToBytes(id))
}

function ownIdOf(cid: CID): BlockId | undefined {
  try {
    return parseBlockId(cid.toString())
  } catch {
    return undefined
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotFoundError'
}
