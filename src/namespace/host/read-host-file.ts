/** Reads files of the host, and notices when one changes under the reading. */
import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { WarrenError } from '../../errors.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'

/** What was listed may have been replaced by a link or a pipe since: neither is followed or waited for. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Bytes of memory that small files share. An array each costs a third of what reading one does. */
const SHARED_BYTES = 256 * 1024

/**
 * Reads files that are not large. Contents of small ones lie side by side in memory that is given
 * up as a whole, which they are too: all of them go into the tree, and become blocks together.
 */
export class WholeFileReader {
  #shared: Uint8Array = new Uint8Array(0)
  #used = 0

  /** Throws `EBUSY` when the file is not as `expected` any more. */
  read(path: string, expected: Stats): Uint8Array {
    const descriptor = openSync(path, OPEN_FLAGS)
    try {
      requireSame(path, fstatSync(descriptor), expected)
      // One byte more than expected, to see a file that grew.
      const target = this.#take(expected.size + 1)
      const length = readSync(descriptor, target, 0, target.length, 0)
      if (length !== expected.size) throw changed(path)
      return target.subarray(0, length)
    } finally {
      closeSync(descriptor)
    }
  }

  #take(bytes: number): Uint8Array {
    if (bytes > INLINE_BYTES_MAX + 1) return newBytes(bytes)
    if (this.#used + bytes > this.#shared.length) {
      this.#shared = newBytes(SHARED_BYTES)
      this.#used = 0
    }
    this.#used += bytes
    return this.#shared.subarray(this.#used - bytes, this.#used)
  }
}

/** Not zeroed, since of what is handed out every byte has been read. */
export function newBytes(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}

/** A large file, read piece by piece on other threads. */
export class OpenHostFile {
  readonly size: number
  readonly #path: string
  readonly #expected: Stats
  readonly #descriptor: number
  #closed = false
  /** What is being done with the descriptor. */
  readonly #uses = new Set<Promise<unknown>>()

  /** Throws what the host throws, and `EBUSY` when the file is not as `expected` any more. */
  constructor(path: string, expected: Stats) {
    this.size = expected.size
    this.#path = path
    this.#expected = expected
    this.#descriptor = openSync(path, OPEN_FLAGS)
    try {
      this.requireSame()
    } catch (error) {
      closeSync(this.#descriptor)
      throw error
    }
  }

  requireSame(): void {
    requireSame(this.#path, fstatSync(this.#descriptor), this.#expected)
  }

  /** Throws `EBUSY` unless all of a piece was read, and the file is what it was. */
  requireWhole(piece: Uint8Array, length: number): void {
    if (piece.length < length) throw changed(this.#path)
    // Noticed early, a change in a long file wastes little.
    this.requireSame()
  }

  /** Fills `bytes` and gives them back. Throws `EBUSY` when the file ends before. */
  async read(bytes: Uint8Array, position: number): Promise<Uint8Array> {
    let filled = 0
    while (filled < bytes.length) {
      const rest = bytes.subarray(filled)
      const at = position + filled
      const count = await this.use(descriptor => readOnce(descriptor, rest, at))
      if (count === 0) break
      filled += count
    }
    this.requireWhole(bytes.subarray(0, filled), bytes.length)
    return bytes
  }

  /** The descriptor is open until what is done with it has ended. */
  async use<Result>(work: (descriptor: number) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new WarrenError('EBADF', { path: this.#path })
    const use = work(this.#descriptor)
    this.#uses.add(use)
    try {
      return await use
    } finally {
      this.#uses.delete(use)
    }
  }

  /** Waits for what is under way: the descriptor's number must not become another file's meanwhile. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#uses)
    closeSync(this.#descriptor)
  }
}

function readOnce(descriptor: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, bytes, 0, bytes.length, position, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}

function requireSame(path: string, now: Stats, expected: Stats): void {
  if (!now.isFile() || now.size !== expected.size || now.mtimeMs !== expected.mtimeMs) {
    throw changed(path)
  }
}

function changed(path: string): WarrenError {
  return new WarrenError('EBUSY', {
    message: 'it changed while it was read',
    syscall: 'read',
    path
  })
}
