/**
 * The contract of a volume: one tree of files and directories, addressed by inode number. Paths,
 * mounts and open files are above it; keys, nodes and blocks below.
 *
 * Reading goes through a snapshot, which never changes. Writing goes through a transaction: it
 * reads its own writes, and all of them take effect at once or not at all.
 */
import type { BlockId, ReadKey, ReaderOptions, StoreOptions } from '../../blocks/index.ts'
import type { TypedEventTarget } from '../../peer/index.ts'
import type { VolumeId } from '../heads/head.ts'
import type { ScanOptions, Tree } from '../tree/tree.ts'

/** Files up to this size stand in the tree itself: most files are under 10 KB (mission R40). */
export const INLINE_BYTES_MAX: number = 12 * 1024

/** What files are cut into unless somebody says otherwise. Measured: docs/decisions/009. */
export const EXTENT_BYTES_DEFAULT: number = 128 * 1024

/** Longest name in bytes of UTF-8, as on every Unix. */
export const NAME_BYTES_MAX: number = 255

export const ROOT_INODE: InodeNumber = 1 as InodeNumber

/** Never used again within a volume. The root directory is 1. */
export type InodeNumber = number & { readonly __brand: 'InodeNumber' }

export type InodeType = 'file' | 'directory' | 'symlink'

export interface Inode {
  readonly number: InodeNumber
  /** Sequence of the version that made it: tells a handle from one of an abandoned history. */
  readonly generation: number
  readonly type: InodeType
  /** Permission bits only, e.g. `0o644`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Names that point here; a directory's is 2 + its subdirectories. 0: removed but still open. */
  readonly links: number
  /** Bytes of a file, of a symlink's target; 0 for a directory. */
  readonly size: number
  readonly atimeMs: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly birthtimeMs: number
  /** The directory that holds a directory; itself for the root; 0 for what is not a directory. */
  readonly parent: number
  /** Where a symlink points. */
  readonly target?: string
}

export interface DirectoryEntry {
  readonly name: string
  readonly inode: InodeNumber
  readonly type: InodeType
}

export interface EntryWithInode extends DirectoryEntry {
  readonly attributes: Inode
}

export interface EntryToShow extends DirectoryEntry {
  /** Undefined when there are none, or none that can belong to this entry. */
  readonly attributes: Inode | undefined
}

/** A run of a file's bytes that lives in one block. */
export interface Extent {
  /** Where in the file it begins. */
  readonly offset: number
  /** Its length; what is in the block is exactly this long. */
  readonly length: number
  readonly block: BlockId
}

/** A file's bytes: small ones stand in the tree itself, others in extents. Gaps read as zeros. */
export type Content =
  | { readonly inline: Uint8Array }
  | { readonly extents: AsyncIterable<readonly Extent[]> }

export interface ReadRange extends ReaderOptions {
  /** Default 0. */
  readonly offset?: number
  /** Default: to the end. Less comes when the file ends before. */
  readonly length?: number
}

export interface Snapshot {
  readonly tree: Tree
  inode(number: InodeNumber, options?: StoreOptions): Promise<Inode | undefined>
  /** Many inodes in one pass, in ascending order of their numbers. */
  inodes(numbers: readonly InodeNumber[], options?: StoreOptions): Promise<(Inode | undefined)[]>
  lookup(
    directory: InodeNumber,
    name: string,
    options?: StoreOptions
  ): Promise<DirectoryEntry | undefined>
  /** In byte order of names, in batches, beginning after the name `after`. */
  entries(
    directory: InodeNumber,
    options?: ScanOptions & { readonly after?: string }
  ): AsyncIterable<readonly DirectoryEntry[]>
  /**
   * Names with attributes in one go (READDIRPLUS). An entry whose inode is missing, malformed or
   * somebody else's comes without, so that it does not take the others with it.
   */
  entriesToShow(
    directory: InodeNumber,
    options?: StoreOptions & { readonly after?: string }
  ): AsyncIterable<readonly EntryToShow[]>
  /** The same for who goes on to use them: throws `EPROTO` for an entry whose inode does not fit. */
  entriesWithInodes(
    directory: InodeNumber,
    options?: StoreOptions & { readonly after?: string }
  ): AsyncIterable<readonly EntryWithInode[]>
  content(inode: Inode, options?: ReadRange): Promise<Content>
  /**
   * The bytes of many small files in one pass, in the order of `inodes`; undefined for what is not
   * inline. Ascending inode numbers are one walk of the tree.
   */
  inlineContents(
    inodes: readonly Inode[],
    options?: StoreOptions
  ): Promise<(Uint8Array | undefined)[]>
  /** The bytes of a range, verified, fetching ahead when it is long. Pieces may be views: do not change them. */
  read(inode: Inode, options?: ReadRange): AsyncIterable<Uint8Array>
  attribute(inode: InodeNumber, name: string): Promise<Uint8Array | undefined>
  attributes(inode: InodeNumber): Promise<string[]>
}

