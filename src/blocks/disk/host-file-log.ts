/**
 * The log of host-file records on disk: only ever appended to, read back at any position, replayed
 * when opened.
 *
 *     log = "warren refs\n" version:u32 frame*        frames: see host-file-records.ts
 *
 * A crash can leave a torn frame at the end. Replaying stops at the first frame that is not whole or
 * not right and cuts the log there: what is lost is the knowledge of some references, which indexing
 * the host files again brings back.
 */
import type { FileHandle } from 'node:fs/promises'
import { constants, open } from 'node:fs/promises'
import type { HostFileRecord } from './host-file-records.ts'
import { BODY_BYTES_MAX, bodyLengthOf, decodeFrame, FRAME_HEAD_BYTES } from './host-file-records.ts'
import { toWarrenError } from './system-error.ts'
import { WarrenError } from '../../errors.ts'

const VERSION = 1
const HEADER = new Uint8Array([...new TextEncoder().encode('warren refs\n'), VERSION, 0, 0, 0])
const VERSION_AT = 12

/** Most `file` records are shorter, so that most reads are one. */
const FIRST_READ_BYTES = 256
/** Holds the longest frame several times over, so that replaying re-reads little. */
const REPLAY_BYTES = 8 * (FRAME_HEAD_BYTES + BODY_BYTES_MAX)

export class HostFileLog {
  readonly path: string
  readonly #file: FileHandle
  /** Where the next frame goes. */
  #length: number
  /** How much is known to be on the disk; nothing, of a log just opened. */
  #syncedLength = -1
  readonly #reading = new Set<Promise<unknown>>()

  private constructor(path: string, file: FileHandle, length: number) {
    this.path = path
    this.#file = file
    this.#length = length
  }

  /** Throws `ENOTSUP` for a log of a later version and `EINVAL` for a file that is no log. */
  static async open(path: string): Promise<HostFileLog> {
    const file = await openFile(path, constants.O_RDWR | constants.O_CREAT)
    try {
      await checkHeader(path, file)
      const { size } = await file.stat()
      return new HostFileLog(path, file, size)
    } catch (cause) {
      await file.close()
      throw toWarrenError(cause, { syscall: 'read', path })
    }
  }

  /** Begins an empty log, whatever was there, which is to have the name `path` in the end. */
  static async create(temporaryPath: string, path: string): Promise<HostFileLog> {
    const file = await openFile(
      temporaryPath,
      constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC
    )
    const log = new HostFileLog(path, file, 0)
    try {
      await log.append([HEADER])
      return log
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get length(): number {
    return this.#length
  }

  /**
   * Calls `apply` for every record in order and cuts off what follows the first one that is
   * damaged, or that `apply` refuses by returning `false`.
   */
  async replay(
    apply: (record: HostFileRecord, position: number) => Promise<boolean>
  ): Promise<void> {
    const buffer = new Uint8Array(Math.min(REPLAY_BYTES, this.#length))
    let position = HEADER.length
    while (position < this.#length) {
      const filled = await readFully(this.#file, buffer, position)
      let at = 0
      for (;;) {
        const frame = frameAt(buffer.subarray(at, filled))
        const record = frame && decodeFrame(frame)
        if (frame === undefined || record === undefined) break
        if (!(await apply(record, position + at))) break
        at += frame.length
      }
      if (at === 0) break
      position += at
    }
    if (position < this.#length) await this.#cut(position)
  }

  /** Reads the record at a position. `undefined` when there is none or it is damaged. */
  read(position: number): Promise<HostFileRecord | undefined> {
    const reading = this.#read(position).catch(cause => {
      throw toWarrenError(cause, { syscall: 'read', path: this.path })
    })
    const done: Promise<unknown> = reading.catch(() => {}).finally(() => this.#reading.delete(done))
    this.#reading.add(done)
    return reading
  }

  /** Appends frames in one write and returns the position of the first. On failure nothing was appended. */
  async append(frames: readonly Uint8Array[]): Promise<number> {
    const position = this.#length
    let length = 0
    for (const frame of frames) length += frame.length
    try {
      const { bytesWritten } = await this.#file.writev([...frames], position)
      if (bytesWritten !== length) throw new WarrenError('ENOSPC', { path: this.path })
    } catch (cause) {
      await this.#cut(position).catch(() => {})
      throw toWarrenError(cause, { syscall: 'write', path: this.path })
    }
    this.#length += length
    return position
  }

  async sync(): Promise<void> {
    if (this.#syncedLength === this.#length) return
    const length = this.#length
    try {
      await this.#file.datasync()
      this.#syncedLength = length
    } catch (cause) {
      throw toWarrenError(cause, { syscall: 'fsync', path: this.path })
    }
  }

  /** Waits for reads under way. */
  async close(): Promise<void> {
    await Promise.all(this.#reading)
    await this.#file.close()
  }

  async #read(position: number): Promise<HostFileRecord | undefined> {
    let buffer = new Uint8Array(FIRST_READ_BYTES)
    const filled = await readFully(this.#file, buffer, position)
    if (filled < FRAME_HEAD_BYTES) return undefined
    const bodyLength = bodyLengthOf(buffer)
    if (bodyLength === undefined) return undefined
    const length = FRAME_HEAD_BYTES + bodyLength
    if (length > filled) {
      buffer = new Uint8Array(length)
      if ((await readFully(this.#file, buffer, position)) < length) return undefined
    }
    return decodeFrame(buffer.subarray(0, length))
  }

  async #cut(length: number): Promise<void> {
    await this.#file.truncate(length)
    this.#length = length
    this.#syncedLength = -1
  }
}

async function openFile(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600)
  } catch (cause) {
    throw toWarrenError(cause, { syscall: 'open', path })
  }
}

/** A file shorter than the header was being made when the power went. */
async function checkHeader(path: string, file: FileHandle): Promise<void> {
  const header = new Uint8Array(HEADER.length)
  const filled = await readFully(file, header, 0)
  if (filled < HEADER.length) {
    await file.truncate(0)
    await file.write(HEADER, 0, HEADER.length, 0)
    return
  }
  const isLog = HEADER.subarray(0, VERSION_AT).every((byte, index) => header[index] === byte)
  if (!isLog) throw new WarrenError('EINVAL', { message: 'not a log of host files', path })
  const version = new DataView(header.buffer).getUint32(VERSION_AT, true)
  if (version !== VERSION) {
    const message = `a log of version ${version}, this library reads ${VERSION}`
    throw new WarrenError('ENOTSUP', { message, path })
  }
}

/** The whole frame that the bytes begin with. */
function frameAt(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < FRAME_HEAD_BYTES) return undefined
  const bodyLength = bodyLengthOf(bytes)
  if (bodyLength === undefined || bytes.length < FRAME_HEAD_BYTES + bodyLength) return undefined
  return bytes.subarray(0, FRAME_HEAD_BYTES + bodyLength)
}

/** Fills the buffer from a position on, as far as the file goes. */
export async function readFully(
  file: FileHandle,
  buffer: Uint8Array,
  position: number
): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
