/** What `warren status` and `warren holders` print for people. */
import type {
  DistrustReason,
  FolderStatus,
  HeldStatus,
  HolderStatus,
  Policy,
  ReplicationStatus
} from '../index.ts'
import { alignColumns } from './columns.ts'
import type { Alignment } from './columns.ts'
import { copiesBar } from './copies-bar.ts'
import { formatAmount, formatBytes, formatCount, formatDuration } from './units.ts'

/** Columns for numbers of copies; the last one stands for its number and all above. */
const COPIES_COLUMNS_MAX = 5

const NOTHING = '-'

export function describeStatus(status: ReplicationStatus): string[] {
  return [
    `version ${status.version} of ${status.volume}`,
    '',
    ...describeFolders(status.folders),
    '',
    ...describeHolders(status.holders),
    '',
    describeRepair(status.repairing),
    ...lostPaths(status.folders).map(path => `lost: ${path}`)
  ]
}

/** What is held of others is told by another command; who only holds should not think that nothing is done. */
export function describeHeld(held: readonly HeldStatus[]): string[] {
  if (held.length === 0) return []
  const bytes = held.reduce((sum, { usedBytes }) => sum + usedBytes, 0)
  return [
    '',
    `holds ${formatAmount(held.length, 'volume')} of others, ${formatBytes(bytes)}: warren pledge`
  ]
}

/** `3 copies, 2 at least`. */
export function describePolicy({ replicas, minimum, on }: Policy): string {
  const copies = replicas === 'all' ? 'a copy at every holder' : copiesOf(replicas)
  const also = on.length === 0 ? '' : `, always at ${on.join(', ')}`
  return `${copies}, ${minimum} at least${also}`
}

function describeFolders(folders: readonly FolderStatus[]): string[] {
  const columns = copiesColumns(folders)
  const rows = folders.map(folder => [
    folder.path,
    wantedText(folder.policy),
    copiesBar(folder.copies.map(({ bytes }) => bytes)),
    formatCount(folder.total.files),
    formatBytes(folder.total.bytes),
    ...columns.map(column => bytesIn(folder, column)),
    folder.endangered.bytes + folder.endangered.files === 0 ? '' : 'endangered'
  ])
  const heads = columns.map(({ from, to }) => (from === to ? `at ${from}` : `at ${from}+`))
  const head = ['path', 'copies', 'how many there are', 'files', 'bytes', ...heads]
  const numbers = heads.map((): Alignment => 'right')
  return alignColumns(
    [head, ...rows],
    ['left', 'right', 'left', 'right', 'right', ...numbers, 'left']
  )
}

/** Numbers of copies that stand in one column. */
interface CopiesColumn {
  readonly from: number
  readonly to: number
}

/** From none up to as many as there are anywhere or should be. */
function copiesColumns(folders: readonly FolderStatus[]): CopiesColumn[] {
  let most = 1
  for (const { copies, policy } of folders) {
    const found = copies.findLastIndex(({ files, bytes }) => files + bytes > 0)
    most = Math.max(most, found, policy.replicas === 'all' ? 0 : policy.replicas)
  }
  const columns = Math.min(most + 1, COPIES_COLUMNS_MAX)
  return Array.from({ length: columns }, (_, from) => ({
    from,
    to: from === columns - 1 ? most : from
  }))
}

function bytesIn({ copies }: FolderStatus, { from, to }: CopiesColumn): string {
  const counted = copies.slice(from, to + 1)
  const bytes = counted.reduce((sum, amount) => sum + amount.bytes, 0)
  // Empty files have copies too: of their names.
  const isThere = bytes > 0 || counted.some(({ files }) => files > 0)
  return isThere ? formatBytes(bytes) : NOTHING
}

/** `3 (2)`: three, two at least. */
function wantedText({ replicas, minimum }: Policy): string {
  return replicas === minimum ? String(replicas) : `${replicas} (${minimum})`
}

export function describeHolders(holders: readonly HolderStatus[]): string[] {
  if (holders.length === 0) return ['nobody else holds it: warren invite']
  const head = ['holder', 'zone', 'is', 'has', 'used', 'pledged', 'missing']
  const rows = holders.map(holder => [
    holder.owner ? `${holder.peer} (owner)` : holder.peer,
    holder.zone === '' ? NOTHING : holder.zone,
    presenceText(holder),
    holder.progress === undefined ? 'not heard of' : PROGRESS[holder.progress],
    holder.usedBytes === undefined ? NOTHING : formatBytes(holder.usedBytes),
    holder.owner ? NOTHING : formatBytes(holder.pledgeBytes),
    holder.missingBlocks ? formatAmount(holder.missingBlocks, 'block') : NOTHING
  ])
  return alignColumns([head, ...rows], ['left', 'left', 'left', 'left', 'right', 'right', 'right'])
}

const PROGRESS: Readonly<Record<NonNullable<HolderStatus['progress']>, string>> = {
  current: 'its part',
  behind: 'not all yet',
  full: 'no more room',
  drained: 'given it away'
}

/** Why the copies of a holder are not counted. */
export const DISTRUST: Readonly<Record<DistrustReason, string>> = {
  lacking: 'it lacked what it claimed',
  unproven: 'for hours it did not show that it has what it claims'
}

function presenceText({ presence, state, distrusted, distrustedFor }: HolderStatus): string {
  const words = [
    presence,
    state === 'draining' ? 'leaving' : '',
    distrusted ? `not believed: ${DISTRUST[distrustedFor ?? 'lacking']}` : ''
  ]
  return words.filter(word => word !== '').join(', ')
}

function describeRepair({ blocks, bytes, estimatedMs }: ReplicationStatus['repairing']): string {
  if (blocks === 0) return 'nothing to repair'
  const amount = `${formatAmount(blocks, 'block')} to copy, ${formatBytes(bytes)}`
  if (estimatedMs === undefined) return `${amount}; nothing moves now`
  return `${amount}; whole in about ${formatDuration(estimatedMs)}`
}

function lostPaths(folders: readonly FolderStatus[]): string[] {
  return [...new Set(folders.flatMap(({ lost }) => lost))]
}

function copiesOf(replicas: number): string {
  return replicas === 1 ? '1 copy' : `${replicas} copies`
}
