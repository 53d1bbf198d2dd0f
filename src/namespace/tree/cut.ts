/**
 * Decides where a node that grew too large is cut.
 *
 * Keys mostly come in ascending runs (new files at the end of the tree, names of a directory in
 * its middle), so what stands before the last change is packed full, and room is left where the
 * next change is likely. Without such a run a node is cut into equal parts.
 */
import type { NodeSize } from './limits.ts'

interface Piece {
  readonly to: number
  readonly bytes: number
}

/** What is cut: the bytes of each item, the index after the last item that changed, and the size to aim at. */
export interface Cut {
  readonly items: readonly number[]
  /** What any item takes when it is the first of its piece, where that is less. */
  readonly firstBytes?: number
  readonly changedTo: number
  readonly size: NodeSize
}

/** Where each piece ends. No piece is under `size.low` unless it is the only one. */
export function cutPoints(cut: Cut): number[] {
  const { items, changedTo, size } = cut
  const total = sum(items, 0, items.length)
  const before = sum(items, 0, changedTo)
  const whole = { ...cut, from: 0, to: items.length }
  const pieces =
    2 * before >= total
      ? [
          ...cutAt({ ...whole, to: changedTo }, size.full),
          ...cutEvenly({ ...whole, from: changedTo })
        ]
      : cutEvenly(whole)
  return absorbSmall(pieces, cut).map(({ to }) => to)
}

interface Run extends Cut {
  readonly from: number
  readonly to: number
}

function cutEvenly(run: Run): Piece[] {
  const bytes = sum(run.items, run.from, run.to)
  return cutAt(run, bytes / Math.ceil(bytes / run.size.full))
}

/** Pieces as near to `limit` bytes as items allow. */
function cutAt(run: Run, limit: number): Piece[] {
  const { items, from, to, size } = run
  const pieces: Piece[] = []
  let bytes = 0
  for (let index = from; index < to; index++) {
    const item = items[index] as number
    if (bytes >= size.low && bytes + item / 2 > limit) {
      pieces.push({ to: index, bytes })
      bytes = 0
    }
    bytes += bytes === 0 ? firstOf(run, index) : item
  }
  if (bytes > 0) pieces.push({ to, bytes })
  return pieces
}

/** Joins what is too small to stand alone with the piece before it, or after it when it is the first. */
function absorbSmall(pieces: readonly Piece[], cut: Cut): Piece[] {
  const { low } = cut.size
  const kept: Piece[] = []
  for (const piece of pieces) {
    const last = kept.at(-1)
    if (last !== undefined && (piece.bytes < low || last.bytes < low)) {
      const first = (cut.items[last.to] as number) - firstOf(cut, last.to)
      kept[kept.length - 1] = { to: piece.to, bytes: last.bytes + piece.bytes + first }
    } else {
      kept.push(piece)
    }
  }
  return kept
}

/** Bytes of an item that begins a piece. */
function firstOf({ items, firstBytes }: Cut, index: number): number {
  return firstBytes ?? (items[index] as number)
}

function sum(items: readonly number[], from: number, to: number): number {
  let total = 0
  for (let index = from; index < to; index++) total += items[index] as number
  return total
}
