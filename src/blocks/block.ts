/** A block: an immutable byte string under its hash. */
import type { BlockId, Codec } from './block-id.ts'
import { createBlockId, DIGEST_BYTES, digestOf } from './block-id.ts'
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
  if (!(await isBlock(block))) throw new WarrenError('EBADMSG', { message: `block ${block.id}` })
}

/** Whether the bytes have the hash that the id says, for stores, where a damaged block is a missing one. */
export async function isBlock({ id, bytes }: Block): Promise<boolean> {
  if (bytes.length > BLOCK_BYTES_MAX) return false
  const expected = digestOf(id)
  const digest = await sha256(bytes)
  for (let index = 0; index < DIGEST_BYTES; index++) {
    if (digest[index] !== expected[index]) return false
  }
  return true
}
