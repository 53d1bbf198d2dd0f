/**
 * The contract of the file system that applications see: the shape of `node:fs/promises`, over
 * the whole namespace. Code written for the one runs on the other; errors have Node's `code`,
 * `errno`, `syscall`, `path` and `dest`.
 *
 * What differs: bytes come as `Uint8Array` and not as its subclass `Buffer`; streams are
 * `ReadableStream` and `WritableStream`; a relative path begins at the root; whole-file writes
 * take effect at once or not at all; permission bits are kept and reported but do not stop the
 * owner of a volume, as they do not stop a superuser.
 */
import type { FileSystemConstants } from './constants.ts'
import type { OpeningDirectory } from './directory.ts'
import type { Dirent, DirentWithStats } from './dirent.ts'
import type {
  CancelOptions,
  EncodingOptions,
  FileHandle,
  ReadStreamOptions,
  StatOptions,
  TimeLike,
  WritableContent,
  WriteStreamOptions
} from './file-handle.ts'
import type { PathLike } from './paths.ts'
import type { BigIntStats, Stats } from './stats.ts'
import type { EncodingOption, TextEncoding } from './text.ts'

export interface ReadFileOptions extends CancelOptions, EncodingOptions {
  /** Default `'r'`. */
  readonly flag?: string | number | undefined
}

export interface WriteFileOptions extends CancelOptions, EncodingOptions {
  /** Permission bits of a new file, less the umask. Default `0o666`. */
  readonly mode?: number | string | undefined
  /** Default `'w'`; for `appendFile` `'a'`. */
  readonly flag?: string | number | undefined
  /** Resolve only when the bytes survive a crash. Default false. */
  readonly flush?: boolean | undefined
  /**
   * Resolve only when so many peers have the file on disk, this one among them: 1 is what `flush` is.
   * With more it is what `replication.durable` is, and throws as that does: the file is written then,
   * and has fewer copies. For the own volume. Default 0.
   */
  readonly durable?: number | undefined
}

export interface MakeDirectoryOptions extends CancelOptions {
  /** Make missing parents too, and be content with a directory that is there. Default false. */
  readonly recursive?: boolean | undefined
  /** Permission bits, less the umask. Default `0o777`. */
  readonly mode?: number | string | undefined
}

export interface ReadDirectoryOptions extends CancelOptions, EncodingOptions {
  readonly withFileTypes?: boolean | undefined
  /**
   * Entries with their attributes, which costs little more than their names: a `stat` for each is a
   * walk along its path. Implies `withFileTypes`. Default false.
   */
  readonly withStats?: boolean | undefined
  /** Everything below, as paths relative to the directory. Default false. */
  readonly recursive?: boolean | undefined
}

export interface OpenDirectoryOptions extends CancelOptions {
  readonly recursive?: boolean | undefined
  /** Entries with their attributes. Default false. */
  readonly withStats?: boolean | undefined
}

export interface RemoveOptions extends CancelOptions {
  /** Remove a directory with all that is in it. Default false. */
  readonly recursive?: boolean | undefined
  /** Be content when nothing is there. Default false. */
  readonly force?: boolean | undefined
}

export interface CopyOptions extends CancelOptions {
  /** Copy what symbolic links point to. Default false. */
  readonly dereference?: boolean | undefined
  /** With `force: false`, fail when something is there already. Default false. */
  readonly errorOnExist?: boolean | undefined
  /** Replace files that are there. Default true. */
  readonly force?: boolean | undefined
  /** Copies what it says true to; a directory it refuses is skipped with all that is in it. */
  readonly filter?:
    | ((source: string, destination: string) => boolean | Promise<boolean>)
    | undefined
  /** `COPYFILE_EXCL` fails for each file that is there. Default 0. */
  readonly mode?: number | undefined
  readonly preserveTimestamps?: boolean | undefined
  /** Needed to copy a directory. Default false. */
  readonly recursive?: boolean | undefined
  /** Keep the targets of relative links as they are written. Default false: make them absolute. */
  readonly verbatimSymlinks?: boolean | undefined
}

