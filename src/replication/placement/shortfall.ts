/**
 * The hash of a block and a holder, as a number between 0 and 1.
 *
 * Digests are uniform already, so what is needed is only to mix them well with the holder: here
 * the first 64 bits of the digest with 64 bits made of the holder's key, in four rounds of what
 * mixes 32-bit words fast in JavaScript, each step one-to-one. It resists nobody who looks for
 * collisions, and need not: who searches for bytes whose hash falls where they like decides where
 * their own block goes, and nobody else's block moves. Who searches for a peer key still needs the
 * volume's owner to sign it into the list.
 *
 * This is format: another mix is another placement, and every holder has to make the same.
 */
import { DIGEST_BYTES } from '../../blocks/index.ts'

const RESOLUTION = 2 ** -52

/** Odd constants of well-tried 32-bit hashes (MurmurHash3 and xxHash). */
const FACTORS = [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1] as const

/** Two words of 32 bits: of a block or of a holder. */
export interface Seed {
  first: number
  second: number
}

/** What stands for a holder: made of its whole public key, eight bytes at a time. */
export function seedOfKey(key: Uint8Array): Seed {
  let [first, second] = [0, 0]
  for (let at = 0; at + 8 <= key.length; at += 8) {
    first ^= firstWord(key, at)
    second ^= secondWord(key, at)
    first = Math.imul(first ^ (second >>> 15), FACTORS[0])
    second = Math.imul(second ^ (first >>> 13), FACTORS[1])
    first = Math.imul(first ^ (second >>> 16), FACTORS[2])
    second = Math.imul(second ^ (first >>> 15), FACTORS[3])
  }
  return { first, second }
}

/** The two words that stand for a block are the first eight bytes of its digest, big endian. */
export function firstWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

export function secondWord(bytes: Uint8Array, at: number): number {
  return firstWord(bytes, at + 4)
}

export function requireDigest(bytes: Uint8Array, at: number): void {
  if (at >= 0 && at + DIGEST_BYTES <= bytes.length) return
  throw new RangeError(`a digest at ${at} of ${bytes.length} bytes`)
}

/**
 * How much the hash falls short of 1: strictly between 0 and 1, in steps of 2^-52, so that 1 minus
 * it is exact and lies strictly between 0 and 1 too. Takes a word of the block with the same word
 * of the holder, combined by exclusive or.
 */
export function shortfallOf(first: number, second: number): number {
  let x = first
  let y = second
  x = Math.imul(x ^ (y >>> 15), FACTORS[0])
  y = Math.imul(y ^ (x >>> 13), FACTORS[1])
  x = Math.imul(x ^ (y >>> 16), FACTORS[2])
  y = Math.imul(y ^ (x >>> 15), FACTORS[3])
  x ^= y >>> 16
  return ((x >>> 0) * 2 ** 20 + (y >>> 12) + 0.5) * RESOLUTION
}
