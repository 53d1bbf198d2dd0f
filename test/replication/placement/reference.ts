/** Placement as its description says it, slow and plain, to hold the fast one against. */
import { digestOf } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { publicKeyOf } from '../../../src/peer/index.ts'
import type { PeerId } from '../../../src/peer/index.ts'
import type { Holder } from '../../../src/replication/index.ts'

const MASK = 0xffffffffn
const FACTORS = [0x85ebca6bn, 0xc2b2ae35n, 0x27d4eb2fn, 0x165667b1n] as const

type Words = readonly [bigint, bigint]

/**
 * All holders, in the order in which they are given copies: the best of those in the zone that has
 * the fewest copies, one after the other; draining ones when no active one is left.
 */
export function rankPlainly(id: BlockId, holders: readonly Holder[]): PeerId[] {
  const waiting = holders.map(holder => ({ holder, score: plainScore(id, holder) }))
  const copies = new Map<string, number>()
  const ranked: PeerId[] = []
  while (waiting.length > 0) {
    waiting.sort(
      (one, other) =>
        Number(one.holder.state === 'draining') - Number(other.holder.state === 'draining') ||
        (copies.get(one.holder.zone) ?? 0) - (copies.get(other.holder.zone) ?? 0) ||
        one.score - other.score
    )
    const { peer, zone } = waiting.shift()!.holder
    copies.set(zone, (copies.get(zone) ?? 0) + 1)
    ranked.push(peer)
  }
  return ranked
}

function plainScore(id: BlockId, { peer, pledgeBytes }: Holder): number {
  let words: Words = [0n, 0n]
  const key = publicKeyOf(peer)
  for (let at = 0; at < key.length; at += 8) words = mix(xor(words, wordsAt(key, at)))
  const [first, second] = mix(xor(words, wordsAt(digestOf(id), 0)))
  const shortfall = ((first ^ (second >> 16n)) << 20n) | (second >> 12n)
  return -Math.log1p(-(Number(shortfall) + 0.5) / 2 ** 52) / pledgeBytes
}

function mix([first, second]: Words): Words {
  let [x, y] = [first, second]
  x = ((x ^ (y >> 15n)) * FACTORS[0]) & MASK
  y = ((y ^ (x >> 13n)) * FACTORS[1]) & MASK
  x = ((x ^ (y >> 16n)) * FACTORS[2]) & MASK
  y = ((y ^ (x >> 15n)) * FACTORS[3]) & MASK
  return [x, y]
}

function xor([a, b]: Words, [c, d]: Words): Words {
  return [a ^ c, b ^ d]
}

function wordsAt(bytes: Uint8Array, at: number): Words {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  return [BigInt(view.getUint32(0)), BigInt(view.getUint32(4))]
}
