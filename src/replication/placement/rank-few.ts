/**
 * The first few of the order that `rankAll` gives, without looking closely at the others: what
 * everybody asks of every block. Works in memory of its own that is used again, and keeps nothing.
 */
import type { HolderTable } from './holder-table.ts'
import { negativeLogarithm } from './logarithm.ts'
import { UNDER } from './score.ts'
import { shortfallOf } from './shortfall.ts'
import type { Seed } from './shortfall.ts'
import { takes } from './takes.ts'

/** From here on sorting all is not slower than inserting into long lists. */
export const FEW_MAX = 16

/** A list of indexes by ascending score, of bounded length. Equal scores: the first one stays. */
class BestFew {
  readonly indexes: Uint16Array = new Uint16Array(FEW_MAX)
  readonly scores: Float64Array = new Float64Array(FEW_MAX)
  length = 0
  #most = 0

  reset(most: number): void {
    this.length = 0
    this.#most = most
  }

  /** The score that one more has to beat. */
  get worst(): number {
    return this.length < this.#most ? Infinity : this.scores[this.length - 1]!
  }

  add(index: number, score: number): void {
    if (score >= this.worst) return
    let at = this.length < this.#most ? this.length++ : this.length - 1
    for (; at > 0 && this.scores[at - 1]! > score; at--) {
      this.scores[at] = this.scores[at - 1]!
      this.indexes[at] = this.indexes[at - 1]!
    }
    this.scores[at] = score
    this.indexes[at] = index
  }
}

export class FewRanker {
  readonly #table: HolderTable
  readonly #best = new BestFew()
  readonly #inZone = new BestFew()
  /** For each level, the holders that have that place in their zone. */
  readonly #levels: readonly BestFew[] = Array.from({ length: FEW_MAX }, () => new BestFew())
  readonly #found = new Uint16Array(FEW_MAX)

  constructor(table: HolderTable) {
    this.#table = table
  }

  /**
   * The first `count` indexes, best first, in memory that the next call uses again: fewer when not
   * as many active holders take the block. Asks for no more than `FEW_MAX` and no more than there
   * are active holders.
   */
  rank(seed: Seed, count: number): Uint16Array {
    const { zoneCount } = this.#table
    if (zoneCount === 1) return this.#rankOneZone(seed, count)
    return count <= zoneCount ? this.#rankOneOfEach(seed, count) : this.#rankLevels(seed, count)
  }

  #rankOneZone(seed: Seed, count: number): Uint16Array {
    const best = this.#best
    best.reset(count)
    this.#scan(seed, 0, best)
    return best.indexes.subarray(0, best.length)
  }

  /** As many zones as copies, or more: the best zones, each by its best holder. */
  #rankOneOfEach(seed: Seed, count: number): Uint16Array {
    const { firstSeeds, secondSeeds, weights, zones, activeCount } = this.#table
    const { first, second } = seed
    const best = this.#best
    best.reset(count)
    let zone = -1
    let zoneBest = -1
    let most = Infinity
    // One loop over all, because zones of a single holder are common, and a loop each is dear.
    for (let index = 0; index < activeCount; index++) {
      if (zones[index] !== zone) {
        if (zoneBest >= 0) best.add(zoneBest, most)
        zone = zones[index]!
        zoneBest = -1
        most = best.worst
      }
      const shortfall = shortfallOf(firstSeeds[index]! ^ first, secondSeeds[index]! ^ second)
      const weight = weights[index]!
      if (shortfall * UNDER > most * weight) continue
      const score = negativeLogarithm(1 - shortfall) / weight
      if (score >= most || !takes(this.#table, index, seed)) continue
      most = score
      zoneBest = index
    }
    if (zoneBest >= 0) best.add(zoneBest, most)
    return best.indexes.subarray(0, best.length)
  }

  /** Every zone has at least one copy, where all take all, so none has more than this many. */
  #rankLevels(seed: Seed, count: number): Uint16Array {
    const { zoneCount, shares } = this.#table
    const levelCount = shares === undefined ? count - zoneCount + 1 : count
    for (let level = 0; level < levelCount; level++) this.#levels[level]!.reset(count)
    for (let zone = 0; zone < zoneCount; zone++) {
      const inZone = this.#inZone
      inZone.reset(levelCount)
      this.#scan(seed, zone, inZone)
      for (let level = 0; level < inZone.length; level++) {
        this.#levels[level]!.add(inZone.indexes[level]!, inZone.scores[level]!)
      }
    }
    let found = 0
    for (let level = 0; found < count && level < levelCount; level++) {
      const { indexes, length } = this.#levels[level]!
      const taken = Math.min(length, count - found)
      for (let index = 0; index < taken; index++) this.#found[found++] = indexes[index]!
    }
    return this.#found.subarray(0, found)
  }

  /** Adds the holders of one zone that count among its best. */
  #scan(seed: Seed, zone: number, inZone: BestFew): void {
    const table = this.#table
    const { firstSeeds, secondSeeds, weights } = table
    const { first, second } = seed
    const end = table.zoneStarts[zone + 1]!
    let most = inZone.worst
    for (let index = table.zoneStarts[zone]!; index < end; index++) {
      const shortfall = shortfallOf(firstSeeds[index]! ^ first, secondSeeds[index]! ^ second)
      const weight = weights[index]!
      if (shortfall * UNDER > most * weight) continue
      const score = negativeLogarithm(1 - shortfall) / weight
      if (score >= most || !takes(table, index, seed)) continue
      inZone.add(index, score)
      most = inZone.worst
    }
  }
}
