/**
 * What a file's bytes are at one moment: a version of the volume, and over it what was written in
 * this process and not stored yet. A view never changes.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Inode, Snapshot } from '../volume/volume.ts'
import { copyBytes } from './copy-bytes.ts'
import type { Piece } from './write-buffer.ts'
import { copyPieces, endOf, indexOfPiece } from './write-buffer.ts'

/** Changes laid over the content below them. */
export interface ViewLayer {
  /** What is below counts up to here only: the smallest size it was cut to. Infinity: never cut. */
  readonly limit: number
  readonly size: number
  readonly mtimeMs: number
  readonly pieces: readonly Piece[]
}

export interface FileView {
  readonly snapshot: Snapshot
  /** As it is in the snapshot. */
  readonly stored: Inode
  /** With the size and times of the newest layer. */
  readonly inode: Inode
  /** Oldest first. */
  readonly layers: readonly ViewLayer[]
}

/** True when both have the same stored bytes, as far as attributes tell. */
export function isSameContent(a: FileView, b: FileView): boolean {
  if (a.snapshot.tree === b.snapshot.tree) return true
  const { size, mtimeMs, ctimeMs } = a.stored
  return size === b.stored.size && mtimeMs === b.stored.mtimeMs && ctimeMs === b.stored.ctimeMs
}

/** Longest piece of a stream where nothing is stored. */
const STREAM_PIECE_BYTES = 256 * 1024

export function createView(
  snapshot: Snapshot,
  stored: Inode,
  layers: readonly ViewLayer[]
): FileView {
  const top = layers.at(-1)
  if (top === undefined) return { snapshot, stored, inode: stored, layers }
  const { size, mtimeMs } = top
  const inode = { ...stored, size, mtimeMs, ctimeMs: Math.max(stored.ctimeMs, mtimeMs) }
  return { snapshot, stored, inode, layers }
}

/** Fills `target` from `offset` on; gives how many bytes the file had. */
export async function readInto(
  view: FileView,
  target: Uint8Array,
  offset: number,
  options: StoreOptions = {}
): Promise<number> {
  const length = Math.max(0, Math.min(target.length, view.inode.size - offset))
  const wanted = target.subarray(0, length)
  let filled = 0
  if (!isCovered(view, offset, length)) {
    const below = storedLength(view)
    for await (const bytes of readStored(view, {
      ...options,
      offset,
      end: Math.min(below, offset + length)
    })) {
      wanted.set(bytes, filled)
      filled += bytes.length
    }
  }
  if (view.layers.length === 0) return filled
  wanted.fill(0, filled)
  applyLayers(view, wanted, offset)
  return length
}

/** The bytes of `[from, to)`, in pieces that must not be changed. */
export async function* streamView(
  view: FileView,
  from: number,
  to: number,
  options: StoreOptions = {}
): AsyncGenerator<Uint8Array> {
  const end = Math.min(to, view.inode.size)
  if (view.layers.length === 0) {
    yield* readStored(view, { ...options, offset: from, end })
    return
  }
  let position = from
  const storedEnd = Math.min(end, storedLength(view))
  for await (const bytes of readStored(view, { ...options, offset: from, end: storedEnd })) {
    yield applyLayers(view, copyBytes(bytes), position)
    position += bytes.length
  }
  while (position < end) {
    const bytes = new Uint8Array(Math.min(STREAM_PIECE_BYTES, end - position))
    yield applyLayers(view, bytes, position)
    position += bytes.length
  }
}

/** As in Node: what is larger is read in pieces. A remote file may be of any size that its owner claims. */
export const WHOLE_BYTES_MAX: number = 2 ** 31 - 1

/** The rest of a file in one buffer, which is the caller's. Throws `EFBIG` beyond `WHOLE_BYTES_MAX`. */
export async function readRest(
  view: FileView,
  from: number,
  signal?: AbortSignal
): Promise<Uint8Array> {
  if (view.inode.type === 'directory') throw new WarrenError('EISDIR', { syscall: 'read' })
  const length = Math.max(0, view.inode.size - from)
  if (length > WHOLE_BYTES_MAX) {
    const message = `${length} bytes at once, ${WHOLE_BYTES_MAX} at most`
    throw new WarrenError('EFBIG', { message, syscall: 'read' })
  }
  const bytes = new Uint8Array(length)
  let filled = 0
  for await (const piece of streamView(view, from, view.inode.size, signal ? { signal } : {})) {
    signal?.throwIfAborted()
    bytes.set(piece, filled)
    filled += piece.length
  }
  return bytes
}

/** Lays what was written over stored bytes (or zeros) that begin at `offset`. */
function applyLayers({ layers }: FileView, target: Uint8Array, offset: number): Uint8Array {
  for (const { limit, pieces } of layers) {
    if (limit < offset + target.length) target.fill(0, Math.max(0, limit - offset))
    copyPieces(pieces, target, offset)
  }
  return target
}

function readStored(
  view: FileView,
  { offset, end, signal }: StoreOptions & { readonly offset: number; readonly end: number }
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (end <= offset) return []
  const length = end - offset
  const options = signal === undefined ? { offset, length } : { offset, length, signal }
  return view.snapshot.read(view.stored, options)
}

/** How many of the stored bytes still count. */
function storedLength({ stored, layers }: FileView): number {
  return Math.min(stored.size, ...layers.map(layer => layer.limit))
}

/** True when one piece has the whole range, so that nothing stored is needed. */
function isCovered({ layers }: FileView, offset: number, length: number): boolean {
  const pieces = layers.at(-1)?.pieces
  const piece = pieces?.[indexOfPiece(pieces, offset)]
  return piece !== undefined && piece.offset <= offset && endOf(piece) >= offset + length
}
