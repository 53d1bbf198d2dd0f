/** What each volume that is held has of a pledge, when that changes. */
import type { HeldRecord, PledgeRecord, ReplicationRecord } from './replication-store.ts'

/**
 * Volumes have as much more or less as the whole pledge is more or less, and together no more than
 * it. A pledge of nothing takes nothing more on, and takes nothing from anybody. Those that were in
 * the zone that was named before move to the new one.
 */
export function dividePledge(
  { pledge: before, held }: Pick<ReplicationRecord, 'pledge' | 'held'>,
  after: PledgeRecord
): HeldRecord[] {
  const given = held.reduce((sum, { pledgeBytes }) => sum + pledgeBytes, 0)
  const grown = before.bytes > 0 ? after.bytes / before.bytes : 1
  const factor = after.bytes === 0 ? 1 : Math.min(grown, after.bytes / Math.max(1, given))
  return held.map(record => ({
    ...record,
    pledgeBytes: Math.max(1, Math.floor(record.pledgeBytes * factor)),
    zone: record.zone === before.zone ? after.zone : record.zone
  }))
}
