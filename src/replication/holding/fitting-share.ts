/**
 * How much of its part a holder can take: the largest share with which what is its own fits its
 * pledge, and whether there is room for more again.
 */
import { createLevels } from '../placement/takes.ts'
import { SHARE_ALL } from '../holders/shares.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { BLOCK_BYTES_GUESS, FITTING, RAISE_MIN, ROOMY, SHARE_FIRST } from './limits.ts'
import type { Part } from './part.ts'

export interface Fitting {
  readonly blocks: HeldBlocks
  readonly part: Part
  /** The root of a version that is let go of; undefined: none. */
  readonly former: number | undefined
  readonly pledgeBytes: number
}

export interface FittingShares {
  /** Once others have what is not ours any more. */
  readonly ours: number
  /** When they do not take it. */
  readonly besideSurplus: number
}

export function fittingShares(fitting: Fitting): FittingShares {
  return {
    ours: fittingShare(fitting, { stays: false }),
    besideSurplus: fittingShare(fitting, { stays: true })
  }
}

/**
 * What we have now when all fits; 0 when not even that does which everybody has to have. With
 * `stays`, what is here stays too, ours or not, because nobody takes it from us.
 */
function fittingShare(
  { blocks, part, former, pledgeBytes }: Fitting,
  { stays }: { readonly stays: boolean }
): number {
  const leaving = former === undefined ? undefined : blocks.onlyBelow(former)
  const levels = createLevels(part.self)
  const guess = meanSize(blocks)
  const data: { readonly level: number; readonly bytes: number }[] = []
  let all = 0
  let fixed = 0
  for (const block of stays ? blocks.counted() : blocks.ours()) {
    if (leaving?.has(block) === true) continue
    const bytes = blocks.sizeOf(block) || (blocks.isNode(block) ? 0 : guess)
    all += bytes
    const isFree = !(stays && blocks.isPresent(block)) && !isFixed(blocks, part, block)
    if (isFree) data.push({ level: levels(blocks.idOf(block)), bytes })
    else fixed += bytes
  }
  if (all <= pledgeBytes) return part.share
  // So that the next few changes fit too.
  let room = FITTING * pledgeBytes - fixed
  for (const { level, bytes } of data.toSorted((one, other) => one.level - other.level)) {
    room -= bytes
    if (room < 0) return Math.min(part.share, Math.floor(level))
  }
  return part.share
}

/** Of a version that is whole: more than we take now when there is room for much more. */
export function raisedShare({ blocks, part, pledgeBytes }: Fitting): number {
  const { share } = part
  let fixed = 0
  let data = 0
  for (const block of blocks.ours()) {
    if (isFixed(blocks, part, block)) fixed += blocks.sizeOf(block)
    else data += blocks.sizeOf(block)
  }
  const room = ROOMY * pledgeBytes - fixed
  if (room <= data) return share
  // Nobody says how much there is that we do not take: about as much for each part of the share.
  if (data === 0) return Math.min(SHARE_ALL, Math.max(SHARE_FIRST, 2 * share))
  const raised = Math.min(SHARE_ALL, Math.floor((room / data) * share))
  return raised === SHARE_ALL || raised >= share + Math.max(RAISE_MIN, share / 8) ? raised : share
}

/** Everybody has the nodes, and who is named in a policy has what it is about. */
function isFixed(blocks: HeldBlocks, part: Part, block: number): boolean {
  return blocks.isNode(block) || part.isNamed(blocks.policyOf(block))
}

/** Of data whose size is known. */
function meanSize(blocks: HeldBlocks): number {
  let bytes = 0
  let count = 0
  for (const block of blocks.ours()) {
    if (blocks.isNode(block) || blocks.sizeOf(block) === 0) continue
    bytes += blocks.sizeOf(block)
    count++
  }
  return count === 0 ? BLOCK_BYTES_GUESS : bytes / count
}
