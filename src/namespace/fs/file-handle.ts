/** The contract of an open file: `FileHandle` of `node:fs/promises`. */
import type { EncodingOption, TextEncoding } from './text.ts'
import type { BigIntStats, Stats } from './stats.ts'

/** Seconds since 1970 (a number or numeric text), or a date. */
export type TimeLike = number | string | Date

/** What may be written: text, bytes, or a source of either that is never held whole in memory. */
export type WritableContent =
  | string
  | ArrayBufferView
  | AsyncIterable<string | ArrayBufferView>
  | Iterable<string | ArrayBufferView>

export interface CancelOptions {
  readonly signal?: AbortSignal | undefined
}

export interface EncodingOptions {
  readonly encoding?: EncodingOption | undefined
}

export interface StatOptions extends CancelOptions {
  readonly bigint?: boolean | undefined
}

export interface ReadOptions<Buffer extends ArrayBufferView> {
  /** Default: a new one of 16 KiB. */
  readonly buffer?: Buffer | undefined
  /** Where in the buffer the bytes go. Default 0. */
  readonly offset?: number | null | undefined
  /** Bytes wanted. Default: what the buffer has left. */
  readonly length?: number | null | undefined
  /** Where in the file; null (the default) and -1 read on from the handle's own position. */
  readonly position?: number | bigint | null | undefined
}

export interface WriteOptions {
  readonly offset?: number | null | undefined
  readonly length?: number | null | undefined
  /** Null (the default) writes on at the handle's own position. */
  readonly position?: number | null | undefined
}

export interface ReadStreamOptions extends CancelOptions {
  /** First byte. Default: 0 for a path, the handle's position for a handle. */
  readonly start?: number | undefined
  /** Last byte, inclusive. Default: the end. */
  readonly end?: number | undefined
  /** Longest piece, in bytes. Default `PIECE_BYTES`. */
  readonly highWaterMark?: number | undefined
}

export interface WriteStreamOptions extends CancelOptions {
  /** Where to begin writing. Default: 0 for a path, the handle's position for a handle. */
  readonly start?: number | undefined
  /** Closing resolves only when everything survives a crash. */
  readonly flush?: boolean | undefined
}

/**
 * An open file. Writes are buffered and seen at once by everyone in this process; they reach the
 * volume at a threshold, on `sync`, on `close`, and by themselves about a second later. A write
 * that could not be stored is reported by the next write, sync or close, and its bytes are kept.
 *
 * On a volume that others write, the handle stays with the version it was opened on.
 */
export interface SyncOptions extends CancelOptions {
  /** How many peers are to have the file on disk, this one among them. Default 1. */
  readonly durable?: number | undefined
}

export interface FileHandle extends AsyncDisposable {
  /** Tells this handle from the other open ones. */
  readonly fd: number

  read<Buffer extends ArrayBufferView>(
    buffer: Buffer,
    offset?: number | null,
    length?: number | null,
    position?: number | bigint | null
  ): Promise<{ bytesRead: number; buffer: Buffer }>
  read<Buffer extends ArrayBufferView = Uint8Array>(
    buffer: Buffer,
    options?: Omit<ReadOptions<Buffer>, 'buffer'>
  ): Promise<{ bytesRead: number; buffer: Buffer }>
  read<Buffer extends ArrayBufferView = Uint8Array>(
    options?: ReadOptions<Buffer>
  ): Promise<{ bytesRead: number; buffer: Buffer }>
  readv<Buffers extends readonly ArrayBufferView[]>(
    buffers: Buffers,
    position?: number | null
  ): Promise<{ bytesRead: number; buffers: Buffers }>

  write<Buffer extends ArrayBufferView>(
    buffer: Buffer,
    offset?: number | null,
    length?: number | null,
    position?: number | null
  ): Promise<{ bytesWritten: number; buffer: Buffer }>
  write<Buffer extends ArrayBufferView>(
    buffer: Buffer,
    options?: WriteOptions
  ): Promise<{ bytesWritten: number; buffer: Buffer }>
  write(
    text: string,
    position?: number | null,
    encoding?: TextEncoding | null
  ): Promise<{ bytesWritten: number; buffer: string }>
  writev<Buffers extends readonly ArrayBufferView[]>(
    buffers: Buffers,
    position?: number | null
  ): Promise<{ bytesWritten: number; buffers: Buffers }>

  /** Everything from the handle's position to the end. */
  readFile(options?: (CancelOptions & { encoding?: null | 'buffer' }) | null): Promise<Uint8Array>
  readFile(options: (CancelOptions & { encoding: TextEncoding }) | TextEncoding): Promise<string>
  /** Writes from the handle's position on; what stands behind it stays. */
  writeFile(
    data: WritableContent,
    options?: (CancelOptions & EncodingOptions) | TextEncoding | null
  ): Promise<void>
  appendFile(
    data: WritableContent,
    options?: (CancelOptions & EncodingOptions) | TextEncoding | null
  ): Promise<void>

  stat(options?: StatOptions & { bigint?: false }): Promise<Stats>
  stat(options: StatOptions & { bigint: true }): Promise<BigIntStats>
  /** `length` in bytes, default 0; a longer file gets zeros. */
  truncate(length?: number): Promise<void>
  chmod(mode: number | string): Promise<void>
  chown(uid: number, gid: number): Promise<void>
  utimes(atime: TimeLike, mtime: TimeLike): Promise<void>

  /**
   * Resolves when everything written survives a crash; with `durable`, when so many peers have the
   * file on disk. Copies are those of the path that was opened: throws `ESTALE` when another file, or
   * none, is there by now, and else as `replication.durable` does.
   */
  sync(options?: SyncOptions): Promise<void>
  datasync(options?: SyncOptions): Promise<void>
  /** Stores what is buffered and lets go. Closing twice is harmless. */
  close(): Promise<void>

  /** `Readable.fromWeb` makes a Node stream of it. The handle is closed at its end. */
  createReadStream(options?: ReadStreamOptions): ReadableStream<Uint8Array>
  /** `Writable.fromWeb` makes a Node stream of it. The handle is closed at its end. */
  createWriteStream(options?: WriteStreamOptions): WritableStream<Uint8Array | string>
  /** The handle stays open at its end, unless `autoClose` is set. */
  readableWebStream(options?: { readonly autoClose?: boolean }): ReadableStream<Uint8Array>
}
