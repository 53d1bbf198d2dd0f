/**
 * A peer id is the multihash of its public key in base58. For Ed25519 that is the identity hash of
 * the key in protobuf form, so the key can be read back from the id.
 * Source: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
 */
import { base58btc } from 'multiformats/bases/base58'
import { WarrenError } from '../errors.ts'
import type { PeerId } from './peer.ts'

/** identity hash, 36 bytes: field 1 (type) is 1 (Ed25519), field 2 (key) has 32 bytes. */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PUBLIC_KEY_BYTES = 32

/** The id of the peer that holds this Ed25519 key, 32 bytes. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError(`a public key of ${publicKey.length} bytes, not ${PUBLIC_KEY_BYTES}`)
  }
  const bytes = new Uint8Array(PREFIX.length + PUBLIC_KEY_BYTES)
  bytes.set(PREFIX)
  bytes.set(publicKey, PREFIX.length)
  return base58btc.baseEncode(bytes) as PeerId
}

/** The Ed25519 key inside an id, 32 bytes. Throws `EINVAL` for other text and other kinds of key. */
export function publicKeyOf(id: string): Uint8Array {
  const bytes = decode(id)
  const valid =
    bytes?.length === PREFIX.length + PUBLIC_KEY_BYTES &&
    PREFIX.every((byte, index) => bytes[index] === byte)
  if (!valid) throw new WarrenError('EINVAL', { message: `'${id}' is not the id of a peer` })
  return bytes.slice(PREFIX.length)
}

export function isPeerId(text: string): text is PeerId {
  try {
    publicKeyOf(text)
    return true
  } catch {
    return false
  }
}

const ID_LENGTH_MAX = 64

function decode(id: string): Uint8Array | undefined {
  if (id.length > ID_LENGTH_MAX) return undefined
  try {
    return base58btc.baseDecode(id)
  } catch {
    return undefined
  }
}
