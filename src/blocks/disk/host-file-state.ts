/** What tells one state of a host file from another without reading it. */
import type { Stats } from 'node:fs'

export interface HostFile {
  readonly size: number
  readonly mtimeMs: number
  readonly inode: number
}

export function hostFileOf({ size, mtimeMs, ino }: Stats): HostFile {
  return { size, mtimeMs, inode: ino }
}

export function isSameState(one: HostFile, other: HostFile): boolean {
  return one.size === other.size && one.mtimeMs === other.mtimeMs && one.inode === other.inode
}
