/** What is told about one file or directory. */
import type { Warren } from '../index.ts'

export interface EntryAttributes {
  readonly type: 'file' | 'directory' | 'symlink'
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

/** A symlink is described itself, and not what it points at. */
export async function describeEntry(warren: Warren, path: string): Promise<EntryAttributes> {
  const stats = await warren.fs.lstat(path)
  const isLink = stats.isSymbolicLink()
  return {
    type: isLink ? 'symlink' : stats.isDirectory() ? 'directory' : 'file',
    size: stats.size,
    mode: (stats.mode & 0o7777).toString(8).padStart(4, '0'),
    modified: stats.mtime.toISOString(),
    links: stats.nlink,
    inode: stats.ino,
    ...(isLink ? { target: await warren.fs.readlink(path) } : {})
  }
}

/** As `ls -l` prints it. Wide enough for sizes up to 999 GB. */
export function longLine(name: string, entry: EntryAttributes): string {
  const { type, mode, size, modified, target } = entry
  const letter = type === 'directory' ? 'd' : type === 'symlink' ? 'l' : '-'
  const time = modified.slice(0, 16).replace('T', ' ')
  const arrow = target === undefined ? '' : ` -> ${target}`
  return `${letter}${permissions(mode)} ${String(size).padStart(12)} ${time} ${name}${arrow}`
}

/** `0750` becomes `rwxr-x---`. */
function permissions(mode: string): string {
  return mode.slice(-3).replaceAll(/\d/g, digit => {
    const bits = Number(digit)
    return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + (bits & 1 ? 'x' : '-')
  })
}
