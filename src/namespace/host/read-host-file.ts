/** Reads files of the host, and notices when one changes under the reading. */
import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { WarrenError } from '../../errors.ts'

/** What was listed may have been replaced by a link or a pipe since: neither is followed or waited for. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The whole of a file that is not large. Throws `EBUSY` when it is not as `expected` any more. */
export function readWholeFile(path: string, expected: Stats): Uint8Array {
  const descriptor = openSync(path, OPEN_FLAGS)
  try {
    requireSame(path, fstatSync(descriptor), expected)
    // One byte more than expected, to see a file that grew.
    const buffer = Buffer.allocUnsafeSlow(expected.size + 1)
    const length = readSync(descriptor, buffer, 0, buffer.length, 0)
    if (length !== expected.size) throw changed(path)
    return new Uint8Array(buffer.buffer, 0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** A large file, read piece by piece on the thread pool. */
export class OpenHostFile {
  readonly size: number
  readonly #path: string
  readonly #expected: Stats
  readonly #descriptor: number
  #closed = false
  #reading: Promise<unknown> = Promise.resolve()

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

  /** Fills `bytes` and gives them back. One read at a time. Throws `EBUSY` when the file ends before. */
  async read(bytes: Uint8Array, position: number): Promise<Uint8Array> {
    for (let filled = 0; filled < bytes.length;) {
      const count = await this.#readInto(bytes.subarray(filled), position + filled)
      if (count === 0) throw changed(this.#path)
      filled += count
    }
    // Noticed early, a change in a long file wastes little.
    this.requireSame()
    return bytes
  }

  /** Waits for a read under way, whose number must not become another file's meanwhile. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#reading.catch(() => {})
    closeSync(this.#descriptor)
  }

  #readInto(bytes: Uint8Array, position: number): Promise<number> {
    if (this.#closed) return Promise.reject(new WarrenError('EBADF', { path: this.#path }))
    const reading = new Promise<number>((resolve, reject) => {
      read(this.#descriptor, bytes, 0, bytes.length, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
    this.#reading = reading
    return reading
  }
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
