/**
 * The contract of the tree: one ordered map from byte strings to values, kept as a copy-on-write
 * Merkle B-tree of blocks. It knows nothing of files: what keys mean is the volume's business.
 *
 * A tree is immutable. `apply` gives a new tree that shares every untouched node with the old one,
 * so readers of the old one are never disturbed, a transaction is a list of changes, and a
 * snapshot is a root id. New nodes stay in memory until `flush` turns them into blocks.
 */
import type { BlockId, BlockStore, GetOptions, StoreOptions } from '../../blocks/index.ts'
import type { ReadEntry } from './entry-in-place.ts'

/**
 * One entry. Key and value may be views of a whole node's bytes: do not change them, and copy
 * what is to be kept for long.
 */
export interface TreeEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** A block this entry points to (an extent's data); listed in clear in its node. */
  readonly link?: BlockId
}

/** Sets an entry, or removes it when `value` is undefined. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
  readonly link?: BlockId
}

/**
 * Ascending keys, each made when it is asked for: it may be the same array with other bytes every
 * time. A list of keys is one.
 */
export interface KeyList {
  readonly length: number
  at(index: number): Uint8Array | undefined
}

export interface ScanRange {
  /** First key, inclusive. Default: the beginning. */
  readonly from?: Uint8Array
  /** End key, exclusive. Default: the end. */
  readonly to?: Uint8Array
}

export interface ScanOptions extends GetOptions {
  /**
   * Fetch the nodes that follow before they are asked for, within the reader's window. For scans
   * that will run to their end (a listing, an export); not for peeking at a first entry.
   */
  readonly readAhead?: boolean
}

export interface Difference {
  readonly key: Uint8Array
  readonly before: TreeEntry | undefined
  readonly after: TreeEntry | undefined
}

export interface Tree {
  /** The root's block id; undefined while there are changes that were not flushed, and for the empty tree. */
  readonly root: BlockId | undefined
  /** Bytes of nodes that exist only in memory: what the next flush will write, about. */
  readonly unflushedBytes: number

  get(key: Uint8Array, options?: StoreOptions): Promise<TreeEntry | undefined>
  /** Looks up many keys, in ascending order, in one pass: nodes on the way are fetched in batches. */
  getMany(keys: readonly Uint8Array[], options?: StoreOptions): Promise<(TreeEntry | undefined)[]>
  /** The same, with what `read` makes of each entry. The order of the keys is not checked. */
  readMany<Result>(
    keys: KeyList,
    read: ReadEntry<Result>,
    options?: StoreOptions
  ): Promise<(Result | undefined)[]>
  /** Entries in key order, a leaf's worth at a time. Never yields an empty batch. */
  scan(range: ScanRange, options?: ScanOptions): AsyncIterable<readonly TreeEntry[]>
  /** The same, with what `read` makes of each entry: for listings of many small ones. */
  readRange<Result>(
    range: ScanRange,
    read: ReadEntry<Result>,
    options?: ScanOptions
  ): AsyncIterable<readonly Result[]>
  /**
   * Applies changes with distinct keys, in ascending key order, in one pass. Gives this same tree
   * when they change nothing. Keys and values are kept, not copied: do not change them afterwards,
   * and do not pass small views of large buffers. Throws `EINVAL` for a key over `KEY_BYTES_MAX`
   * or a value over `VALUE_BYTES_MAX`.
   */
  apply(changes: readonly Change[], options?: StoreOptions): Promise<Tree>
  /**
   * Stores every unflushed node, children before parents, and gives the same tree with its root
   * id. The store is always the one that the tree's reader reads: what one flush stored, no other
   * stores again. When it throws, the tree is as it was.
   */
  flush(
    store: Pick<BlockStore, 'putMany'>,
    options?: StoreOptions
  ): Promise<Tree & { readonly root: BlockId }>
  /** Stores those leaves that are full by now, of which the next flush then has only the names. */
  storeFullLeaves(store: Pick<BlockStore, 'putMany'>): Promise<void>
  /** What changed from `before` to this tree, in key order, skipping equal subtrees. */
  differences(before: Tree, options?: StoreOptions): AsyncIterable<Difference>
  /** Ids of the root, of every node and of every linked block below it, parents first, a block twice where it is linked twice; `enter` returning false skips what is below. Flushed trees only. */
  reachable(
    options?: StoreOptions & { readonly enter?: (id: BlockId) => boolean }
  ): AsyncIterable<readonly BlockId[]>
}
