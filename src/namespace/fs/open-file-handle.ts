/** A handle: a position in an open file, and what may be done with it. */
import { WarrenError } from '../../errors.ts'
import { Turns } from '../volume/turns.ts'
import type { InodePatch, Volume } from '../volume/volume.ts'
import { parseMode, parseTime, requireCopies, textEncoding, withEncoding } from './arguments.ts'
import { piecesOf, toSource, viewBytes } from './content-source.ts'
import type { FileSystemContext } from './context.ts'
import type {
  CancelOptions,
  EncodingOptions,
  FileHandle,
  ReadOptions,
  ReadStreamOptions,
  StatOptions,
  SyncOptions,
  TimeLike,
  WritableContent,
  WriteOptions,
  WriteStreamOptions
} from './file-handle.ts'
import { attempt } from './failures.ts'
import type { FileView } from './file-view.ts'
import { readRest } from './file-view.ts'
import type { OpenMode } from './flags.ts'
import { filePosition, range, readOptions, writeArguments } from './handle-arguments.ts'
import { HandleReader } from './handle-reader.ts'
import { readStream, writeStream } from './handle-streams.ts'
import type { OpenFile } from './open-file.ts'
import { resolveName } from './resolve.ts'
import { BigIntStats, Stats } from './stats.ts'
import type { EncodingOption, TextEncoding } from './text.ts'
import { inEncoding } from './text.ts'

/** What `read` makes when it is given no buffer. */
const READ_BUFFER_BYTES = 16 * 1024

/** Below these numbers processes have their standard streams. */
let nextDescriptor = 3

/** What a handle is open on: a file shared with others here, or one version of someone else's. */
export type HandleSource = { readonly file: OpenFile } | { readonly pinned: FileView }

export class OpenFileHandle implements FileHandle {
  readonly fd: number = nextDescriptor++
  readonly #context: FileSystemContext
  readonly #path: string
  readonly #volume: Volume
  readonly #source: HandleSource
  readonly #mode: OpenMode
  /** Reads and writes at the handle's own position happen one after the other. */
  readonly #turns = new Turns()
  #position = 0
  #closing: Promise<void> | undefined
  readonly #reader = new HandleReader()

  constructor(
    context: FileSystemContext,
    opened: {
      readonly path: string
      readonly volume: Volume
      readonly source: HandleSource
      readonly mode: OpenMode
    }
  ) {
    this.#context = context
    this.#path = opened.path
    this.#volume = opened.volume
    this.#source = opened.source
    this.#mode = opened.mode
  }

