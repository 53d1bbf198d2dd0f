/**
 * Chaskey-12, a keyed hash made of 32-bit additions, rotations and exclusive ors, for messages of
 * exactly 32 bytes: what a digest is turned into before it is added to a fingerprint. It is here
 * because it costs a tenth of a call to the platform's SHA-256, and comparing inventories takes
 * one a block.
 *
 * Source: Mouha, Mennink, Van Herrewege, Watanabe, Preneel, Verbauwhede: Chaskey: An Efficient MAC
 * Algorithm for 32-bit Microcontrollers, 2014, https://eprint.iacr.org/2014/386, and ISO/IEC
 * 29192-6. The algorithm ends with one of two keys, for whole and for padded messages; we have no
 * padded ones and take the second for ids of tree nodes, so that the codec is hashed as well.
 */
export const CHASKEY_KEY_BYTES = 16
const ROUNDS = 12

export interface ChaskeyKey {
  /** The key, then what ends a message of each kind: three times four words. */
  readonly words: Uint32Array
}

/** Throws a `TypeError` unless the key has 16 bytes. */
export function createChaskeyKey(key: Uint8Array): ChaskeyKey {
  if (key.length !== CHASKEY_KEY_BYTES) {
    throw new TypeError(`a key of ${key.length} bytes, not ${CHASKEY_KEY_BYTES}`)
  }
  const words = new Uint32Array(12)
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  for (let i = 0; i < 4; i++) words[i] = view.getUint32(4 * i, true)
  for (let from = 0; from < 8; from += 4) double(words, from)
  return { words }
}

/**
 * Hashes 8 words of `message` from `at` on. Writes the first two words of the hash to `into`: 64 of
 * its 128 bits are what we use. `kind` is 0 for a whole message and 1 for the other kind.
 */
export function chaskey(
  { words: key }: ChaskeyKey,
  message: Uint32Array,
  at: number,
  kind: number,
  into: Uint32Array
): void {
  const last = 4 + 4 * kind
  let a = key[0]! ^ message[at]!
  let b = key[1]! ^ message[at + 1]!
  let c = key[2]! ^ message[at + 2]!
  let d = key[3]! ^ message[at + 3]!
  for (let turn = 0; turn < 2 * ROUNDS; turn++) {
    if (turn === ROUNDS) {
      a ^= message[at + 4]! ^ key[last]!
      b ^= message[at + 5]! ^ key[last + 1]!
      c ^= message[at + 6]! ^ key[last + 2]!
      d ^= message[at + 7]! ^ key[last + 3]!
    }
    a = (a + b) | 0
    b = ((b << 5) | (b >>> 27)) ^ a
    a = (a << 16) | (a >>> 16)
    c = (c + d) | 0
    d = ((d << 8) | (d >>> 24)) ^ c
    a = (a + d) | 0
    d = ((d << 13) | (d >>> 19)) ^ a
    c = (c + b) | 0
    b = ((b << 7) | (b >>> 25)) ^ c
    c = (c << 16) | (c >>> 16)
  }
  into[0] = a ^ key[last]!
  into[1] = b ^ key[last + 1]!
}

/** Writes twice the four words after them, in the field of 2^128 elements. */
function double(words: Uint32Array, from: number): void {
  const carry = words[from + 3]! >>> 31
  for (let i = 3; i > 0; i--) {
    words[from + 4 + i] = (words[from + i]! << 1) | (words[from + i - 1]! >>> 31)
  }
  words[from + 4] = (words[from]! << 1) ^ (carry === 1 ? 0x87 : 0)
}
