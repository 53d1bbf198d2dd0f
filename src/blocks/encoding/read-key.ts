/**
 * The read key of a volume: 32 random bytes, passed around as 43 characters of base64url because
 * links and settings want text. Who has it reads the volume; who has not can only hold it. It says
 * nothing about who may write.
 */
import { WarrenError } from '../../errors.ts'

export type ReadKey = string & { readonly __brand: 'ReadKey' }

export const READ_KEY_BYTES = 32
export const READ_KEY_LENGTH = 43

export function createReadKey(): ReadKey {
  return formatReadKey(crypto.getRandomValues(new Uint8Array(READ_KEY_BYTES)))
}

/** Throws a `TypeError` unless there are 32 bytes. */
export function formatReadKey(bytes: Uint8Array): ReadKey {
  if (bytes.length !== READ_KEY_BYTES) throw new TypeError(`a read key has ${READ_KEY_BYTES} bytes`)
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').slice(0, READ_KEY_LENGTH) as ReadKey
}

/** Throws `EINVAL` for anything but the text of a read key. The text is in no message: it is a secret. */
export function parseReadKey(text: string): ReadKey {
  // The last of 43 characters has two bits too many. They must be zero, or a key had several texts.
  if (/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)) return text as ReadKey
  throw new WarrenError('EINVAL', { message: 'that is not a read key' })
}

export function readKeyToBytes(key: ReadKey): Uint8Array {
  const text = atob(key.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, character => character.charCodeAt(0))
}
