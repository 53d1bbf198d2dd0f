/**
 * The keys that come from a read key, by HKDF-SHA256 (RFC 5869): 32 bytes each, except the id.
 *
 *     salt = 'warren sealing 1'
 *     info = 'id'                       8 bytes: which read key a block was sealed with
 *            'data seal', 'data key'    blocks of files
 *            'node seal', 'node key'    nodes of the tree
 */
import type { Cipher } from './cipher.ts'
import type { ReadKey } from './read-key.ts'
import { readKeyToBytes } from './read-key.ts'

export const KEY_ID_BYTES = 8

/** What one kind of block is sealed with. */
export interface SealKeys {
  /** Tells apart keys of a volume, in clear; eight bytes, so that nobody makes another key with the same. */
  readonly id: Uint8Array
  /** What the synthetic initial vector of a message is computed with. */
  readonly seal: Uint8Array
  /** What that message's own key is computed with, from its vector. */
  readonly key: Uint8Array
}

export interface DerivedKeys {
  readonly id: Uint8Array
  readonly data: SealKeys
  readonly node: SealKeys
}

const SALT = ascii('warren sealing 1')

export async function deriveKeys(cipher: Cipher, readKey: ReadKey): Promise<DerivedKeys> {
  const extracted = await cipher.authenticate(SALT, [readKeyToBytes(readKey)])
  // One step of HKDF's expansion: no key is longer than what HMAC-SHA256 gives.
  const expand = (info: string): Promise<Uint8Array> =>
    cipher.authenticate(extracted, [ascii(info), Uint8Array.of(1)])
  const id = (await expand('id')).slice(0, KEY_ID_BYTES)
  return {
    id,
    data: { id, seal: await expand('data seal'), key: await expand('data key') },
    node: { id, seal: await expand('node seal'), key: await expand('node key') }
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
