/**
 * Decides where a node that grew too large is cut.
 *
 * Keys mostly come in ascending runs (new files at the end of the tree, names of a directory in
 * its middle), so what stands before the last change is packed full, and room is left where the
 * next change is likely. Without such a run a node is cut into equal parts.
 */
import { NODE_BYTES_FULL, NODE_BYTES_LOW } from './limits.ts'

interface Piece {
  readonly to: number
  readonly bytes: number
}

/**
 * Where each piece ends, given the bytes of each item and the index after the last item that
 * changed. No piece is under `NODE_BYTES_LOW` unless it is the only one.
 */
export function cutPoints(sizes: readonly number[], changedTo: number): number[] {
  const total = sum(sizes, 0, sizes.length)
  const before = sum(sizes, 0, changedTo)
  const pieces =
    2 * before >= total
      ? [
          ...cutAt(sizes, { from: 0, to: changedTo, limit: NODE_BYTES_FULL }),
          ...cutEvenly(sizes, changedTo, sizes.length)
        ]
      : cutEvenly(sizes, 0, sizes.length)
  return absorbSmall(pieces).map(({ to }) => to)
}

function cutEvenly(sizes: readonly number[], from: number, to: number): Piece[] {
  const bytes = sum(sizes, from, to)
  return cutAt(sizes, { from, to, limit: bytes / Math.ceil(bytes / NODE_BYTES_FULL) })
}

/** Pieces as near to `limit` bytes as items allow. */
function cutAt(
  sizes: readonly number[],
  { from, to, limit }: { readonly from: number; readonly to: number; readonly limit: number }
): Piece[] {
  const pieces: Piece[] = []
  let bytes = 0
  for (let index = from; index < to; index++) {
    const size = sizes[index] as number
    if (bytes >= NODE_BYTES_LOW && bytes + size / 2 > limit) {
      pieces.push({ to: index, bytes })
      bytes = 0
    }
    bytes += size
  }
  if (bytes > 0) pieces.push({ to, bytes })
  return pieces
}

/** Joins what is too small to stand alone with the piece before it, or after it when it is the first. */
function absorbSmall(pieces: readonly Piece[]): Piece[] {
  const kept: Piece[] = []
  for (const piece of pieces) {
    const last = kept.at(-1)
    if (last !== undefined && (piece.bytes < NODE_BYTES_LOW || last.bytes < NODE_BYTES_LOW)) {
      kept[kept.length - 1] = { to: piece.to, bytes: last.bytes + piece.bytes }
    } else {
      kept.push(piece)
    }
  }
  return kept
}

function sum(sizes: readonly number[], from: number, to: number): number {
  let total = 0
  for (let index = from; index < to; index++) total += sizes[index] as number
  return total
}
