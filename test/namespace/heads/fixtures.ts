/** Keys, roots and heads as the tests of this folder need them. */
import { createBlockId } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { createSigningKey } from '../../../src/peer/index.ts'
import type { SigningKey } from '../../../src/peer/index.ts'
import { signHead } from '../../../src/namespace/heads/head-record.ts'
import type { SignedHead, VolumeId } from '../../../src/namespace/heads/head.ts'
import { createVolumeId } from '../../../src/namespace/heads/volume-id.ts'

export const TIME_MS = 1_760_000_000_000

/** A root id like any other; a larger number sorts later. */
export function rootOf(number: number): BlockId {
  const digest = new Uint8Array(32)
  new DataView(digest.buffer).setUint32(0, number)
  return createBlockId('dag-cbor', digest)
}

export interface Owner {
  readonly key: SigningKey
  readonly volume: VolumeId
  /** A head of this owner's volume; its root is `rootOf(sequence)` unless told otherwise. */
  readonly sign: (sequence: number, root?: BlockId) => Promise<SignedHead>
}

export async function createOwner(): Promise<Owner> {
  const key = await createSigningKey()
  return {
    key,
    volume: createVolumeId(key.publicKey),
    sign: (sequence, root = rootOf(sequence)) => signHead(key, { sequence, root, timeMs: TIME_MS })
  }
}
