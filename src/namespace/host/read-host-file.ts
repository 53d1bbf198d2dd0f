/** Reads files of the host, and notices when one changes under the reading. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { WarrenError } from '../../errors.ts'

/** One trip to the thread pool a mebibyte: more would only hold more memory. */
const READ_BYTES = 1024 * 1024

/** What was listed may have been replaced by a link or a pipe since: neither is followed or waited for. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The whole of a small file. Throws `EBUSY` when it is not as `expected` any more. */
export function readSmallFile(path: string, expected: Stats): Uint8Array {
  const descriptor = openSync(path, OPEN_FLAGS)
  try {
    requireSame(path, fstatSync(descriptor), expected)
    // One byte more than expected, to see a file that grew.
    const bytes = new Uint8Array(expected.size + 1)
    const length = readSync(descriptor, bytes, 0, bytes.length, 0)
    if (length !== expected.size) throw changed(path)
    return bytes.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** A file from its beginning, in pieces that belong to the reader. Throws `EBUSY` at its end when it changed meanwhile. */
export async function* readLargeFile(
  path: string,
  expected: Stats,
  signal?: AbortSignal
): AsyncGenerator<Uint8Array> {
  const file = await open(path, OPEN_FLAGS)
  try {
    requireSame(path, await file.stat(), expected)
    for (let position = 0; position < expected.size;) {
      signal?.throwIfAborted()
      const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, expected.size - position))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) throw changed(path)
      position += bytesRead
      yield new Uint8Array(buffer.buffer, 0, bytesRead)
    }
    requireSame(path, await file.stat(), expected)
  } finally {
    await file.close()
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
