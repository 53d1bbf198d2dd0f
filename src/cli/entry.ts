/** What is told about one file or directory. */
import type { Stats, Warren } from '../index.ts'

export type EntryType = 'file' | 'directory' | 'symlink'

export interface EntryAttributes {
  readonly type: EntryType
  /** Bytes. */
  readonly size: number
  /** Octal, four digits. */
  readonly mode: string
  /** ISO 8601. */
  readonly modified: string
  readonly links: number
  readonly inode: number
  /** Where a symlink points. */
  readonly target?: string
}

/** Only its type is known of an entry whose attributes cannot be had, as of a mount nobody answers for. */
export type KnownEntry = EntryAttributes | Pick<EntryAttributes, 'type'>

/** A symlink is described itself, and not what it points at. */
export async function describeEntry(
  warren: Warren,
  path: string,
  known?: Stats
): Promise<EntryAttributes> {
  const stats = known ?? (await warren.fs.lstat(path))
  const type = typeOf(stats)
  return {
    type,
    size: stats.size,
    mode: (stats.mode & 0o7777).toString(8).padStart(4, '0'),
    modified: stats.mtime.toISOString(),
    links: stats.nlink,
    inode: stats.ino,
    ...(type === 'symlink' ? { target: await warren.fs.readlink(path) } : {})
  }
}

export function typeOf(entry: Pick<Stats, 'isDirectory' | 'isSymbolicLink'>): EntryType {
  return entry.isSymbolicLink() ? 'symlink' : entry.isDirectory() ? 'directory' : 'file'
}

/** As `ls -l` prints it. Wide enough for sizes up to 999 GB. */
export function longLine(name: string, entry: KnownEntry): string {
  const letter = LETTERS[entry.type]
  if (!('mode' in entry))
    return `${letter}????????? ${'?'.padStart(12)} ${'?'.padStart(16)} ${name}`
  const { mode, size, modified, target } = entry
  const time = modified.slice(0, 16).replace('T', ' ')
  const arrow = target === undefined ? '' : ` -> ${target}`
  return `${letter}${permissions(mode)} ${String(size).padStart(12)} ${time} ${name}${arrow}`
}

const LETTERS: Readonly<Record<EntryType, string>> = { file: '-', directory: 'd', symlink: 'l' }

/** `0750` becomes `rwxr-x---`. */
function permissions(mode: string): string {
  return mode.slice(-3).replaceAll(/\d/g, digit => {
    const bits = Number(digit)
    return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + (bits & 1 ? 'x' : '-')
  })
}
