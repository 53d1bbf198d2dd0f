/**
 * The contract of a block store: bytes under their hash, kept on this machine.
 *
 * One suite (`test/contracts/block-store-contract.ts`) runs on every implementation and every
 * wrapper. A store may trust what it is given (`put` gets blocks whose hash was checked), but what
 * it reads back from a disk it verifies: a damaged block is reported missing, never handed out.
 */
import type { Block } from './block.ts'
import type { BlockId } from './block-id.ts'

export interface StoreOptions {
  readonly signal?: AbortSignal
}

export interface KeyRange {
  /** Inclusive. */
  readonly from: Uint8Array
  /** Exclusive. */
  readonly to: Uint8Array
}

/**
 * Where in a tree a reader is going: to the entries whose keys are in a range. Who sends it a node
 * on the way may send at once what is below that node and in the range, which saves a round trip for
 * every level. Reads that belong together share one object.
 */
export interface Descent extends KeyRange {
  /** What the entries link to is wanted too. */
  readonly data: boolean
}

export interface GetOptions extends StoreOptions {
  /** Default: the block stands alone. */
  readonly descent?: Descent | undefined
}

export interface ReaderOptions extends GetOptions {
  /**
   * False when the caller puts what it gets where the local store finds it, so that no copy of it
   * has to be written there. Default true.
   */
  readonly keep?: boolean
}

export interface BlockStoreUsage {
  readonly blocks: number
  /** Bytes of block content, without overhead. */
  readonly bytes: number
}

export interface BlockStore {
  /** The block's bytes, or `undefined` when it is not here (also: when it is here but damaged). The caller must not change them. */
  get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined>
  has(id: BlockId, options?: StoreOptions): Promise<boolean>
  /**
   * Stores blocks in one batch. Resolves when a `get` would find them; they survive a crash only
   * after `sync`. Storing a block that is there already costs nothing. Throws `ENOSPC` with
   * everything stored before still intact.
   */
  putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void>
  /** Removes blocks; unknown ids are ignored. */
  deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void>
  /** Every id, in no order. Ids put or deleted while it runs may or may not be seen. */
  ids(options?: StoreOptions): AsyncIterable<BlockId>
  /** Resolves when everything put before the call survives `kill -9` and power loss. */
  sync(): Promise<void>
  usage(): BlockStoreUsage
  /** Syncs and releases everything. Idempotent. Any other call afterwards throws `EBADF`. */
  close(): Promise<void>
}

/**
 * The role everything above asks for when it wants bytes and does not care where they are: a
 * local store, or a store and all the peers behind it. Every block it yields is verified.
 */
export interface BlockReader {
  /** Throws `EHOSTUNREACH` when nobody reachable has it, within the reader's deadline. */
  get(id: BlockId, options?: GetOptions): Promise<Uint8Array>
  /**
   * Yields the blocks in the order asked, as they become available. Fetches ahead within a
   * bounded window of bytes. Throws as `get` does at the first block that cannot be had.
   */
  getMany(
    ids: Iterable<BlockId> | AsyncIterable<BlockId>,
    options?: ReaderOptions
  ): AsyncIterable<Block>
}
