/**
 * Writes files on the host. A file's modification time is set last: one that was cut short does
 * not look finished to the next run.
 *
 * A new inode is made for whatever is written whole, so that neither a link that stands in its
 * place nor another name of the same file is written through. Only a large file that is nobody
 * else's is written to as it stands, because most of it may be right.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  openSync,
  unlinkSync,
  writeSync
} from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { inBatches, readAhead } from '../../blocks/index.ts'
import type { Inode } from '../volume/volume.ts'
import { clearPlace, modeOf, timesOf } from './host-places.ts'
import { runsToWrite } from './runs-to-write.ts'
import type { FileInVolume } from './runs-to-write.ts'

const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW
const UPDATE_FLAGS = constants.O_RDWR | NO_FOLLOW

/** One trip to the thread pool writes about this much. */
const WRITE_BYTES = 1024 * 1024

/** Writes that are under way at a time, while the bytes of the next are being fetched. */
const WRITES_AHEAD = 2

/** Writes a file in one go, on this thread. When it throws, no part of the file is left. */
export function writeWholeFile(path: string, inode: Inode, pieces: readonly Uint8Array[]): void {
  const descriptor = createFile(path)
  try {
    let position = 0
    for (const piece of pieces) position = writeFully(descriptor, piece, position)
    fchmodSync(descriptor, modeOf(inode))
    futimesSync(descriptor, ...timesOf(inode))
  } catch (error) {
    unlinkSync(path)
    throw error
  } finally {
    closeSync(descriptor)
  }
}

export interface LargeFileOptions {
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
  /** Whether the blocks are kept in the local store, too. */
  readonly keep: boolean
}

/**
 * Writes what differs: blocks that are at their place in an existing file are not fetched.
 * Resolves to how many bytes were written. When it throws, what was written stays for a next try.
 */
export async function writeLargeFile(
  path: string,
  source: FileInVolume,
  options: LargeFileOptions
): Promise<number> {
  const { snapshot, inode } = source
  const { signal, onBytes, keep } = options
  const file = await openForUpdate(path)
  let written = 0
  try {
    const { size } = await file.stat()
    for await (const run of runsToWrite({ file, size }, source, { signal, onEqual: onBytes })) {
      const pieces = snapshot.read(inode, { ...run, signal, keep })
      for await (const length of writePieces(file, run.offset, pieces)) {
        signal.throwIfAborted()
        written += length
        onBytes(length)
      }
    }
    if (size !== inode.size) await file.truncate(inode.size)
    await file.chmod(modeOf(inode))
    await file.utimes(...timesOf(inode))
  } finally {
    await file.close()
  }
  return written
}

/** Writes one batch while the next is being fetched; tells how long each was. */
function writePieces(
  file: FileHandle,
  offset: number,
  pieces: AsyncIterable<Uint8Array>
): AsyncIterable<number> {
  let position = offset
  const write = async (batch: readonly Uint8Array[]): Promise<number> => {
    const at = position
    const length = lengthOf(batch)
    position += length
    await writeBatch(file, batch, at)
    return length
  }
  return readAhead(inBatches(pieces, WRITE_BYTES), write, { readsMax: WRITES_AHEAD })
}

async function writeBatch(
  file: FileHandle,
  batch: readonly Uint8Array[],
  position: number
): Promise<void> {
  const { bytesWritten } = await file.writev(batch as Uint8Array[], position)
  if (bytesWritten === lengthOf(batch)) return
  // A short write is rare (a nearly full disk); what is left is written piece by piece.
  let skip = bytesWritten
  let at = position
  for (const piece of batch) {
    let from = Math.min(skip, piece.length)
    skip -= from
    while (from < piece.length) {
      from += (await file.write(piece, from, piece.length - from, at + from)).bytesWritten
    }
    at += piece.length
  }
}

function createFile(path: string): number {
  try {
    return openSync(path, CREATE_FLAGS, 0o600)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    clearPlace(path)
    return openSync(path, CREATE_FLAGS, 0o600)
  }
}

/** The file that is there, if it is a plain one without other names; otherwise a new one. */
async function openForUpdate(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined
  try {
    file = await open(path, UPDATE_FLAGS)
    const stats = await file.stat()
    if (stats.isFile() && stats.nlink === 1) return file
  } catch {
    // Whatever it is, it has to make room, which tells what cannot be done about it.
  }
  await file?.close()
  clearPlace(path)
  return open(path, CREATE_FLAGS, 0o600)
}

function writeFully(descriptor: number, bytes: Uint8Array, position: number): number {
  let written = 0
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
  }
  return position + bytes.length
}

function lengthOf(batch: readonly Uint8Array[]): number {
  return batch.reduce((sum, piece) => sum + piece.length, 0)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
