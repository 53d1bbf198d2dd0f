/**
 * What a change among the holders makes the others move: how much in all, and how evenly it is
 * spread over those who pull and those who send. Used by `placement-repair.ts` and, with few blocks, by a test.
 */
import type { Holder } from '../src/replication/index.ts'
import { placeAll } from './placement-figures.ts'
import type { Blocks, Cluster } from './placement-figures.ts'

export interface Repair {
  /** Copies that were at holders who are not there any more. */
  readonly copiesGone: number
  /** Copies that are made at a new place. */
  readonly copiesMade: number
  /** Blocks of which nobody who is left has a copy. */
  readonly blocksLost: number
  /** Copies made at one holder, over the mean of all that are left: for each byte of pledge. */
  readonly pulledMost: number
  /** Copies sent by one holder, over the mean, when each is got from any that has it. */
  readonly sentMost: number
  /** Copies made at the holder that pulls most. */
  readonly pulledMostCopies: number
}

/** What follows when only those are left who `stays` names. */
export function measureRepair(
  cluster: Cluster,
  { ids }: Blocks,
  stays: (holder: Holder, number: number) => boolean
): Repair {
  const { holders, copies } = cluster
  const numbers = holders.flatMap((holder, number) => (stays(holder, number) ? [number] : []))
  const left = { holders: numbers.map(number => holders[number]!), copies }
  const isLeft = new Set(numbers)
  const [old, now] = [placeAll(cluster, ids), placeAll(left, ids)]
  const pulled = new Float64Array(holders.length)
  const sent = new Float64Array(holders.length)
  let [copiesGone, copiesMade, blocksLost] = [0, 0, 0]
  for (let block = 0; block < ids.length; block++) {
    const begin = block * copies
    const had = old.subarray(begin, begin + copies)
    const sources = had.filter(number => isLeft.has(number))
    copiesGone += copies - sources.length
    if (sources.length === 0) {
      blocksLost++
      continue
    }
    for (const index of now.subarray(begin, begin + copies)) {
      const number = numbers[index]!
      if (had.includes(number)) continue
      copiesMade++
      pulled[number]!++
      // Any of them, the same in every run.
      sent[sources[(block + number) % sources.length]!]!++
    }
  }
  const pledges = holders.map(({ pledgeBytes }) => pledgeBytes)
  return {
    copiesGone,
    copiesMade,
    blocksLost,
    pulledMost: mostOf(pulled, numbers, pledges),
    sentMost: mostOf(sent, numbers, pledges),
    pulledMostCopies: Math.max(...pulled)
  }
}

/** The largest share for a byte of pledge, over the mean share. */
function mostOf(
  counts: Float64Array,
  numbers: readonly number[],
  pledges: readonly number[]
): number {
  const total = numbers.reduce((sum, number) => sum + counts[number]!, 0)
  const pledged = numbers.reduce((sum, number) => sum + pledges[number]!, 0)
  const shares = numbers.map(number => (counts[number]! / total) * (pledged / pledges[number]!))
  return Math.max(...shares)
}
