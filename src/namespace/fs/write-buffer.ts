/**
 * Bytes written to a file and not stored yet, by offset. Pieces never overlap; the newest write
 * wins. A piece, once handed out, never changes: a reader or a flush may hold it while writing goes
 * on.
 */
import { copyBytes } from './copy-bytes.ts'

export interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

interface OwnPiece extends Piece {
  /** Free bytes behind `bytes` in its buffer, which a write that follows on may use. */
  readonly room: number
  /** The bytes are the writer's, who may change them when the write is over. */
  readonly borrowed?: true
}

/** A piece grows by doubling up to this; then a new one begins, so that growing copies little. */
const PIECE_BYTES_MAX = 1024 * 1024

/** What a piece costs beside its bytes, so that a million one-byte writes are bounded as well. */
const PIECE_OVERHEAD_BYTES = 256

export class WriteBuffer {
  #pieces: OwnPiece[] = []
  #bytes = 0

  /**
   * Memory held, about. Overwritten bytes count too: a piece that is cut keeps its whole buffer.
   */
  get bytes(): number {
    return this.#bytes
  }

  /** In order of offsets; the array is the caller's. */
  pieces(): Piece[] {
    return this.#pieces.slice()
  }

  /** Takes a copy of the bytes. */
  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const at = this.#indexAfter(offset)
    this.#bytes += bytes.length
    if (this.#extend(at, offset, bytes)) return
    this.#bytes += PIECE_OVERHEAD_BYTES
    this.#put({ offset, bytes: copyBytes(bytes), room: 0 })
  }

  /** Takes the bytes themselves, which must not change until they are stored or `own` was called. */
  borrow(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#bytes += bytes.length + PIECE_OVERHEAD_BYTES
    this.#put({ offset, bytes, room: 0, borrowed: true })
  }

  /** Copies what was borrowed. */
  own(): void {
    this.#pieces = this.#pieces.map(({ offset, bytes, room, borrowed }) => ({
      offset,
      bytes: borrowed === true ? copyBytes(bytes) : bytes,
      room
    }))
  }

  /** Forgets everything at `size` and behind it. */
  truncate(size: number): void {
    const at = this.#indexAfter(size)
    const first = this.#pieces[at]
    const kept = first !== undefined && first.offset < size ? [cutEnd(first, size)] : []
    this.#pieces.splice(at, this.#pieces.length, ...kept)
  }

  /** Lays another buffer's pieces over this one's. */
  putAll(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      this.#bytes += piece.bytes.length + PIECE_OVERHEAD_BYTES
      this.#put({ ...piece, room: 0 })
    }
  }

  /** Index of the first piece that ends behind `offset`. */
  #indexAfter(offset: number): number {
    return indexOfPiece(this.#pieces, offset)
  }

  /** Joins bytes to the piece they follow, when nothing is in their way. */
  #extend(at: number, offset: number, bytes: Uint8Array): boolean {
    const before = this.#pieces[at - 1]
    if (before === undefined || endOf(before) !== offset) return false
    const after = this.#pieces[at]
    if (after !== undefined && after.offset < offset + bytes.length) return false
    const used = before.bytes.length
    if (used + bytes.length > PIECE_BYTES_MAX) return false
    this.#pieces[at - 1] = before.room >= bytes.length ? fill(before, bytes) : grow(before, bytes)
    return true
  }

  #put(piece: OwnPiece): void {
    const end = endOf(piece)
    const from = this.#indexAfter(piece.offset)
    let to = from
    while (to < this.#pieces.length && this.#pieces[to]!.offset < end) to++
    const parts: OwnPiece[] = []
    const first = this.#pieces[from]
    const last = this.#pieces[to - 1]
    if (to > from && first!.offset < piece.offset) parts.push(cutEnd(first!, piece.offset))
    parts.push(piece)
    if (to > from && endOf(last!) > end) parts.push(cutStart(last!, end))
    this.#pieces.splice(from, to - from, ...parts)
  }
}

/** Where a piece ends, exclusive. */
export function endOf(piece: Piece): number {
  return piece.offset + piece.bytes.length
}

/** Index of the first piece that ends behind `offset`: the one that has it, or the next. */
export function indexOfPiece(pieces: readonly Piece[], offset: number): number {
  let low = 0
  let high = pieces.length
  // Most accesses follow on: look at the last piece first.
  const last = pieces[high - 1]
  if (last !== undefined && endOf(last) <= offset) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (endOf(pieces[middle]!) <= offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Copies what pieces have of the range that begins at `offset` and is as long as `target`. */
export function copyPieces(pieces: readonly Piece[], target: Uint8Array, offset: number): void {
  const end = offset + target.length
  for (let index = indexOfPiece(pieces, offset); index < pieces.length; index++) {
    const piece = pieces[index]!
    if (piece.offset >= end) return
    const from = Math.max(piece.offset, offset)
    const to = Math.min(endOf(piece), end)
    target.set(piece.bytes.subarray(from - piece.offset, to - piece.offset), from - offset)
  }
}

function fill(piece: OwnPiece, bytes: Uint8Array): OwnPiece {
  const { buffer, byteOffset, length } = piece.bytes
  const whole = new Uint8Array(buffer, byteOffset, length + bytes.length)
  whole.set(bytes, length)
  return { offset: piece.offset, bytes: whole, room: piece.room - bytes.length }
}

function grow(piece: OwnPiece, bytes: Uint8Array): OwnPiece {
  const length = piece.bytes.length + bytes.length
  const larger = new Uint8Array(Math.min(PIECE_BYTES_MAX, length * 2))
  larger.set(piece.bytes)
  larger.set(bytes, piece.bytes.length)
  return {
    offset: piece.offset,
    bytes: larger.subarray(0, length),
    room: larger.length - length
  }
}

// A cut piece gives up its room: what is behind the cut may be in a reader's hands.
function cutEnd(piece: OwnPiece, at: number): OwnPiece {
  return { ...piece, bytes: piece.bytes.subarray(0, at - piece.offset), room: 0 }
}

function cutStart(piece: OwnPiece, at: number): OwnPiece {
  return { ...piece, offset: at, bytes: piece.bytes.subarray(at - piece.offset), room: 0 }
}