export interface WatchOptions extends CancelOptions {
  /** Watch all that is below, without crossing mounts. Default false. */
  readonly recursive?: boolean | undefined
  /** Events kept for a slow reader. Default `WATCH_EVENTS_MAX`. */
  readonly maxQueue?: number | undefined
}

/**
 * `rename`: a name appeared or disappeared. `change`: bytes or attributes changed. `overflow`:
 * events were dropped because the reader was too slow; look at everything again.
 */
export interface WatchEvent {
  readonly eventType: 'rename' | 'change' | 'overflow'
  /** Relative to what is watched; null for an overflow. */
  readonly filename: string | null
}

export interface FileSystem {
  readonly constants: FileSystemConstants
  /** Itself, for code that expects `fs.promises`. */
  readonly promises: FileSystem

  readFile(
    path: PathLike | FileHandle,
    options?: (ReadFileOptions & { encoding?: null | 'buffer' | undefined }) | 'buffer' | null
  ): Promise<Uint8Array>
  readFile(
    path: PathLike | FileHandle,
    options: (ReadFileOptions & { encoding: TextEncoding }) | TextEncoding
  ): Promise<string>
  readFile(
    path: PathLike | FileHandle,
    options?: ReadFileOptions | EncodingOption
  ): Promise<Uint8Array | string>
  /**
   * Replaces the whole content, or makes the file. Readers see the old or the new content, never
   * half; other names of the file see it too. Long sources are never whole in memory; buffers they
   * yield must not be used again.
   */
  writeFile(
    path: PathLike | FileHandle,
    data: WritableContent,
    options?: WriteFileOptions | TextEncoding | null
  ): Promise<void>
  /** Appends from several callers land one after the other. */
  appendFile(
    path: PathLike | FileHandle,
    data: WritableContent,
    options?: WriteFileOptions | TextEncoding | null
  ): Promise<void>
  truncate(path: PathLike, length?: number): Promise<void>
  /** Copies by reference within a volume: no bytes are moved. */
  copyFile(source: PathLike, destination: PathLike, mode?: number): Promise<void>
  cp(source: string | URL, destination: string | URL, options?: CopyOptions): Promise<void>

  open(path: PathLike, flags?: string | number, mode?: number | string): Promise<FileHandle>
  /** `Readable.fromWeb` makes a Node stream of it. Reads one version of the file to its end. */
  createReadStream(path: PathLike, options?: ReadStreamOptions): ReadableStream<Uint8Array>
  /** `Writable.fromWeb` makes a Node stream of it. */
  createWriteStream(
    path: PathLike,
    options?: WriteStreamOptions & {
      /** Default `'w'`, with `start` `'r+'`. */
      readonly flags?: string | undefined
      readonly mode?: number | undefined
    }
  ): WritableStream<Uint8Array | string>

  /** With `recursive` gives the first directory made, if any. */
  mkdir(
    path: PathLike,
    options: MakeDirectoryOptions & { recursive: true }
  ): Promise<string | undefined>
  mkdir(
    path: PathLike,
    options?: (MakeDirectoryOptions & { recursive?: false }) | number | string | null
  ): Promise<undefined>
  mkdir(
    path: PathLike,
    options?: MakeDirectoryOptions | number | string | null
  ): Promise<string | undefined>
  /** Makes a directory whose name is `prefix` and six random characters; gives its path. */
  mkdtemp(prefix: PathLike): Promise<string>
  readdir(
    path: PathLike,
    options?:
      | (ReadDirectoryOptions & {
          encoding?: TextEncoding | null
          withFileTypes?: false
          withStats?: false
        })
      | TextEncoding
      | null
  ): Promise<string[]>
  readdir(
    path: PathLike,
    options:
      | (ReadDirectoryOptions & { encoding: 'buffer'; withFileTypes?: false; withStats?: false })
      | 'buffer'
  ): Promise<Uint8Array[]>
  readdir(
    path: PathLike,
    options: ReadDirectoryOptions & {
      encoding?: TextEncoding | null
      withFileTypes: true
      withStats?: false
    }
  ): Promise<Dirent[]>
  /**
   * With attributes, as `lstat` would tell them: symbolic links are not followed. An entry that has
   * none that can be had does not keep the others from being listed; its `stats` are undefined.
   *
   * @example
   * for (const { name, stats } of await warren.fs.readdir('/photos', { withStats: true })) {
   *   if (stats !== undefined) sizes.set(name, stats.size)
   * }
   */
  readdir(
    path: PathLike,
    options: ReadDirectoryOptions & { encoding?: TextEncoding | null; withStats: true }
  ): Promise<DirentWithStats[]>
  /**
   * Lists in batches: however large the directory is, only a batch is in memory. May be iterated
   * without awaiting it.
   *
   * @example
   * for await (const entry of warren.fs.opendir('/photos')) names.push(entry.name)
   */
  opendir(path: PathLike, options?: OpenDirectoryOptions & { withStats?: false }): OpeningDirectory
  opendir(
    path: PathLike,
    options: OpenDirectoryOptions & { withStats: true }
  ): OpeningDirectory<DirentWithStats>

