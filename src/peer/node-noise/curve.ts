/**
 * X25519 over raw keys, which Node takes and gives in the envelopes of RFC 8410 only: a fixed
 * prefix before the 32 bytes.
 */
import type { KeyPair } from '@chainsafe/libp2p-noise'
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

const PRIVATE_FORMAT = { format: 'der', type: 'pkcs8' } as const
const PUBLIC_FORMAT = { format: 'der', type: 'spki' } as const

export function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519', {
    privateKeyEncoding: PRIVATE_FORMAT,
    publicKeyEncoding: PUBLIC_FORMAT
  })
  return {
    privateKey: privateKey.subarray(PRIVATE_PREFIX.length),
    publicKey: publicKey.subarray(PUBLIC_PREFIX.length)
  }
}

export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const exported = createPublicKey(importPrivate(seed)).export(PUBLIC_FORMAT)
  return { privateKey: seed, publicKey: exported.subarray(PUBLIC_PREFIX.length) }
}

/** Throws for a public key of small order, whose shared key anybody knows. */
export function sharedKey(keys: KeyPair): Uint8Array {
  return diffieHellman({
    privateKey: importPrivate(keys.privateKey),
    publicKey: importPublic(keys.publicKey)
  })
}

function importPrivate(key: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, key]), ...PRIVATE_FORMAT })
}

function importPublic(key: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, key]), ...PUBLIC_FORMAT })
}
