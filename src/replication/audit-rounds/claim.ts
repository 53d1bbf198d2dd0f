/**
 * What a holder can be held to: that it has all of its part of a version, by one holder list and
 * with these holders given up. Audits count only while this stands unchanged, because a holder that
 * goes to another version or list lets go of blocks, and one that says it is behind has said so.
 */
import type { HolderReport } from '../circle/holder-report.ts'
import { isSameShares } from '../holders/shares.ts'

/** Whether a holder says that there is something it has whole, and nothing of it missing. */
export function isClaim(report: HolderReport | undefined): report is HolderReport {
  if (report === undefined || report.holds < 0) return false
  return report.progress === 'current' || report.progress === 'drained'
}

export function isSameClaim(before: HolderReport, after: HolderReport | undefined): boolean {
  return (
    isClaim(after) &&
    after.holds === before.holds &&
    after.listSequence === before.listSequence &&
    isSameShares(after.shares, before.shares) &&
    after.gone.length === before.gone.length &&
    after.gone.every(peer => before.gone.includes(peer))
  )
}
