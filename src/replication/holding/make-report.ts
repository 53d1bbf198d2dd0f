/** Puts together what a holder says of itself, so that each word of it is true at this moment. */
import type { VolumeId } from '../../namespace/index.ts'
import type { HolderProgress, HolderReport } from '../circle/holder-report.ts'
import { NO_SHARES, isSameShares } from '../holders/shares.ts'
import type { HeldVersions, Version } from './held-versions.ts'

export interface Holding {
  readonly volume: VolumeId
  readonly versions: HeldVersions
  /** The newest version known. */
  readonly newest: Version | undefined
  readonly pledgeBytes: number
  /** What we take of what we are given. */
  readonly share: number
  /** Something did not fit. */
  readonly isFull: boolean
  readonly isDrained: boolean
}

export function makeReport(holding: Holding): HolderReport {
  const { volume, versions, newest, pledgeBytes, share } = holding
  const { blocks, held, part, wholePart } = versions
  const isHeld = held !== undefined && wholePart !== undefined
  // What it says it holds is true by the list and the holders with which it was made whole.
  const by = isHeld ? wholePart : part
  return {
    volume,
    progress: progressOf(holding),
    listSequence: by?.list.sequence ?? -1,
    holds: isHeld ? held.sequence : -1,
    knows: newest?.sequence ?? -1,
    gone: by?.gone ?? [],
    shares: by?.shares ?? NO_SHARES,
    share,
    missingBlocks: blocks.wanted,
    usedBytes: blocks.heldBytes,
    pledgeBytes
  }
}

function progressOf({ versions, newest, isFull, isDrained }: Holding): HolderProgress {
  if (newest !== undefined && versions.isWhole(newest)) return isDrained ? 'drained' : 'current'
  return isFull ? 'full' : 'behind'
}

export function isSameReport(one: HolderReport, other: HolderReport): boolean {
  const names = Object.keys(one) as (keyof HolderReport)[]
  return names.every(name => {
    if (name === 'shares') return isSameShares(one.shares, other.shares)
    return name === 'gone' ? String(one.gone) === String(other.gone) : one[name] === other[name]
  })
}
