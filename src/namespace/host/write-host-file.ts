/**
 * Writes files on the host. A file's modification time is set last: a file that was cut short by a
 * crash does not look finished to the next run. Links that stand where a file should be are never
 * written through.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  ftruncateSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync
} from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { createBlock, readAhead } from '../../blocks/index.ts'
import type { Extent, Inode, Snapshot } from '../volume/volume.ts'

const NO_FOLLOW = constants.O_NOFOLLOW ?? 0
const CREATE = constants.O_CREAT | NO_FOLLOW

/** One trip to the thread pool writes about this much. */
const WRITE_BYTES = 1024 * 1024

/** Neither set-user-id nor sticky bits are taken from another peer. */
const MODE_MASK = 0o777

export function writeSmallFile(path: string, inode: Inode, bytes: Uint8Array): void {
  const descriptor = openForWriting(path)
  try {
    writeSync(descriptor, bytes, 0, bytes.length, 0)
    ftruncateSync(descriptor, bytes.length)
    fchmodSync(descriptor, inode.mode & MODE_MASK)
    futimesSync(descriptor, inode.atimeMs / 1000, inode.mtimeMs / 1000)
  } finally {
    closeSync(descriptor)
  }
}

export interface LargeFileOptions {
  readonly signal?: AbortSignal
  readonly onBytes: (bytes: number) => void
}

/** Writes what differs: blocks that are at their place in an existing file already are not fetched. */
export async function writeLargeFile(
  path: string,
  source: { readonly snapshot: Snapshot; readonly inode: Inode },
  options: LargeFileOptions
): Promise<void> {
  const { snapshot, inode } = source
  removeLink(path)
  const file = await open(path, constants.O_RDWR | CREATE, 0o600)
  try {
    const { size } = await file.stat()
    for await (const run of runsToWrite(file, size, source, options)) {
      const pieces = snapshot.read(inode, { ...run, ...signalOf(options) })
      await writeRun(file, run.offset, pieces, options)
    }
    await file.truncate(inode.size)
    await file.chmod(inode.mode & MODE_MASK)
    await file.utimes(inode.atimeMs / 1000, inode.mtimeMs / 1000)
  } finally {
    await file.close()
  }
}

/** The times and mode of a directory, when everything in it is written. */
export function finishDirectory(path: string, inode: Inode): void {
  chmodSync(path, inode.mode & MODE_MASK)
  const descriptor = openSync(path, constants.O_RDONLY | NO_FOLLOW)
  try {
    futimesSync(descriptor, inode.atimeMs / 1000, inode.mtimeMs / 1000)
  } finally {
    closeSync(descriptor)
  }
}

interface Run {
  readonly offset: number
  readonly length: number
}

/** Long enough to be fetched at full speed, short enough to compare the next one meanwhile. */
const RUN_BYTES = 64 * 1024 * 1024

async function* runsToWrite(
  file: FileHandle,
  existingSize: number,
  { snapshot, inode }: { readonly snapshot: Snapshot; readonly inode: Inode },
  options: LargeFileOptions
): AsyncGenerator<Run> {
  const content = await snapshot.content(inode, signalOf(options))
  if ('inline' in content) {
    yield { offset: 0, length: inode.size }
    return
  }
  let run: Run | undefined
  let end = 0
  for await (const extents of content.extents) {
    for (const extent of extents) {
      // In a new file a gap stays a hole; in an old one, what is in its place must become zeros.
      const gap = Math.min(extent.offset, existingSize) - end
      if (gap > 0) yield { offset: end, length: gap }
      end = extent.offset + extent.length
      if (await isThere(file, existingSize, extent)) {
        options.onBytes(extent.length)
        continue
      }
      const joins = run !== undefined && run.offset + run.length === extent.offset
      if (run !== undefined && joins && run.length < RUN_BYTES) {
        run = { offset: run.offset, length: run.length + extent.length }
      } else {
        if (run !== undefined) yield run
        run = { offset: extent.offset, length: extent.length }
      }
    }
  }
  if (run !== undefined) yield run
  const tail = Math.min(inode.size, existingSize) - end
  if (tail > 0) yield { offset: end, length: tail }
}

async function isThere(file: FileHandle, existingSize: number, extent: Extent): Promise<boolean> {
  if (extent.offset + extent.length > existingSize) return false
  const buffer = new Uint8Array(extent.length)
  const { bytesRead } = await file.read(buffer, 0, extent.length, extent.offset)
  return bytesRead === extent.length && (await createBlock('raw', buffer)).id === extent.block
}

/** Writes one batch while the next is being fetched. */
async function writeRun(
  file: FileHandle,
  offset: number,
  pieces: AsyncIterable<Uint8Array>,
  options: LargeFileOptions
): Promise<void> {
  let position = offset
  const write = async (batch: readonly Uint8Array[]): Promise<number> => {
    const at = position
    const length = batch.reduce((sum, piece) => sum + piece.length, 0)
    position += length
    await writeAll(file, batch, at)
    return length
  }
  const ahead = { readsMax: 2, signal: options.signal }
  for await (const length of readAhead(batches(pieces), write, ahead)) options.onBytes(length)
}

async function writeAll(
  file: FileHandle,
  batch: readonly Uint8Array[],
  position: number
): Promise<void> {
  const length = batch.reduce((sum, piece) => sum + piece.length, 0)
  const { bytesWritten } = await file.writev(batch as Uint8Array[], position)
  if (bytesWritten === length) return
  // A short write is rare (a nearly full disk); what is left is written piece by piece.
  let skip = bytesWritten
  let at = position
  for (const piece of batch) {
    const from = Math.min(skip, piece.length)
    skip -= from
    if (from < piece.length) await file.write(piece, from, piece.length - from, at + from)
    at += piece.length
  }
}

async function* batches(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    batch.push(piece)
    bytes += piece.length
    if (bytes < WRITE_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

function openForWriting(path: string): number {
  const flags = constants.O_WRONLY | CREATE
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error
    unlinkSync(path)
    return openSync(path, flags, 0o600)
  }
}

function removeLink(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink() === true) unlinkSync(path)
}

function signalOf({ signal }: LargeFileOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
