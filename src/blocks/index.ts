/** The door of the blocks layer. */
export type { Block } from './block.ts'
export { BLOCK_BYTES_MAX, createBlock, isBlock, verifyBlock } from './block.ts'
export type { BlockId, Codec } from './block-id.ts'
export {
  BLOCK_ID_BYTES,
  DIGEST_BYTES,
  blockIdFromBytes,
  blockIdToBytes,
  codecOf,
  createBlockId,
  digestOf,
  parseBlockId
} from './block-id.ts'
export type {
  BlockReader,
  BlockStore,
  BlockStoreUsage,
  Descent,
  GetOptions,
  KeyRange,
  ReaderOptions,
  StoreOptions
} from './block-store.ts'
export type {
  Blockstore,
  BlockstoreInputPair,
  BlockstorePair,
  BlockstorePieces,
  BlockstoreResult
} from './interface-blockstore.ts'
export type { Chunker } from './chunker.ts'
export type { CollectOptions, CollectableBlockStore, Roots } from './collector.ts'
export { createCollectableBlockStore } from './collector.ts'
export type { ContentDefinedChunksOptions } from './content-defined-chunker.ts'
export { CHUNK_BYTES_AVERAGE, contentDefinedChunks } from './content-defined-chunker.ts'
export type { BlockEncoding, ReadKey } from './encoding/index.ts'
export {
  SEALING_BYTES_MAX,
  Sealing,
  createDecodingReader,
  createReadKey,
  formatReadKey,
  parseReadKey,
  readKeyToBytes
} from './encoding/index.ts'
export type {
  BlockExchange,
  BlockExchangeComponents,
  BlockExchangeEvents,
  BlockExchangeOptions,
  BlockSession,
  BlockSessionOptions,
  LinksWithin,
  SubtreeOptions,
  Transfer
} from './exchange/index.ts'
export { BLOCKS_PROTOCOL, SUBTREE_DEPTH_MAX, createBlockExchange } from './exchange/index.ts'
export { fixedSizeChunks } from './fixed-size-chunker.ts'
export type { FromBlockstoreOptions } from './from-blockstore.ts'
export { fromBlockstore } from './from-blockstore.ts'
export { createLocalReader } from './local-block-reader.ts'
export type { MemoryBlockStoreOptions } from './memory-block-store.ts'
export type { FindNode, TreesInPart } from './mark-trees.ts'
export { createMemoryBlockStore } from './memory-block-store.ts'
export { readNodeLinks } from './node-links.ts'
export { inBatches } from './in-batches.ts'
export type { ReadAheadOptions } from './read-ahead.ts'
export { readAhead } from './read-ahead.ts'
export { sha256 } from './sha256.ts'
export { createTieredBlockStore } from './tiered-block-store.ts'
export { toBlockstore } from './to-blockstore.ts'
export { createVerifiedBlockStore } from './verified-block-store.ts'
