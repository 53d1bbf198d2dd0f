/**
 * The primitives of Noise_XX_25519_ChaChaPoly_SHA256 on Node's own cryptography, for
 * `noise({ crypto })`. On the wire there is no difference to the implementation that noise brings;
 * what differs is the processor time, see `docs/decisions/004-noise-primitives.md`.
 */
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { createHash, hkdfSync } from 'node:crypto'
import { decrypt, encrypt } from './cipher.ts'
import { generateKeyPair, keyPairFromSeed, sharedKey } from './curve.ts'

const KEY_BYTES = 32
const NOTHING = new Uint8Array(0)

export const nodePrimitives: ICryptoInterface = {
  hashSHA256: data => {
    const hash = createHash('sha256')
    if (data instanceof Uint8Array) hash.update(data)
    else for (const part of data) hash.update(part)
    return hash.digest()
  },

  getHKDF: (chainingKey, inputKey) => {
    const keys = hkdfSync('sha256', inputKey, chainingKey, NOTHING, 3 * KEY_BYTES)
    return [
      new Uint8Array(keys, 0, KEY_BYTES),
      new Uint8Array(keys, KEY_BYTES, KEY_BYTES),
      new Uint8Array(keys, 2 * KEY_BYTES, KEY_BYTES)
    ]
  },

  generateX25519KeyPair: generateKeyPair,
  generateX25519KeyPairFromSeed: keyPairFromSeed,
  generateX25519SharedKey: (privateKey, publicKey) =>
    sharedKey({ privateKey: privateKey.subarray(), publicKey: publicKey.subarray() }),

  chaCha20Poly1305Encrypt: (plaintext, nonce, additional, key) =>
    encrypt(plaintext, { key, nonce, additional }),
  chaCha20Poly1305Decrypt: (ciphertext, nonce, additional, key) =>
    decrypt(ciphertext, { key, nonce, additional })
}
