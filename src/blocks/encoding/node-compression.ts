/**
 * Compression on `node:zlib`; asked for, and not imported, so that browsers can load this too.
 *
 * On the calling thread: in Node 24 a trip to the thread pool takes 100 to 300 µs of processor time,
 * and a block of 128 KiB takes 400 to compress and 200 to decompress.
 */
import { DEFLATE, ZSTD } from './compression.ts'
import type { Compression } from './compression.ts'

/** Of a block all of it; and a frame that asks its reader for more memory than that is refused. */
const WINDOW_LOG = 20

/** Level 3 saves a tenth more and takes up to twice the time. */
const LEVEL = 1

/** What zlib wants of a piece of output. */
const CHUNK_BYTES_MIN = 64

/** Zstandard first: twice to five times as fast as deflate, and as small. */
export function findNodeCompressions(): Compression[] | undefined {
  const platform: Partial<NodeJS.Process> | undefined = globalThis.process
  const zlib = platform?.getBuiltinModule?.('node:zlib')
  if (zlib?.inflateRawSync === undefined) return undefined
  const limits = (length: number): { chunkSize: number; maxOutputLength: number } => ({
    chunkSize: Math.max(length, CHUNK_BYTES_MIN),
    maxOutputLength: Math.max(length, 1)
  })
  const deflate: Compression = {
    method: DEFLATE,
    compress: async bytes => plain(zlib.deflateRawSync(bytes, { level: LEVEL })),
    decompress: async (bytes, length) => plain(zlib.inflateRawSync(bytes, limits(length)))
  }
  // Node 22.15 and later.
  if ((zlib.zstdCompressSync as unknown) === undefined) return [deflate]
  const { ZSTD_c_compressionLevel, ZSTD_c_windowLog, ZSTD_d_windowLogMax } = zlib.constants
  const compressing = { [ZSTD_c_compressionLevel]: LEVEL, [ZSTD_c_windowLog]: WINDOW_LOG }
  const zstd: Compression = {
    method: ZSTD,
    compress: async bytes =>
      plain(zlib.zstdCompressSync(bytes, { params: compressing, pledgedSrcSize: bytes.length })),
    decompress: async (bytes, length) => {
      const params = { [ZSTD_d_windowLogMax]: WINDOW_LOG }
      return plain(zlib.zstdDecompressSync(bytes, { ...limits(length), params }))
    }
  }
  return [zstd, deflate]
}

function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
