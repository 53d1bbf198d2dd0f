/**
 * A holder list laid out for placement: numbers in arrays, holders of one zone next to each other.
 *
 * The order depends on what the list says and not on the order it says it in. Within a zone heavy
 * holders come first, since they are the likely winners and whoever loses to them is soon done.
 */
import { publicKeyOf } from '../../peer/index.ts'
import type { PeerId } from '../../peer/index.ts'
import { compareBytes } from '../holders/compare-bytes.ts'
import { SHARE_ALL, shareOf } from '../holders/shares.ts'
import type { CountedHolder } from '../holders/shares.ts'
import { seedOfKey } from './shortfall.ts'

export interface HolderTable {
  readonly peers: readonly PeerId[]
  /** Active holders are 0 to here, draining ones from here on. */
  readonly activeCount: number
  readonly firstSeeds: Int32Array
  readonly secondSeeds: Int32Array
  readonly weights: Float64Array
  /** What each takes of what it is given; undefined: everybody takes all. */
  readonly shares: Uint16Array | undefined
  /** Number of each holder's zone, for draining ones too. */
  readonly zones: Uint16Array
  /** Where the active holders of each zone begin, and the end of the last: `zoneCount` + 1. */
  readonly zoneStarts: Uint32Array
  /** Zones with an active holder; they have the lowest numbers. */
  readonly zoneCount: number
}

interface Row {
  readonly holder: CountedHolder
  readonly key: Uint8Array
}

export function createHolderTable(holders: readonly CountedHolder[]): HolderTable {
  const rows = holders
    .map(holder => ({ holder, key: publicKeyOf(holder.peer) }))
    .toSorted(compareRows)
  const numbers = new Map<string, number>()
  for (const { holder } of rows) {
    if (!numbers.has(holder.zone)) numbers.set(holder.zone, numbers.size)
  }
  const active = rows.filter(({ holder }) => holder.state === 'active')
  const zoneStarts = active.flatMap(({ holder }, index) => {
    return holder.zone === active[index - 1]?.holder.zone ? [] : [index]
  })
  const seeds = rows.map(({ key }) => seedOfKey(key))
  const isLimited = holders.some(holder => shareOf(holder) < SHARE_ALL)
  return {
    peers: rows.map(({ holder }) => holder.peer),
    activeCount: active.length,
    firstSeeds: Int32Array.from(seeds, ({ first }) => first),
    secondSeeds: Int32Array.from(seeds, ({ second }) => second),
    weights: Float64Array.from(rows, ({ holder }) => holder.pledgeBytes),
    shares: isLimited ? Uint16Array.from(rows, ({ holder }) => shareOf(holder)) : undefined,
    zones: Uint16Array.from(rows, ({ holder }) => numbers.get(holder.zone)!),
    zoneStarts: Uint32Array.from([...zoneStarts, active.length]),
    zoneCount: zoneStarts.length
  }
}

function compareRows(one: Row, other: Row): number {
  const [a, b] = [one.holder, other.holder]
  if (a.state !== b.state) return a.state === 'active' ? -1 : 1
  if (a.zone !== b.zone) return a.zone < b.zone ? -1 : 1
  return b.pledgeBytes - a.pledgeBytes || compareBytes(one.key, other.key)
}
