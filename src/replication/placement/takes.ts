/**
 * Which of the blocks that placement gives it a holder takes that does not take all: those whose
 * level, a hash of block and holder of its own, is below the holder's share. A share that gets
 * smaller by a hundredth gives up a hundredth of the blocks, whichever they are.
 */
import { digestOf } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { publicKeyOf } from '../../peer/index.ts'
import type { PeerId } from '../../peer/index.ts'
import { SHARE_ALL } from '../holders/shares.ts'
import type { HolderTable } from './holder-table.ts'
import { firstWord, secondWord, seedOfKey, shortfallOf } from './shortfall.ts'
import type { Seed } from './shortfall.ts'

/**
 * Keeps the level from having to do with the score: a holder gets the blocks that score well, and
 * among those the levels have to be even. It is format, as the score is.
 */
const APART = 0x6a09e667

/** From 0 up to `SHARE_ALL`. */
function levelOf(holder: Seed, block: Seed): number {
  const first = holder.first ^ block.first ^ APART
  return shortfallOf(first, holder.second ^ block.second) * SHARE_ALL
}

/** Whether a holder takes a block, if placement gives it to it. */
export function takes(table: HolderTable, index: number, seed: Seed): boolean {
  const share = table.shares === undefined ? SHARE_ALL : table.shares[index]!
  if (share >= SHARE_ALL) return true
  const holder = { first: table.firstSeeds[index]!, second: table.secondSeeds[index]! }
  return levelOf(holder, seed) < share
}

/** The levels of blocks at one holder. */
export function createLevels(peer: PeerId): (id: BlockId) => number {
  const holder = seedOfKey(publicKeyOf(peer))
  return id => {
    const digest = digestOf(id)
    return levelOf(holder, { first: firstWord(digest, 0), second: secondWord(digest, 0) })
  }
}
