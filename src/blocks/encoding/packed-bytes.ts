/**
 * Content, compressed where that pays: what is sealed.
 *
 *     packed = 00 content                    as it is
 *            / method length compressed      method 01: deflate (RFC 1951), 02: zstd (RFC 8878)
 *     length = of the content, 4 bytes, big endian, at most 1 MiB
 *
 * A reader gives what comes out no more room than `length`, and no zstd window over 1 MiB. What is
 * shorter or longer than it says is malformed.
 */
import { BLOCK_BYTES_MAX } from '../block.ts'
import { WarrenError } from '../../errors.ts'
import { STORED } from './compression.ts'
import type { Compression } from './compression.ts'
import { isWorthCompressing } from './worth-compressing.ts'

const LENGTH_BYTES = 4
const COMPRESSED_AT: number = 1 + LENGTH_BYTES

/** What packing adds at most. */
export const PACK_BYTES = 1

/** Compressed bytes are kept when they are at least a sixteenth fewer: reading them costs time too. */
const SAVED_SHARE = 16

/** The parts of the packed content, one after the other. */
export async function packBytes(
  content: Uint8Array,
  compression: Compression | undefined
): Promise<readonly Uint8Array[]> {
  if (compression !== undefined && isWorthCompressing(content)) {
    const compressed = await compression.compress(content)
    if (compressed.length + content.length / SAVED_SHARE < content.length) {
      const head = new Uint8Array(COMPRESSED_AT)
      head[0] = compression.method
      new DataView(head.buffer).setUint32(1, content.length)
      return [head, compressed]
    }
  }
  return [Uint8Array.of(STORED), content]
}

/** Throws `EPROTO` for what is no packed content, `ENOTSUP` for a method this platform has not. */
export async function unpackBytes(
  packed: Uint8Array,
  compressions: readonly Compression[]
): Promise<Uint8Array> {
  const method = packed[0]
  if (method === STORED) return packed.subarray(1)
  if (packed.length < COMPRESSED_AT) refuse(`${packed.length} bytes`)
  const length = new DataView(packed.buffer, packed.byteOffset + 1).getUint32(0)
  if (length > BLOCK_BYTES_MAX) refuse(`content of ${length} bytes, ${BLOCK_BYTES_MAX} at most`)
  const compression = compressions.find(known => known.method === method)
  if (compression === undefined) {
    throw new WarrenError('ENOTSUP', { message: `packed bytes: no compression ${method} here` })
  }
  const content = await decompress(compression, packed.subarray(COMPRESSED_AT), length)
  if (content.length !== length) refuse(`${content.length} bytes where it says ${length}`)
  return content
}

async function decompress(
  compression: Compression,
  bytes: Uint8Array,
  length: number
): Promise<Uint8Array> {
  try {
    return await compression.decompress(bytes, length)
  } catch (cause) {
    throw new WarrenError('EPROTO', { message: `packed bytes: not ${length} bytes`, cause })
  }
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `packed bytes: ${why}` })
}
