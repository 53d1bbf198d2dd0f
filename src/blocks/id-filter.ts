/**
 * A set of block ids that may claim to hold one it does not, and never the other way round: what
 * collection needs to remember a million live blocks in a megabyte and a bit.
 * Source: B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970.
 */
import type { BlockId } from './block-id.ts'
import { digestOf } from './block-id.ts'

/** With 7 probes about 1 % of dead blocks are kept by mistake, until a later run with another salt. */
const BITS_PER_ID = 10
const PROBES = 7

export interface IdFilter {
  add(id: BlockId): void
  has(id: BlockId): boolean
}

/** `idsMax`: how many ids it is sized for. `salt`: any 32-bit number; other salts err on other ids. */
export function createIdFilter(options: {
  readonly idsMax: number
  readonly salt: number
}): IdFilter {
  const bitCount = 32 * Math.ceil(Math.max(1, options.idsMax * BITS_PER_ID) / 32)
  const words = new Uint32Array(bitCount / 32)
  const salt = options.salt | 1

  // A digest is uniformly random already: its own words, stirred, are the hash functions.
  const probe = (digest: DataView, index: number): number =>
    (Math.imul(digest.getUint32(4 * index), salt) ^ digest.getUint32(28 - 4 * index)) >>> 0

  return {
    add(id) {
      const digest = viewOf(id)
      for (let index = 0; index < PROBES; index++) {
        const bit = probe(digest, index) % bitCount
        words[bit >>> 5]! |= 1 << (bit & 31)
      }
    },
    has(id) {
      const digest = viewOf(id)
      for (let index = 0; index < PROBES; index++) {
        const bit = probe(digest, index) % bitCount
        if ((words[bit >>> 5]! & (1 << (bit & 31))) === 0) return false
      }
      return true
    }
  }
}

function viewOf(id: BlockId): DataView {
  const digest = digestOf(id)
  return new DataView(digest.buffer, digest.byteOffset, digest.length)
}
