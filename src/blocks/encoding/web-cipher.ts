/** The cipher on Web Crypto, which browsers have. */
import type { Cipher } from './cipher.ts'
import { NONCE, TAG_BYTES } from './cipher.ts'
import { joinBytes } from '../join-bytes.ts'

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

type Bytes = Uint8Array<ArrayBuffer>

export function createWebCipher(): Cipher {
  const { subtle } = crypto
  const aesKey = (key: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> =>
    subtle.importKey('raw', key as Bytes, 'AES-GCM', false, [usage])
  const parameters = (associated: Uint8Array): AesGcmParams => ({
    name: 'AES-GCM',
    iv: NONCE as Bytes,
    additionalData: associated as Bytes,
    tagLength: 8 * TAG_BYTES
  })
  return {
    async authenticate(key, parts) {
      const imported = await subtle.importKey('raw', key as Bytes, HMAC, false, ['sign'])
      return new Uint8Array(await subtle.sign(HMAC, imported, joinBytes(parts)))
    },
    async encrypt(key, parts, associated) {
      const imported = await aesKey(key, 'encrypt')
      const text = joinBytes(parts)
      return [new Uint8Array(await subtle.encrypt(parameters(associated), imported, text))]
    },
    async decrypt(key, sealed, associated) {
      if (sealed.length < TAG_BYTES) return undefined
      const imported = await aesKey(key, 'decrypt')
      try {
        return new Uint8Array(
          await subtle.decrypt(parameters(associated), imported, sealed as Bytes)
        )
      } catch {
        // It says no more than that it could not; a platform that cannot at all fails at the key.
        return undefined
      }
    }
  }
}