  stat(path: PathLike, options?: StatOptions & { bigint?: false | undefined }): Promise<Stats>
  stat(path: PathLike, options: StatOptions & { bigint: true }): Promise<BigIntStats>
  lstat(path: PathLike, options?: StatOptions & { bigint?: false | undefined }): Promise<Stats>
  lstat(path: PathLike, options: StatOptions & { bigint: true }): Promise<BigIntStats>
  /** Throws `ENOENT`, `EROFS` (for `W_OK`) or `EACCES` (`X_OK` on a file nobody may execute). */
  access(path: PathLike, mode?: number): Promise<void>
  /**
   * False as well when the path leads through something that is no directory. Throws when it can not
   * be known, because a peer is out of reach.
   */
  exists(path: PathLike): Promise<boolean>
  utimes(path: PathLike, atime: TimeLike, mtime: TimeLike): Promise<void>
  lutimes(path: PathLike, atime: TimeLike, mtime: TimeLike): Promise<void>
  chmod(path: PathLike, mode: number | string): Promise<void>
  chown(path: PathLike, uid: number, gid: number): Promise<void>
  lchown(path: PathLike, uid: number, gid: number): Promise<void>

  rename(from: PathLike, to: PathLike): Promise<void>
  unlink(path: PathLike): Promise<void>
  rmdir(path: PathLike): Promise<void>
  rm(path: PathLike, options?: RemoveOptions): Promise<void>
  link(existing: PathLike, path: PathLike): Promise<void>
  symlink(target: PathLike, path: PathLike, type?: string | null): Promise<void>
  readlink(
    path: PathLike,
    options?: { encoding?: TextEncoding | null } | TextEncoding | null
  ): Promise<string>
  readlink(path: PathLike, options: { encoding: 'buffer' } | 'buffer'): Promise<Uint8Array>
  realpath(
    path: PathLike,
    options?: { encoding?: TextEncoding | null } | TextEncoding | null
  ): Promise<string>
  realpath(path: PathLike, options: { encoding: 'buffer' } | 'buffer'): Promise<Uint8Array>

  /** A user-defined attribute's value; undefined when it is not set. */
  getAttribute(
    path: PathLike,
    name: string,
    options?: CancelOptions
  ): Promise<Uint8Array | undefined>
  setAttribute(path: PathLike, name: string, value: Uint8Array | string): Promise<void>
  removeAttribute(path: PathLike, name: string): Promise<void>
  listAttributes(path: PathLike, options?: CancelOptions): Promise<string[]>

  /** Changes made here and by others. Ends when the signal is aborted or the loop is left. */
  watch(path: PathLike, options?: WatchOptions): AsyncIterable<WatchEvent>

  /** Stores what open files have buffered. Not yet a guarantee against a crash: see `sync`. */
  flush(): Promise<void>
  /** Resolves when everything written anywhere in the namespace survives a crash. */
  sync(): Promise<void>
}
