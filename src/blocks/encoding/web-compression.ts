/** Deflate on the streams that browsers have. */
import { DEFLATE } from './compression.ts'
import type { Compression } from './compression.ts'
import { joinBytes } from '../join-bytes.ts'

export function createWebDeflate(): Compression {
  return {
    method: DEFLATE,
    compress: bytes => passThrough(bytes, new CompressionStream('deflate-raw'), Infinity),
    decompress: (bytes, length) =>
      passThrough(bytes, new DecompressionStream('deflate-raw'), length)
  }
}

async function passThrough(
  bytes: Uint8Array,
  transform: CompressionStream | DecompressionStream,
  lengthMax: number
): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  const pieces: Uint8Array[] = []
  let length = 0
  // Left at the limit, the stream produces nothing more.
  for await (const piece of source.pipeThrough(transform)) {
    length += piece.length
    if (length > lengthMax) throw new RangeError(`over ${lengthMax} bytes`)
    pieces.push(piece)
  }
  return joinBytes(pieces)
}
