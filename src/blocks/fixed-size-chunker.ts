/**
 * Cuts a file at every multiple of a fixed size: what costs least, and lets the block that holds a
 * given offset be computed.
 */
import { BLOCK_BYTES_MAX } from './block.ts'
import type { Chunker } from './chunker.ts'

/**
 * Chunks of exactly `bytes` bytes, the last one shorter; none for an empty source. A chunk that lies
 * within one piece of the source is a view of it and not a copy, so the source must not reuse its
 * buffers, and pieces of a multiple of `bytes` are best.
 */
export function fixedSizeChunks(bytes: number): Chunker {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > BLOCK_BYTES_MAX) {
    throw new TypeError(`chunks of ${bytes} bytes: 1 to ${BLOCK_BYTES_MAX} are possible`)
  }
  return Object.assign((source: AsyncIterable<Uint8Array>) => cut(source, bytes), {
    blockBytes: bytes
  })
}

async function* cut(
  source: AsyncIterable<Uint8Array>,
  size: number
): AsyncGenerator<Uint8Array, void, undefined> {
  /** The begin of the next chunk, shorter than a chunk: a view, or in `joined` once it has two parts. */
  let begun = EMPTY
  let joined = EMPTY
  for await (const piece of source) {
    let offset = 0
    if (begun.length > 0) {
      if (joined.length === 0) {
        joined = new Uint8Array(size)
        joined.set(begun)
      }
      offset = Math.min(size - begun.length, piece.length)
      joined.set(piece.subarray(0, offset), begun.length)
      begun = joined.subarray(0, begun.length + offset)
      if (begun.length < size) continue
      yield joined
      joined = EMPTY
    }
    for (; piece.length - offset >= size; offset += size) {
      yield piece.subarray(offset, offset + size)
    }
    begun = piece.subarray(offset)
  }
  // A copy, where the buffer is larger than what it holds.
  if (begun.length > 0) yield joined.length > 0 ? new Uint8Array(begun) : begun
}

const EMPTY: Uint8Array = new Uint8Array(0)
