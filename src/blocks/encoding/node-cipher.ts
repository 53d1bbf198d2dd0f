/** The cipher on `node:crypto`; asked for, and not imported, so that browsers can load this too. */
import type { Cipher } from './cipher.ts'
import { NONCE, TAG_BYTES } from './cipher.ts'

const ALGORITHM = 'aes-256-gcm'

export function findNodeCipher(): Cipher | undefined {
  const platform: Partial<NodeJS.Process> | undefined = globalThis.process
  const crypto = platform?.getBuiltinModule?.('node:crypto')
  if (crypto?.createHmac === undefined || crypto.createCipheriv === undefined) return undefined
  const options = { authTagLength: TAG_BYTES }
  return {
    async authenticate(key, parts) {
      const hmac = crypto.createHmac('sha256', key)
      for (const part of parts) hmac.update(part)
      return plain(hmac.digest())
    },
    async encrypt(key, parts, associated) {
      const cipher = crypto.createCipheriv(ALGORITHM, key, NONCE, options)
      cipher.setAAD(associated)
      const pieces = parts.map(part => cipher.update(part))
      pieces.push(cipher.final(), cipher.getAuthTag())
      return pieces.map(plain)
    },
    async decrypt(key, sealed, associated) {
      const textBytes = sealed.length - TAG_BYTES
      if (textBytes < 0) return undefined
      const decipher = crypto.createDecipheriv(ALGORITHM, key, NONCE, options)
      decipher.setAAD(associated)
      decipher.setAuthTag(sealed.subarray(textBytes))
      const text = decipher.update(sealed.subarray(0, textBytes))
      try {
        // Nothing is left to come out: in this mode every byte has come already.
        decipher.final()
      } catch {
        return undefined
      }
      return plain(text)
    }
  }
}

function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
