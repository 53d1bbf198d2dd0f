/**
 * What placement does to a cluster: how evenly blocks are spread, how many move when a list
 * changes, and what a placement costs. Used by `placement.ts` and, with few blocks, by a test.
 */
import { createHash } from 'node:crypto'
import { DIGEST_BYTES, createBlockId } from '../src/blocks/index.ts'
import type { BlockId } from '../src/blocks/index.ts'
import { peerIdOf } from '../src/peer/index.ts'
import { createPlacement } from '../src/replication/index.ts'
import type { Holder, Policy } from '../src/replication/index.ts'

export interface Cluster {
  readonly holders: readonly Holder[]
  readonly copies: number
}

export interface Blocks {
  readonly ids: readonly BlockId[]
  /** Their digests, one after the other. */
  readonly digests: Uint8Array
}

export interface Balance {
  /** The fullest and the emptiest holder, as copies for each byte of pledge; 1 is the mean. */
  readonly most: number
  readonly least: number
}

export interface Movement {
  /** Copies that are made at a new place. */
  readonly moved: number
  /** Moved, divided by what the loads before and after make unavoidable. */
  readonly toUnavoidable: number
  /** Moved, divided by what moves when every load is exactly proportional to its pledge. */
  readonly toProportional: number
}

export interface Speed {
  readonly placementsPerSecond: number
  /** Digests for which one holder asked whether they are its own. */
  readonly questionsPerSecond: number
}

export function createBlocks(count: number): Blocks {
  const digests = new Uint8Array(count * DIGEST_BYTES)
  const ids = Array.from({ length: count }, (_, number) => {
    const digest = createHash('sha256').update(`block ${number}`).digest()
    digests.set(digest, number * DIGEST_BYTES)
    return createBlockId('raw', digest)
  })
  return { ids, digests }
}

export interface ClusterShape {
  readonly holders: number
  readonly zones: number
  /** Pledges in turn, in any unit; `[1]` makes all alike. */
  readonly pledges: readonly number[]
  readonly copies: number
}

/** The same holders in every run. With `holders` larger by one it is the same cluster and one more. */
export function createCluster({ holders, zones, pledges, copies }: ClusterShape): Cluster {
  const all = Array.from({ length: holders }, (_, number): Holder => {
    const key = createHash('sha256').update(`holder ${number}`).digest()
    // Pledges change once around the zones, so that every zone has some of each.
    const pledge = pledges[Math.floor(number / zones) % pledges.length]!
    const zone = `zone ${number % zones}`
    return { peer: peerIdOf(key), pledgeBytes: pledge * 1e9, zone, state: 'active' }
  })
  return { holders: all, copies }
}

export function measureBalance(cluster: Cluster, { ids }: Blocks): Balance {
  const loads = countLoads(placeAll(cluster, ids), cluster.holders.length)
  const proportional = proportionalLoads(cluster, ids.length)
  const ratios = loads.map((load, index) => load / proportional[index]!)
  return { most: Math.max(...ratios), least: Math.min(...ratios) }
}

export function measureMovement(before: Cluster, after: Cluster, { ids }: Blocks): Movement {
  const [old, now] = [placeAll(before, ids), placeAll(after, ids)]
  // Numbers of holders mean the same in both: clusters change at their end only.
  const count = Math.max(before.holders.length, after.holders.length)
  let moved = 0
  for (let block = 0; block < ids.length; block++) {
    const had = new Set(old.subarray(block * before.copies, (block + 1) * before.copies))
    for (const holder of now.subarray(block * after.copies, (block + 1) * after.copies)) {
      if (!had.has(holder)) moved++
    }
  }
  const unavoidable = sumOfGains(countLoads(old, count), countLoads(now, count))
  const proportional = sumOfGains(
    proportionalLoads(before, ids.length),
    proportionalLoads(after, ids.length)
  )
  return { moved, toUnavoidable: moved / unavoidable, toProportional: moved / proportional }
}

export function measureSpeed({ holders, copies }: Cluster, { ids, digests }: Blocks): Speed {
  const placement = createPlacement({ holders })
  const policy: Policy = { replicas: copies, minimum: 1, on: [] }
  const assignment = placement.assignmentOf(holders[0]!.peer, policy)
  const target = new Uint32Array(ids.length)
  const perSecond = (run: () => void): number => {
    run()
    const start = performance.now()
    run()
    return (ids.length / (performance.now() - start)) * 1000
  }
  return {
    placementsPerSecond: perSecond(() => {
      for (const id of ids) placement.place(id, policy)
    }),
    questionsPerSecond: perSecond(() => assignment.selectDigests(digests, target))
  }
}

/** Numbers of the holders of every block, `copies` for each. */
export function placeAll({ holders, copies }: Cluster, ids: readonly BlockId[]): Uint16Array {
  const placement = createPlacement({ holders })
  const policy: Policy = { replicas: copies, minimum: 1, on: [] }
  const numbers = new Map(holders.map(({ peer }, number) => [peer, number]))
  const placed = new Uint16Array(ids.length * copies)
  let at = 0
  for (const id of ids) {
    for (const peer of placement.place(id, policy)) placed[at++] = numbers.get(peer)!
  }
  return placed
}

function countLoads(placed: Uint16Array, holders: number): number[] {
  const loads = Array.from({ length: holders }, () => 0)
  for (const holder of placed) loads[holder]!++
  return loads
}

/** What each holder would have if pledges were all that counted. */
function proportionalLoads({ holders, copies }: Cluster, blocks: number): number[] {
  const total = holders.reduce((sum, { pledgeBytes }) => sum + pledgeBytes, 0)
  return holders.map(({ pledgeBytes }) => (copies * blocks * pledgeBytes) / total)
}

function sumOfGains(before: readonly number[], after: readonly number[]): number {
  return after.reduce((sum, load, index) => sum + Math.max(0, load - (before[index] ?? 0)), 0)
}
