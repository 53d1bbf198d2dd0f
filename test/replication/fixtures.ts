/** Peers, lists and blocks as the tests of replication need them; the same in every run. */
import { createHash } from 'node:crypto'
import { createBlockId } from '../../src/blocks/index.ts'
import type { BlockId } from '../../src/blocks/index.ts'
import { createVolumeId } from '../../src/namespace/index.ts'
import type { InodeNumber, VolumeId } from '../../src/namespace/index.ts'
import { createSigningKey, peerIdOf } from '../../src/peer/index.ts'
import type { PeerId, SigningKey } from '../../src/peer/index.ts'
import { encodeHolderList } from '../../src/replication/index.ts'
import type { Holder, HolderList, HolderListFields, Policy } from '../../src/replication/index.ts'

export const THREE_COPIES: Policy = { replicas: 3, minimum: 2, on: [] }

/** 32 bytes that look random. */
export function digestFor(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}

export function peerFor(number: number): PeerId {
  return peerIdOf(digestFor(`peer ${number}`))
}

export function blockFor(number: number): BlockId {
  return createBlockId('raw', digestFor(`block ${number}`))
}

export function inode(number: number): InodeNumber {
  return number as InodeNumber
}

/** An active holder without a zone that pledges 1 GB, unless told otherwise. */
export function holderFor(number: number, fields: Partial<Holder> = {}): Holder {
  return { peer: peerFor(number), pledgeBytes: 1e9, zone: '', state: 'active', ...fields }
}

export function fieldsFor(fields: Partial<HolderListFields> = {}): HolderListFields {
  return { sequence: 1, policy: THREE_COPIES, overrides: new Map(), holders: [], ...fields }
}

export interface ListOwner {
  readonly key: SigningKey
  readonly volume: VolumeId
  readonly sign: (fields?: Partial<HolderListFields>) => Promise<HolderList>
}

export async function createListOwner(): Promise<ListOwner> {
  const key = await createSigningKey()
  return {
    key,
    volume: createVolumeId(key.publicKey),
    sign: fields => encodeHolderList(key, fieldsFor(fields))
  }
}
