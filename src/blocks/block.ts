/** A block: an immutable byte string under its hash. */
import type { BlockId, Codec } from './block-id.ts'
import { createBlockId } from './block-id.ts'
import { sha256 } from './sha256.ts'
import { WarrenError } from '../errors.ts'

export interface Block {
  readonly id: BlockId
  readonly bytes: Uint8Array
}

/** The largest block anyone may make or send (mission R3): what one answer must fit in memory for. */
export const BLOCK_BYTES_MAX: number = 1024 * 1024

/** Names bytes by their hash. Throws `EFBIG` over `BLOCK_BYTES_MAX`. */
export async function createBlock(codec: Codec, bytes: Uint8Array): Promise<Block> {
  if (bytes.length > BLOCK_BYTES_MAX) {
    throw new WarrenError('EFBIG', {
      message: `block of ${bytes.length} bytes, ${BLOCK_BYTES_MAX} at most`
    })
  }
  return { id: createBlockId(codec, await sha256(bytes)), bytes }
}

/** Throws `EBADMSG` unless the bytes have the hash that the id says. */
export async function verifyBlock(block: Block): Promise<void> {
  if (block.bytes.length <= BLOCK_BYTES_MAX) {
    const digest = await sha256(block.bytes)
    if (createBlockId(block.id.startsWith('bafy') ? 'dag-cbor' : 'raw', digest) === block.id) return
  }
  throw new WarrenError('EBADMSG', { message: `block ${block.id}` })
}
