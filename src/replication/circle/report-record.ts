/**
 * A holder's report as it travels, in a message of its watch. In CDDL:
 *
 *     report = [ made: uint,            ; larger than in every report before
 *                progress: 0..3,        ; current, behind, full, drained
 *                list: int,             ; sequence of the list it acts by, -1: none
 *                holds: int,            ; of the newest version it has its whole part of, -1: none
 *                knows: int,            ; of the newest head it knows, -1: none; at least `holds`
 *                gone: [* bytes .size 32],   ; ascending, at most 1024
 *                missing: uint,         ; blocks
 *                used: uint,            ; bytes
 *                pledge: uint,          ; bytes
 *                share: 0..256,         ; of what it is given it takes so much
 *                shares: [* [ bytes .size 32, 0..255 ]] ]   ; what others take, as it counts on it
 *
 * `made` is the reporter's time in milliseconds, or one more than the last. It tells which of two
 * reports that came by different ways is the newer one.
 */
import type { VolumeId } from '../../namespace/index.ts'
import { publicKeyOf } from '../../peer/index.ts'
import type { PeerId } from '../../peer/index.ts'
import { HOLDERS_MAX } from '../holders/limits.ts'
import { SHARE_ALL, isSameShares, isShare } from '../holders/shares.ts'
import type { Shares } from '../holders/shares.ts'
import type { HolderReport } from './holder-report.ts'
import { readCount, readList, readPeer, readSequence, refuse } from './message-parts.ts'

const PROGRESS = ['current', 'behind', 'full', 'drained'] as const
const ITEMS = 11

/** A report and its number. */
export interface Said {
  readonly made: number
  readonly report: HolderReport
}

export function encodeSaid({ made, report }: Said): unknown[] {
  const { progress, listSequence, holds, knows, gone } = report
  return [
    made,
    PROGRESS.indexOf(progress),
    listSequence,
    holds,
    knows,
    gone.toSorted().map(publicKeyOf),
    report.missingBlocks,
    report.usedBytes,
    report.pledgeBytes,
    report.share,
    encodeShares(report.shares)
  ]
}

/** Throws `EPROTO` for anything that is not exactly a report. */
export function decodeSaid(value: unknown, volume: VolumeId): Said {
  const items = readList(value, ITEMS)
  if (items.length !== ITEMS) refuse('that is no report')
  const [made, progress, listSequence, holds, knows, gone, missing, used, pledge, ...takes] = items
  const [share, shares] = takes
  const report: HolderReport = {
    volume,
    progress: PROGRESS[readCount(progress)] ?? refuse('an unknown progress'),
    listSequence: readSequence(listSequence),
    holds: readSequence(holds),
    knows: readSequence(knows),
    gone: readList(gone, HOLDERS_MAX).map(readPeer),
    missingBlocks: readCount(missing),
    usedBytes: readCount(used),
    pledgeBytes: readCount(pledge),
    share: readShare(share),
    shares: readShares(shares)
  }
  if (report.holds > report.knows) refuse('it holds a version that it does not know')
  // The text of peer ids sorts as their keys do: all have one length, and base58 keeps the order.
  if (!isAscending(report.gone)) refuse('those who are gone are out of order')
  return { made: readCount(made), report }
}

/** Whether two reports say the same. */
export function isSameReport(one: HolderReport, other: HolderReport | undefined): boolean {
  return (
    other !== undefined &&
    one.progress === other.progress &&
    one.listSequence === other.listSequence &&
    one.holds === other.holds &&
    one.knows === other.knows &&
    one.missingBlocks === other.missingBlocks &&
    one.usedBytes === other.usedBytes &&
    one.pledgeBytes === other.pledgeBytes &&
    one.share === other.share &&
    isSameShares(one.shares, other.shares) &&
    one.gone.length === other.gone.length &&
    one.gone.every((peer, index) => peer === other.gone[index])
  )
}

function encodeShares(shares: Shares): unknown[] {
  const peers = [...shares.keys()].toSorted()
  return peers.map(peer => [publicKeyOf(peer), shares.get(peer)])
}

function readShares(value: unknown): Shares {
  const shares = new Map<PeerId, number>()
  for (const item of readList(value, HOLDERS_MAX)) {
    const [key, share, ...more] = readList(item, 2)
    if (more.length > 0) refuse('that is no share')
    const peer = readPeer(key)
    shares.set(peer, readShare(share))
    if (shares.get(peer) === SHARE_ALL) refuse('a share that is all')
  }
  const peers = [...shares.keys()]
  if (peers.length !== (value as unknown[]).length || !isAscending(peers)) {
    refuse('shares are out of order')
  }
  return shares
}

function readShare(value: unknown): number {
  const share = readCount(value)
  return isShare(share) ? share : refuse('that is no share')
}

function isAscending(peers: readonly PeerId[]): boolean {
  return peers.every((peer, index) => index === 0 || peers[index - 1]! < peer)
}