/** What may be changed of an inode directly. `links`, `parent` and `size` follow from other verbs. */
export type InodePatch = Partial<
  Pick<Inode, 'mode' | 'uid' | 'gid' | 'atimeMs' | 'mtimeMs' | 'ctimeMs' | 'birthtimeMs'>
>

export interface NewInode {
  readonly type: InodeType
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  readonly atimeMs?: number
  readonly mtimeMs?: number
  readonly birthtimeMs?: number
  /** Required for a symlink. */
  readonly target?: string
  /** The whole content of a file, at most `INLINE_BYTES_MAX`. Default: none. */
  readonly inline?: Uint8Array
}

export interface Transaction extends Snapshot {
  /** Makes an inode under a name. Throws `EEXIST`, `ENOTDIR`, `ENOENT` (no such directory), `ENAMETOOLONG`, `EINVAL` (bad name). */
  create(directory: InodeNumber, name: string, inode: NewInode): Promise<Inode>
  /** Makes a file without a name (links 0), to be filled and then linked; gone after a restart. */
  createUnlinked(inode: NewInode): Promise<Inode>
  /** One more name for a file or symlink. Throws `EEXIST`, `EPERM` (a directory). */
  link(directory: InodeNumber, name: string, inode: InodeNumber): Promise<void>
  /**
   * Removes a name. At the last name the inode goes too, unless `keep` says it is still open: then
   * it stays with no links until `release`. Throws `ENOENT`, `ENOTEMPTY` for a directory with entries.
   */
  unlink(
    directory: InodeNumber,
    name: string,
    options?: { readonly keep?: (inode: InodeNumber) => boolean }
  ): Promise<Inode>
  /** Frees an inode without names. */
  release(inode: InodeNumber): Promise<void>
  /** Moves a name, replacing what is there as POSIX says. Throws `ENOENT`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `EINVAL` (into itself). */
  rename(
    from: { readonly directory: InodeNumber; readonly name: string },
    to: { readonly directory: InodeNumber; readonly name: string },
    options?: { readonly keep?: (inode: InodeNumber) => boolean }
  ): Promise<void>
  patch(inode: InodeNumber, patch: InodePatch): Promise<Inode>
  setAttribute(inode: InodeNumber, name: string, value: Uint8Array | undefined): Promise<void>
  /** The whole content becomes these bytes, which must be at most `INLINE_BYTES_MAX`. Sets mtime and ctime. */
  setInline(inode: InodeNumber, bytes: Uint8Array): Promise<Inode>
  /**
   * Replaces `[from, to)` of a file by extents that lie within it; extents that reach over an edge
   * are not allowed to exist there (`EINVAL`). The size becomes `size`; whatever is beyond it goes.
   */
  setExtents(
    inode: InodeNumber,
    change: {
      readonly from: number
      readonly to: number
      readonly extents: readonly Extent[]
      readonly size: number
    }
  ): Promise<Inode>
  /** Makes `to` have exactly the content of `from`, by reference: no bytes are moved. */
  shareContent(from: InodeNumber, to: InodeNumber): Promise<Inode>
}

export interface StoredExtents extends AsyncIterable<readonly Extent[]> {
  /** The extents are in the tree, or given up. Call it always, in a `finally`. Idempotent. */
  done(): void
}

export interface VolumeEvents {
  /** The current version changed: by an update here, or because a newer head was learned. */
  change: Event
}

export interface Volume {
  readonly id: VolumeId
  readonly writable: boolean
  /** What opens its blocks, when it is sealed; undefined also when it is not known here. */
  readonly readKey: ReadKey | undefined
  readonly events: TypedEventTarget<VolumeEvents>
  /** The newest version this volume may show now. A followed volume may ask the network first. */
  snapshot(options?: StoreOptions): Promise<Snapshot>
  /**
   * Runs work in a transaction, one at a time per volume. Its changes are visible when this
   * resolves and durable after `sync` (or a moment later by themselves). When work throws, nothing
   * has changed. Throws `EROFS` on a volume that is not ours.
   */
  update<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>
  /**
   * Cuts bytes into blocks and stores them, ready for `setExtents`, in bounded batches in order;
   * `offset` is where in the file the first byte stands. Outside any transaction, so that a long
   * file holds nobody up. The blocks are safe from collection until `done` is called.
   */
  storeExtents(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: StoreOptions & { readonly offset: number }
  ): StoredExtents
  /** Resolves when everything updated before survives a crash. */
  sync(): Promise<void>
  /** Syncs and lets go. Idempotent. */
  close(): Promise<void>
}