  read<Buffer extends ArrayBufferView>(
    first?: Buffer | ReadOptions<Buffer>,
    second?: number | null | Omit<ReadOptions<Buffer>, 'buffer'>,
    length?: number | null,
    position?: number | bigint | null
  ): Promise<{ bytesRead: number; buffer: Buffer }> {
    const options = readOptions(first, second, { length, position })
    const buffer =
      options.buffer ?? (new Uint8Array(READ_BUFFER_BYTES) as ArrayBufferView as Buffer)
    const target = range(viewBytes(buffer), options)
    return this.#attempt('read', async () => {
      this.#expect(this.#mode.read)
      const bytesRead = await this.#readAt(target, filePosition(options.position))
      return { bytesRead, buffer }
    })
  }

  readv<Buffers extends readonly ArrayBufferView[]>(
    buffers: Buffers,
    position?: number | null
  ): Promise<{ bytesRead: number; buffers: Buffers }> {
    return this.#attempt('read', async () => {
      this.#expect(this.#mode.read)
      let bytesRead = 0
      for (const buffer of buffers) {
        const target = viewBytes(buffer)
        const at = typeof position === 'number' ? position + bytesRead : undefined
        const read = await this.#readAt(target, at)
        bytesRead += read
        if (read < target.length) break
      }
      return { bytesRead, buffers }
    })
  }

  write<Data extends ArrayBufferView | string>(
    data: Data,
    second?: number | null | WriteOptions,
    third?: number | null | TextEncoding,
    position?: number | null
  ): Promise<{ bytesWritten: number; buffer: Data }> {
    const { bytes, at } = writeArguments(data, second, third, position)
    return this.#attempt('write', async () => {
      this.#expect(this.#mode.write)
      await this.#writeAt(bytes, at)
      return { bytesWritten: bytes.length, buffer: data }
    })
  }

  writev<Buffers extends readonly ArrayBufferView[]>(
    buffers: Buffers,
    position?: number | null
  ): Promise<{ bytesWritten: number; buffers: Buffers }> {
    return this.#attempt('write', async () => {
      this.#expect(this.#mode.write)
      let bytesWritten = 0
      for (const buffer of buffers) {
        const bytes = viewBytes(buffer)
        await this.#writeAt(
          bytes,
          typeof position === 'number' ? position + bytesWritten : undefined
        )
        bytesWritten += bytes.length
      }
      return { bytesWritten, buffers }
    })
  }

  async readFile(
    options?: (CancelOptions & EncodingOptions) | EncodingOption
  ): Promise<Uint8Array & string> {
    const { encoding, signal } = withEncoding<CancelOptions & EncodingOptions>(options)
    const bytes = await this.#attempt('read', async () => {
      this.#expect(this.#mode.read)
      return await this.#turns.take(async () => {
        const view = await this.#view()
        const bytes = await readRest(view, this.#position, signal)
        this.#position += bytes.length
        return bytes
      })
    })
    return inEncoding(bytes, encoding) as Uint8Array & string
  }

  async writeFile(
    data: WritableContent,
    options?: (CancelOptions & EncodingOptions) | EncodingOption
  ): Promise<void> {
    const { encoding, signal } = withEncoding<CancelOptions & EncodingOptions>(options)
    const source = toSource(data, textEncoding(encoding))
    await this.#attempt('write', async () => {
      this.#expect(this.#mode.write)
      // Bytes in memory are one write, so that appending them is one step.
      if (source instanceof Uint8Array) return await this.#writeAt(source, undefined)
      for await (const piece of piecesOf(source, signal)) await this.#writeAt(piece, undefined)
    })
  }

  appendFile(
    data: WritableContent,
    options?: (CancelOptions & EncodingOptions) | EncodingOption
  ): Promise<void> {
    return this.writeFile(data, options)
  }

  stat(options: StatOptions = {}): Promise<Stats & BigIntStats> {
    return this.#attempt('fstat', async () => {
      const stats = new Stats((await this.#view(options)).inode, this.#volume.id)
      return (options.bigint === true ? new BigIntStats(stats) : stats) as Stats & BigIntStats
    })
  }

  truncate(length = 0): Promise<void> {
    return this.#attempt('ftruncate', async () => {
      if (!this.#mode.write) throw new WarrenError('EINVAL')
      await this.#file().truncate(Math.max(0, Math.trunc(length)))
      if (this.#mode.sync) await this.#sync()
    })
  }

  chmod(mode: number | string): Promise<void> {
    const bits = parseMode(mode, 0)
    return this.#attempt('fchmod', () => this.#patch({ mode: bits }))
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#attempt('fchown', () =>
      this.#patch({ ...(uid < 0 ? {} : { uid }), ...(gid < 0 ? {} : { gid }) })
    )
  }

  utimes(atime: TimeLike, mtime: TimeLike): Promise<void> {
    const patch = { atimeMs: parseTime(atime), mtimeMs: parseTime(mtime) }
    return this.#attempt('futime', () => this.#patch(patch))
  }

  sync(options?: SyncOptions): Promise<void> {
    return this.#attempt('fsync', () => this.#syncAt(options))
  }

  datasync(options?: SyncOptions): Promise<void> {
    return this.#attempt('fdatasync', () => this.#syncAt(options))
  }

  close(): Promise<void> {
    this.#closing ??= attempt({ syscall: 'close' }, async () => {
      await this.#turns.take(() => this.#reader.close())
      if ('file' in this.#source) await this.#context.files.release(this.#source.file)
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  createReadStream(options: ReadStreamOptions = {}): ReadableStream<Uint8Array> {
    return readStream(async () => this, { ...options, autoClose: true })
  }

  createWriteStream(options: WriteStreamOptions = {}): WritableStream<Uint8Array | string> {
    return writeStream(async () => this, options)
  }

  readableWebStream(options: { readonly autoClose?: boolean } = {}): ReadableStream<Uint8Array> {
    return readStream(async () => this, { autoClose: options.autoClose ?? false })
  }

  /** One moment of the file, for streams that show it to its end. */
  view(options?: CancelOptions): Promise<FileView> {
    return this.#attempt('read', async () => {
      this.#expect(this.#mode.read)
      return await this.#view(options)
    })
  }

  /** The handle's own position. */
  get position(): number {
    return this.#position
  }

  async #attempt<Result>(syscall: string, work: () => Promise<Result>): Promise<Result> {
    return await attempt({ syscall }, async () => {
      if (this.#closing !== undefined) throw new WarrenError('EBADF', { message: 'file closed' })
      return await work()
    })
  }

  #expect(allowed: boolean): void {
    if (!allowed) throw new WarrenError('EBADF')
  }

  /** The shared file. A handle that has none was not opened for writing. */
  #file(): OpenFile {
    if ('pinned' in this.#source) throw new WarrenError('EROFS')
    return this.#source.file
  }

  async #view({ signal }: CancelOptions = {}): Promise<FileView> {
    if ('pinned' in this.#source) return this.#source.pinned
    return await this.#source.file.view(signal === undefined ? {} : { signal })
  }

  async #readAt(target: Uint8Array, position: number | undefined): Promise<number> {
    if (position !== undefined) return await this.#reader.read(await this.#view(), target, position)
    return await this.#turns.take(async () => {
      const read = await this.#reader.read(await this.#view(), target, this.#position)
      this.#position += read
      return read
    })
  }

  async #writeAt(bytes: Uint8Array, position: number | undefined): Promise<void> {
    if (bytes.length === 0) return
    const file = this.#file()
    if (this.#mode.append) await this.#append(file, bytes)
    else if (position !== undefined) await file.write(bytes, position)
    else {
      await this.#turns.take(async () => {
        await file.write(bytes, this.#position)
        this.#position += bytes.length
      })
    }
    if (this.#mode.sync) await this.#sync()
  }

  /** Every write of an appending handle goes to the end, wherever it says it should. */
  async #append(file: OpenFile, bytes: Uint8Array): Promise<void> {
    await this.#turns.take(async () => {
      this.#position = (await file.write(bytes, 'end')) + bytes.length
    })
  }

  async #patch(patch: InodePatch): Promise<void> {
    const file = this.#file()
    // What is buffered brings its own time of change: it goes first.
    await file.store()
    await this.#volume.update(transaction => transaction.patch(file.number, patch))
  }

  async #syncAt({ durable = 1, signal }: SyncOptions = {}): Promise<void> {
    requireCopies(durable)
    await this.#sync()
    if (durable <= 1) return
    await this.#requirePath()
    await this.#context.durable(this.#path, { copies: durable, ...(signal && { signal }) })
    // What was waited for is what was there then.
    await this.#requirePath()
  }

  async #requirePath(): Promise<void> {
    const { number } = 'pinned' in this.#source ? this.#source.pinned.inode : this.#source.file
    const place = await resolveName(this.#context, this.#path, { follow: true })
    const found = place.name === undefined ? place.inode : place.entry?.inode
    if (place.mounted.volume === this.#volume && found === number) return
    throw new WarrenError('ESTALE')
  }

  async #sync(): Promise<void> {
    if ('pinned' in this.#source) return
    await this.#source.file.store()
    await this.#volume.sync()
  }
}
