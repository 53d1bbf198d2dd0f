/**
 * What a holder can be held to: that it has all of its part of a version, by one holder list and
 * with these holders given up. Copies are counted by it, and so it is what is audited.
 *
 * Audits decide at once while it stands unchanged and the holder says that nothing is missing: one
 * that goes to another version or list lets go of blocks, and one that is behind has said so.
 */
import type { HolderReport } from '../circle/holder-report.ts'
import { isSameShares } from '../holders/shares.ts'

/** Whether a holder says that there is something it has whole. */
export function isClaim(report: HolderReport | undefined): report is HolderReport {
  return report !== undefined && report.holds >= 0
}

/** Whether it says as well that nothing of it is missing now. */
export function isWhole({ progress }: HolderReport): boolean {
  return progress === 'current' || progress === 'drained'
}

export function isSameClaim(before: HolderReport, after: HolderReport | undefined): boolean {
  return (
    isClaim(after) &&
    isWhole(after) === isWhole(before) &&
    after.holds === before.holds &&
    after.listSequence === before.listSequence &&
    isSameShares(after.shares, before.shares) &&
    after.gone.length === before.gone.length &&
    after.gone.every(peer => before.gone.includes(peer))
  )
}
