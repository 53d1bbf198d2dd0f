/** The whole order of holders for a block, draining ones too: plain rather than fast. */
import type { HolderTable } from './holder-table.ts'
import { scoreOf } from './score.ts'
import type { Seed } from './shortfall.ts'
import { takes } from './takes.ts'

interface Candidate {
  readonly index: number
  readonly score: number
  /** How many holders of its zone come before it. */
  level: number
}

/**
 * Indexes of all holders that take the block, those first that should have the block first. Any beginning of it is the
 * placement of that many copies: every zone has one copy before any has two, and so on, and the
 * better score decides within a level. Active ones come before draining ones.
 */
export function rankAll(table: HolderTable, seed: Seed): number[] {
  const candidates: Candidate[] = []
  for (let index = 0; index < table.peers.length; index++) {
    if (!takes(table, index, seed)) continue
    candidates.push({ index, score: scoreOf(table, index, seed), level: 0 })
  }
  const isDraining = (index: number): number => (index < table.activeCount ? 0 : 1)
  const byScore = (one: Candidate, other: Candidate): number =>
    isDraining(one.index) - isDraining(other.index) ||
    one.score - other.score ||
    one.index - other.index
  candidates.sort(byScore)
  const copies = new Map<number, number>()
  for (const candidate of candidates) {
    const zone = table.zones[candidate.index]!
    candidate.level = copies.get(zone) ?? 0
    copies.set(zone, candidate.level + 1)
  }
  candidates.sort(
    (one, other) =>
      isDraining(one.index) - isDraining(other.index) ||
      one.level - other.level ||
      byScore(one, other)
  )
  return candidates.map(({ index }) => index)
}
