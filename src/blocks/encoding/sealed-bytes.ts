/**
 * The format of sealed bytes. It is deterministic: equal content under one key has equal bytes, so
 * that what did not change is not stored or sent again. It shows that two blocks of a volume are
 * equal, and how long they are.
 *
 *     sealed     = version key-id vector ciphertext tag
 *     version    = 01
 *     key-id     = 8 bytes, which read key (derived-keys.ts)
 *     vector     = first 16 bytes of HMAC-SHA256(seal, length associated message)
 *     ciphertext, tag = AES-256-GCM(key: HMAC-SHA256(key, vector), nonce: 12 zeros,
 *                                   associated data: associated, plaintext: message)
 *
 * `seal` and `key` are derived from the volume's read key, another pair for data than for nodes.
 * `associated` is what stands beside the sealed bytes in clear and belongs to them, `length` its
 * length in 8 bytes, big endian. The tag is 16 bytes. The message is packed content (packed-bytes.ts).
 *
 * This is a synthetic initial vector (P. Rogaway, T. Shrimpton: Deterministic Authenticated-
 * Encryption, 2006), with a key of its own for each message as AES-GCM-SIV has it (RFC 8452): a
 * repeated nonce would give away the key of GCM, and its 12 bytes are few. Two messages share a key
 * when their vectors are equal: for q messages under one read key with probability q² / 2^129 at
 * most, 2^-49 for 2^40 blocks, which are 128 PiB in blocks of 128 KiB.
 *
 * Limits: 41 bytes at least; message at most a block.
 *
 * Example: the message `00 68 69`, data, with the read key of 32 zeros and nothing associated:
 *
 *     01  66 3c fa 5a 9f 16 99 4f  39 9f e7 f9 99 90 32 5f 3b ae 6d 92 40 a8 2e 48
 *     fa a8 15  5f a5 7c 51 99 84 39 24 12 3c 3e e6 f0 cf 48 af
 */
import { BLOCK_BYTES_MAX } from '../block.ts'
import { WarrenError } from '../../errors.ts'
import { CIPHER_KEY_BYTES, TAG_BYTES } from './cipher.ts'
import type { Cipher } from './cipher.ts'
import { KEY_ID_BYTES } from './derived-keys.ts'
import type { SealKeys } from './derived-keys.ts'
import { joinBytes } from '../join-bytes.ts'

const VERSION = 1
const VECTOR_BYTES = 16
const VECTOR_AT = 1 + KEY_ID_BYTES
const CIPHERTEXT_AT: number = VECTOR_AT + VECTOR_BYTES

/** What sealing adds to a message. */
export const SEAL_BYTES: number = CIPHERTEXT_AT + TAG_BYTES

/** Bytes that belong together: their parts stand one after the other. */
export interface Message {
  readonly parts: readonly Uint8Array[]
  readonly associated: Uint8Array
}

export async function sealBytes(
  cipher: Cipher,
  keys: SealKeys,
  { parts, associated }: Message
): Promise<Uint8Array> {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setUint32(4, associated.length)
  const whole = await cipher.authenticate(keys.seal, [length, associated, ...parts])
  const vector = whole.subarray(0, VECTOR_BYTES)
  const key = await messageKey(cipher, keys, vector)
  const text = await cipher.encrypt(key, parts, associated)
  return joinBytes([Uint8Array.of(VERSION), keys.id, vector, ...text])
}

/** The id of the read key. Throws `EPROTO` for what cannot be sealed bytes. */
export function keyIdOf(sealed: Uint8Array): Uint8Array {
  if (sealed.length < SEAL_BYTES) refuse(`${sealed.length} bytes, ${SEAL_BYTES} at least`)
  if (sealed.length > BLOCK_BYTES_MAX) refuse(`${sealed.length} bytes, ${BLOCK_BYTES_MAX} at most`)
  if (sealed[0] !== VERSION) refuse(`version ${sealed[0]}, ${VERSION} is known`)
  return sealed.subarray(1, VECTOR_AT)
}

/** The message. Throws `EPROTO` as `keyIdOf` does, and `EACCES` when it was not sealed with these keys. */
export async function openBytes(
  cipher: Cipher,
  keys: SealKeys,
  { sealed, associated }: { readonly sealed: Uint8Array; readonly associated: Uint8Array }
): Promise<Uint8Array> {
  keyIdOf(sealed)
  const key = await messageKey(cipher, keys, sealed.subarray(VECTOR_AT, CIPHERTEXT_AT))
  const message = await cipher.decrypt(key, sealed.subarray(CIPHERTEXT_AT), associated)
  if (message !== undefined) return message
  throw new WarrenError('EACCES', { message: 'the read key does not open it' })
}

async function messageKey(cipher: Cipher, keys: SealKeys, vector: Uint8Array): Promise<Uint8Array> {
  return (await cipher.authenticate(keys.key, [vector])).subarray(0, CIPHER_KEY_BYTES)
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `sealed bytes: ${why}` })
}
