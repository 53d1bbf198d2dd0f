/**
 * Block ids as they stand in an inventory: the digest as eight numbers of 32 bits, most significant
 * first, and the codec as a ninth. Keys are ordered as these nine numbers are, and so as the bytes
 * of the digest are.
 *
 * A bound is a key that need not belong to a block. It goes over the wire as up to 33 bytes, the
 * digest and a byte for the codec, without the zeros at its end: a bound between two random digests
 * is the few bytes in which they differ.
 */
import { BLOCK_ID_BYTES, DIGEST_BYTES, blockIdToBytes, createBlockId } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'

export type Key = Uint32Array

export const DIGEST_WORDS = 8
export const KEY_WORDS = 9
export const BOUND_BYTES_MAX: number = DIGEST_BYTES + 1

const CODEC_BYTE = 1
const DIGEST_AT: number = BLOCK_ID_BYTES - DIGEST_BYTES
const DAG_CBOR = 0x71

export interface KeyRange {
  /** The first key that is inside; `undefined`: from the start. */
  readonly from: Key | undefined
  /** The first key that is not; `undefined`: to the end. */
  readonly to: Key | undefined
}

export function keyOf(id: BlockId): Key {
  return keyFromIdBytes(blockIdToBytes(id), 0)
}

/** Of the 36 bytes of an id. */
export function keyFromIdBytes(bytes: Uint8Array, at: number): Key {
  const key = new Uint32Array(KEY_WORDS)
  readDigest(bytes, at + DIGEST_AT, key)
  key[DIGEST_WORDS] = bytes[at + CODEC_BYTE] === DAG_CBOR ? 1 : 0
  return key
}

/** `words` holds a digest from `at` on. */
export function idOf(words: Uint32Array, at: number, codec: number): BlockId {
  const digest = new Uint8Array(DIGEST_BYTES)
  for (let i = 0, to = 0; i < DIGEST_WORDS; i++, to += 4) writeWord(digest, to, words[at + i]!)
  return createBlockId(codec === 1 ? 'dag-cbor' : 'raw', digest)
}

/** Of keys that are joined. */
export function idsOf(keys: Uint32Array): BlockId[] {
  const ids: BlockId[] = []
  for (let at = 0; at < keys.length; at += KEY_WORDS) {
    ids.push(idOf(keys, at, keys[at + DIGEST_WORDS]!))
  }
  return ids
}

/** The first bound above a key that belongs to a block. */
export function boundAfter(key: Key): Key {
  const bound = key.slice()
  bound[DIGEST_WORDS]!++
  return bound
}

export function compareKeys(one: Key, other: Key): number {
  for (let i = 0; i < KEY_WORDS; i++) {
    if (one[i] !== other[i]) return one[i]! < other[i]! ? -1 : 1
  }
  return 0
}

/** The shortest bound above `before` and not above `after`, which must be different keys in order. */
export function boundBetween(before: Key, after: Key): Key {
  const bound = new Uint32Array(KEY_WORDS)
  for (let i = 0; i < KEY_WORDS; i++) {
    const word = after[i]!
    bound[i] = word
    const difference = (word ^ before[i]!) >>> 0
    if (difference === 0) continue
    // The bytes after the first that differs do not matter.
    if (i < DIGEST_WORDS) bound[i] = word & (0xffff_ffff << (24 - (Math.clz32(difference) & 24)))
    return bound
  }
  return bound
}

/** `undefined`, the start or the end, is no bytes at all. */
export function encodeBound(bound: Key | undefined): Uint8Array {
  if (bound === undefined) return new Uint8Array(0)
  const bytes = new Uint8Array(BOUND_BYTES_MAX)
  for (let i = 0, to = 0; i < DIGEST_WORDS; i++, to += 4) writeWord(bytes, to, bound[i]!)
  bytes[DIGEST_BYTES] = bound[DIGEST_WORDS]!
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  return bytes.subarray(0, length)
}

/** `undefined` for what no bound is encoded as, and for no bytes. */
export function decodeBound(bytes: Uint8Array): Key | undefined {
  if (bytes.length === 0 || bytes.length > BOUND_BYTES_MAX || bytes.at(-1) === 0) return undefined
  const padded = new Uint8Array(BOUND_BYTES_MAX)
  padded.set(bytes)
  const key = new Uint32Array(KEY_WORDS)
  readDigest(padded, 0, key)
  key[DIGEST_WORDS] = padded[DIGEST_BYTES]!
  return key
}

function readDigest(bytes: Uint8Array, at: number, key: Key): void {
  for (let i = 0, from = at; i < DIGEST_WORDS; i++, from += 4) {
    key[i] =
      (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!
  }
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}
