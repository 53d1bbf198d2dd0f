/** The signing keys of the contract, over libp2p's Ed25519 so that one key is a peer's identity too. */
import {
  generateKeyPair,
  privateKeyFromProtobuf,
  privateKeyToProtobuf,
  publicKeyFromRaw
} from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { WarrenError } from '../errors.ts'
import type { SigningKey } from './signing-key.ts'

export const PUBLIC_KEY_BYTES = 32
export const SIGNATURE_BYTES = 64

/** A new key from the system's randomness. */
export async function createSigningKey(): Promise<SigningKey> {
  return new Ed25519SigningKey(await generateKeyPair('Ed25519'))
}

/** Reads what `export` gave. Throws `EINVAL` for anything else. */
export async function importSigningKey(bytes: Uint8Array): Promise<SigningKey> {
  const key = parse(bytes)
  if (key.type !== 'Ed25519') {
    throw new WarrenError('EINVAL', { message: `a key of type ${key.type}, not Ed25519` })
  }
  return new Ed25519SigningKey(key)
}

export interface SignedBytes {
  readonly publicKey: Uint8Array
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** False for anything but a valid signature, keys and signatures of wrong lengths included. */
export async function verifySignature(signed: SignedBytes): Promise<boolean> {
  const { publicKey, bytes, signature } = signed
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  try {
    const key = publicKeyFromRaw(publicKey)
    return key.type === 'Ed25519' && (await key.verify(bytes, signature))
  } catch {
    return false
  }
}

class Ed25519SigningKey implements SigningKey {
  readonly publicKey: Uint8Array
  readonly #key: Ed25519PrivateKey

  constructor(key: Ed25519PrivateKey) {
    this.#key = key
    this.publicKey = key.publicKey.raw
  }

  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#key.sign(bytes)
  }

  export(): Uint8Array {
    return privateKeyToProtobuf(this.#key)
  }
}

function parse(bytes: Uint8Array): ReturnType<typeof privateKeyFromProtobuf> {
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new WarrenError('EINVAL', { message: 'not a private key', cause })
  }
}
