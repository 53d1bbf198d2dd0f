/**
 * The block store that Helia and the rest of js-stores use: the types of interface-blockstore 7,
 * written down again so that nobody needs that package to use ours. A test holds the two together.
 */
import type { CID } from 'multiformats/cid'
import type { StoreOptions } from './block-store.ts'

export type BlockstorePieces = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export type BlockstoreResult<Item> = Generator<Item> | AsyncGenerator<Item>

export interface BlockstoreInputPair {
  cid: CID
  bytes: BlockstorePieces
}

export interface BlockstorePair {
  cid: CID
  bytes: BlockstoreResult<Uint8Array>
}

export interface Blockstore {
  has(cid: CID, options?: StoreOptions): boolean | Promise<boolean>
  put(cid: CID, bytes: BlockstorePieces, options?: StoreOptions): CID | Promise<CID>
  putMany(
    source: Iterable<BlockstoreInputPair> | AsyncIterable<BlockstoreInputPair>,
    options?: StoreOptions
  ): BlockstoreResult<CID>
  /** Fails with an error named `NotFoundError` for a block that is not there. */
  get(cid: CID, options?: StoreOptions): BlockstoreResult<Uint8Array>
  getMany(
    source: Iterable<CID> | AsyncIterable<CID>,
    options?: StoreOptions
  ): BlockstoreResult<BlockstorePair>
  delete(cid: CID, options?: StoreOptions): void | Promise<void>
  deleteMany(
    source: Iterable<CID> | AsyncIterable<CID>,
    options?: StoreOptions
  ): BlockstoreResult<CID>
  getAll(options?: StoreOptions): BlockstoreResult<BlockstorePair>
}
