/**
 * How well a holder suits a block: -ln(u) / weight for a hash u between 0 and 1, the smaller the
 * better. That is the reciprocal of the -weight / ln(u) of the literature, so it orders the same.
 *
 * Each score is exponentially distributed with the weight as its rate, so the best of several is
 * holder i with probability weight(i) / sum of weights, and a score depends on no other holder.
 * Sources: Thaler, Ravishankar, "Using name-based mappings to increase hit rates" (1998);
 * Schindelhauer, Schomaker, "Weighted distributed hash tables" (2005);
 * https://datatracker.ietf.org/doc/html/draft-mohanty-bess-weighted-hrw-02
 *
 * A logarithm is needed for few: with v = 1 - u it lies between v and v / (1 - v), and most
 * comparisons are decided by that already.
 */
import type { HolderTable } from './holder-table.ts'
import { negativeLogarithm } from './logarithm.ts'
import { shortfallOf } from './shortfall.ts'
import type { Seed } from './shortfall.ts'

/** Wider than any rounding here, so that a bound never decides what the scores would not. */
export const UNDER: number = 1 - 2 ** -40

export function scoreOf(table: HolderTable, index: number, seed: Seed): number {
  const shortfall = shortfallOf(
    table.firstSeeds[index]! ^ seed.first,
    table.secondSeeds[index]! ^ seed.second
  )
  return negativeLogarithm(1 - shortfall) / table.weights[index]!
}

/** Whether this holder suits the block better than `rival`, which has that score. */
export function isBetter(
  table: HolderTable,
  index: number,
  { first, second }: Seed,
  rival: Rival
): boolean {
  const shortfall = shortfallOf(
    table.firstSeeds[index]! ^ first,
    table.secondSeeds[index]! ^ second
  )
  const weight = table.weights[index]!
  const bound = rival.score * weight
  if (shortfall * UNDER > bound) return false
  const hash = 1 - shortfall
  if (shortfall < bound * hash * UNDER) return true
  const score = negativeLogarithm(hash) / weight
  return score < rival.score || (score === rival.score && index < rival.index)
}

export interface Rival {
  index: number
  score: number
}
