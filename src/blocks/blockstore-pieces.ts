/** Blocks that come in pieces, as js-stores gives and takes them. */
import { BLOCK_BYTES_MAX } from './block.ts'
import type { BlockstorePieces } from './interface-blockstore.ts'
import { WarrenError } from '../errors.ts'

/** Joins the pieces of one block. Throws `EFBIG` as soon as they are more than a block may be. */
export async function joinPieces(
  pieces: BlockstorePieces,
  signal?: AbortSignal
): Promise<Uint8Array> {
  if (pieces instanceof Uint8Array) return withinLimit(pieces, pieces.length)
  const parts: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    length += piece.length
    parts.push(withinLimit(piece, length))
  }
  if (parts.length === 1) return parts[0]!
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

function withinLimit(piece: Uint8Array, length: number): Uint8Array {
  if (length <= BLOCK_BYTES_MAX) return piece
  throw new WarrenError('EFBIG', {
    message: `block of ${length} bytes, ${BLOCK_BYTES_MAX} at most`
  })
}
