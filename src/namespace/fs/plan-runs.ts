/**
 * Which runs of a file have to be stored anew when pieces are written into it: each piece, joined
 * with the extents it touches, and with small extents near it, so that a file that grows by many
 * small writes does not end as many small blocks.
 */
import type { Extent, Inode, Snapshot } from '../volume/volume.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'
import type { FileView, ViewLayer } from './file-view.ts'
import { createView, streamView } from './file-view.ts'
import { WriteBuffer, endOf, indexOfPiece } from './write-buffer.ts'

export interface Run {
  readonly from: number
  /** Exclusive. */
  readonly to: number
  /** The extents it replaces, in order. */
  readonly touched: readonly Extent[]
  readonly view: FileView
}

export interface Plan {
  readonly runs: readonly Run[]
  /** Everything stored from here on goes, before the runs are attached. */
  readonly cut: number | undefined
  /** The content that stands in the tree itself and has to leave it. */
  readonly inline: Uint8Array | undefined
  /** Up to where stored extents count. */
  readonly kept: number
}

/** Pieces and extents closer than this are stored as one run, with what is between them. */
const GAP_BYTES_MAX = 64 * 1024

/** An extent of this length or longer is not stored anew because of what happens beside it. */
const SMALL_EXTENT_BYTES = 128 * 1024

/** A neighbour is taken into a run that is at least a fourth as long. */
const NEIGHBOUR_FACTOR = 4

/** Pieces from this length on are passed on as they are; shorter ones are copied into what is read. */
const LONG_PIECE_BYTES = 64 * 1024

interface Planning {
  readonly snapshot: Snapshot
  readonly inode: Inode
  readonly layer: ViewLayer
}

export async function planRuns({ snapshot, inode, layer }: Planning): Promise<Plan> {
  const content = inode.size <= INLINE_BYTES_MAX ? await snapshot.content(inode) : undefined
  if (content !== undefined && 'inline' in content) {
    return planFromInline({ snapshot, inode, layer }, content.inline)
  }
  const view = createView(snapshot, inode, [layer])
  const kept = Math.min(inode.size, layer.limit)
  const ranges = layer.pieces.map(piece => ({ from: piece.offset, to: endOf(piece) }))
  const crossing = kept < inode.size ? await extentAcross(view, kept) : undefined
  // The extent that the new end cuts through is stored again up to there.
  if (crossing !== undefined) ranges.push({ from: kept - 1, to: kept })
  const runs: Run[] = []
  for (const range of mergeRanges(ranges, GAP_BYTES_MAX)) {
    const run = await expand(view, range, kept)
    const last = runs.at(-1)
    if (last !== undefined && run.from < last.to) runs[runs.length - 1] = join(last, run)
    else runs.push(run)
  }
  const cut = kept < inode.size ? (crossing?.offset ?? kept) : undefined
  return { runs, cut, inline: undefined, kept }
}

/** What stood in the tree becomes the lowest of the pieces. */
function planFromInline({ snapshot, inode, layer }: Planning, inline: Uint8Array): Plan {
  const buffer = new WriteBuffer()
  const kept = inline.subarray(0, Math.min(inline.length, layer.limit))
  if (kept.length > 0) buffer.putAll([{ offset: 0, bytes: kept }])
  buffer.putAll(layer.pieces)
  const pieces = buffer.pieces()
  const view = createView(snapshot, inode, [{ ...layer, limit: 0, pieces }])
  const ranges = pieces.map(piece => ({ from: piece.offset, to: endOf(piece) }))
  const runs = mergeRanges(ranges, GAP_BYTES_MAX).map(range => ({ ...range, touched: [], view }))
  return { runs, cut: undefined, inline, kept: 0 }
}

/** The bytes of a run: long pieces as they are, between them what is stored under what is written. */
export async function* runBytes({ view, from, to }: Run): AsyncGenerator<Uint8Array> {
  const { pieces } = view.layers[0]!
  let position = from
  for (let index = indexOfPiece(pieces, from); index < pieces.length; index++) {
    const piece = pieces[index]!
    if (piece.offset >= to) break
    if (piece.bytes.length < LONG_PIECE_BYTES) continue
    yield* streamView(view, position, piece.offset)
    yield piece.bytes
    position = endOf(piece)
  }
  yield* streamView(view, position, to)
}

async function expand(view: FileView, range: Range, kept: number): Promise<Run> {
  const near = Math.max(0, range.from - GAP_BYTES_MAX)
  const extents = await extentsWithin(view, near, Math.min(kept, range.to + GAP_BYTES_MAX))
  let { from, to } = range
  let first = extents.findIndex(extent => extent.offset + extent.length > from)
  if (first === -1) first = extents.length
  let end = first
  for (; end < extents.length && extents[end]!.offset < range.to; end++) {
    from = Math.min(from, extents[end]!.offset)
    to = Math.max(to, endOfExtent(extents[end]!, kept))
  }
  while (first > 0 && isSmall(extents[first - 1]!, to - from)) from = extents[--first]!.offset
  while (end < extents.length && isSmall(extents[end]!, to - from)) {
    to = endOfExtent(extents[end++]!, kept)
  }
  return { from, to, touched: extents.slice(first, end), view }
}

/**
 * Whether a neighbour is stored anew together with a run. Only when it is not much longer than the
 * run: so the bytes that many small appends store grow with the logarithm of the file's size, and
 * the extents they leave are few.
 */
function isSmall(extent: Extent, runBytes: number): boolean {
  return extent.length < SMALL_EXTENT_BYTES && extent.length < runBytes * NEIGHBOUR_FACTOR
}

function endOfExtent(extent: Extent, kept: number): number {
  return Math.min(kept, extent.offset + extent.length)
}

async function extentAcross(view: FileView, offset: number): Promise<Extent | undefined> {
  if (offset === 0) return undefined
  const [extent] = await extentsWithin(view, offset - 1, offset)
  return extent !== undefined && extent.offset + extent.length > offset ? extent : undefined
}

async function extentsWithin(view: FileView, from: number, to: number): Promise<Extent[]> {
  if (to <= from) return []
  const content = await view.snapshot.content(view.stored, { offset: from, length: to - from })
  const found: Extent[] = []
  if ('inline' in content) return found
  for await (const batch of content.extents) found.push(...batch)
  return found
}

function join(a: Run, b: Run): Run {
  const known = new Set(a.touched.map(extent => extent.offset))
  const touched = [...a.touched, ...b.touched.filter(extent => !known.has(extent.offset))]
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), touched, view: a.view }
}

interface Range {
  readonly from: number
  readonly to: number
}

/** Sorted, and joined where they overlap or less than `gapMax` is between them. */
function mergeRanges(ranges: readonly Range[], gapMax: number): Range[] {
  const merged: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last === undefined || range.from > last.to + gapMax) merged.push(range)
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
  }
  return merged
}
