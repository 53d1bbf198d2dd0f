/** Reading one block from its segment, and finding out what is wrong when it is not what it should be. */
import type { Place } from './digest-table.ts'
import type { DiskFile } from './file-system.ts'
import type { ReadTurn } from './read-turn.ts'
import { RECORD_HEADER_BYTES } from './segment-format.ts'
import { BLOCK_ID_BYTES, DIGEST_BYTES } from '../block-id.ts'
import { sha256 } from '../sha256.ts'

/** Where and how to read. */
export interface Reading {
  readonly file: DiskFile
  readonly place: Place
  readonly turn: ReadTurn
}

/**
 * `undefined` when the bytes there do not have the hash that the id says. The hash alone decides, so
 * the record's header is not read. They are read twice before they are called damaged: the fault may
 * have been on the way.
 */
export async function readBlock(id: Uint8Array, reading: Reading): Promise<Uint8Array | undefined> {
  return (await readOnce(id, reading)) ?? (await readOnce(id, reading))
}

async function readOnce(
  id: Uint8Array,
  { file, place: { offset, length }, turn }: Reading
): Promise<Uint8Array | undefined> {
  // Not zeroed first, which would cost a tenth of the read; what is not read over is not handed out.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  const position = offset + RECORD_HEADER_BYTES
  try {
    const count = turn.readHere(file, bytes, position) ?? (await file.read(bytes, position))
    return count === length && (await hasDigest(bytes, id)) ? bytes : undefined
  } catch {
    // A sector that cannot be read is damage too.
    return undefined
  }
}

async function hasDigest(bytes: Uint8Array, id: Uint8Array): Promise<boolean> {
  const digest = await sha256(bytes)
  for (let index = 0; index < DIGEST_BYTES; index++) {
    if (digest[index] !== id[BLOCK_ID_BYTES - DIGEST_BYTES + index]) return false
  }
  return true
}
