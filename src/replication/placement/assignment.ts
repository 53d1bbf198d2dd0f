/**
 * What one holder should have: asked of every block of a volume, by every holder, so it looks at
 * no more holders than it must. As soon as enough others suit a block better, the answer is no.
 */
import { DIGEST_BYTES, digestOf } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import type { HolderTable } from './holder-table.ts'
import { rankAll } from './rank-all.ts'
import { isBetter, scoreOf } from './score.ts'
import type { Rival } from './score.ts'
import { firstWord, requireDigest, secondWord } from './shortfall.ts'
import type { Seed } from './shortfall.ts'

/** What one holder should keep under one policy. */
export interface Assignment {
  has(id: BlockId): boolean
  /** The same for the 32 bytes of sha2-256 that begin at `at`, 0 when absent. */
  hasDigest(bytes: Uint8Array, at?: number): boolean
  /** The ids that should be kept, in the order given. */
  select(ids: Iterable<BlockId>): BlockId[]
  /**
   * For digests that stand one after the other, without gaps: writes the numbers of those that
   * should be kept to `target`, which has room for all, and gives how many they are.
   */
  selectDigests(digests: Uint8Array, target: Uint32Array): number
}

export type Decide = (seed: Seed) => boolean

const ALWAYS: Decide = () => true
const NEVER: Decide = () => false

/** The assignment of the holder at `index`, of `copies` copies; -1: a peer that is no holder. */
export function createAssignment(table: HolderTable, index: number, copies: number): Assignment {
  return new HolderAssignment(chooseDecision(table, index, copies))
}

function chooseDecision(table: HolderTable, index: number, copies: number): Decide {
  if (index < 0) return NEVER
  if (copies >= table.peers.length) return ALWAYS
  if (index < table.activeCount) {
    if (copies >= table.activeCount) return ALWAYS
    const create = copies <= table.zoneCount ? createRaceOfZones : createRace
    return create(table, index, copies)
  }
  if (copies <= table.activeCount) return NEVER
  return seed => rankAll(table, seed).indexOf(index) < copies
}

/** No zone has two copies: counts the zones with somebody better, and stops when it is our own. */
function createRaceOfZones(table: HolderTable, index: number, copies: number): Decide {
  const { zones, activeCount } = table
  const ownZone = zones[index]!
  const [ownStart, ownEnd] = [table.zoneStarts[ownZone]!, table.zoneStarts[ownZone + 1]!]
  const rival: Rival = { index, score: 0 }
  return seed => {
    rival.score = scoreOf(table, index, seed)
    for (let other = ownStart; other < ownEnd; other++) {
      if (other !== index && isBetter(table, other, seed, rival)) return false
    }
    let before = 0
    let counted = ownZone
    for (let other = 0; other < activeCount; other++) {
      const zone = zones[other]!
      if (zone === counted || zone === ownZone || !isBetter(table, other, seed, rival)) continue
      if (++before === copies) return false
      counted = zone
    }
    return true
  }
}

/** Counts the holders that come before this one, and stops when they have taken all copies. */
function createRace(table: HolderTable, index: number, copies: number): Decide {
  const { zoneStarts, zoneCount } = table
  const ownZone = table.zones[index]!
  const rival: Rival = { index, score: 0 }

  /** How many of a zone are better, at most `most`. */
  function countBetter(zone: number, seed: Seed, most: number): number {
    const end = zoneStarts[zone + 1]!
    let count = 0
    for (let other = zoneStarts[zone]!; other < end && count < most; other++) {
      if (other !== index && isBetter(table, other, seed, rival)) count++
    }
    return count
  }

  /** Copies that zones take before any zone takes its copy number `level` + 1. */
  const takenBelow = Float64Array.from({ length: copies + 1 }, (_, level) => {
    let taken = 0
    for (let zone = 0; zone < zoneCount; zone++) {
      const size = zoneStarts[zone + 1]! - zoneStarts[zone]!
      taken += zone === ownZone ? level : Math.min(size, level)
    }
    return taken
  })
  const levelsMax = takenBelow.findIndex(taken => taken >= copies)

  return seed => {
    rival.score = scoreOf(table, index, seed)
    const level = countBetter(ownZone, seed, levelsMax)
    let before = takenBelow[level]!
    for (let zone = 0; zone < zoneCount && before < copies; zone++) {
      if (zone === ownZone) continue
      if (countBetter(zone, seed, level + 1) > level) before++
    }
    return before < copies
  }
}

/** By whatever decides for a block. */
export function createAssignmentBy(decide: Decide): Assignment {
  return new HolderAssignment(decide)
}

class HolderAssignment implements Assignment {
  readonly #decide: Decide
  readonly #seed: Seed = { first: 0, second: 0 }

  constructor(decide: Decide) {
    this.#decide = decide
  }

  has(id: BlockId): boolean {
    return this.hasDigest(digestOf(id))
  }

  hasDigest(bytes: Uint8Array, at = 0): boolean {
    requireDigest(bytes, at)
    this.#seed.first = firstWord(bytes, at)
    this.#seed.second = secondWord(bytes, at)
    return this.#decide(this.#seed)
  }

  select(ids: Iterable<BlockId>): BlockId[] {
    const selected: BlockId[] = []
    for (const id of ids) if (this.has(id)) selected.push(id)
    return selected
  }

  selectDigests(digests: Uint8Array, target: Uint32Array): number {
    const count = digests.length / DIGEST_BYTES
    if (!Number.isInteger(count) || target.length < count) {
      throw new RangeError(`${digests.length} bytes of digests into room for ${target.length}`)
    }
    let selected = 0
    for (let index = 0; index < count; index++) {
      if (this.hasDigest(digests, index * DIGEST_BYTES)) target[selected++] = index
    }
    return selected
  }
}
