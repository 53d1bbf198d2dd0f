/** What stands under a name on the host. */
import { lstatSync, readlinkSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { WarrenError } from '../../errors.ts'
import type { Inode, InodePatch, NewInode } from '../volume/volume.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'

export interface HostEntry {
  readonly name: string
  readonly stats: Stats
  /** Where a symlink points. */
  readonly target?: string
}

/** What an inode takes over from the host. */
export type HostAttributes = Required<Pick<InodePatch, 'mode' | 'uid' | 'gid' | 'mtimeMs'>>

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined when nothing is there. Throws what else the host throws, and `EINVAL` for a link to what is not UTF-8. */
export function readEntry(hostPath: string, name: string): HostEntry | undefined {
  const stats = lstatSync(hostPath, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  return stats.isSymbolicLink() ? { name, stats, target: readTarget(hostPath) } : { name, stats }
}

/** The relative path of a name in a directory at a relative path. */
export function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`
}

export function isSmall(stats: Stats): boolean {
  return stats.size <= INLINE_BYTES_MAX
}

/** Names of one file on the host have this in common. */
export function hostKey({ dev, ino }: Stats): string {
  return `${dev}:${ino}`
}

/** Whether a file's content looks as it did when the inode was made of it. */
export function hasContentOf(inode: Inode, stats: Stats): boolean {
  return inode.type === 'file' && inode.size === stats.size && inode.mtimeMs === stats.mtimeMs
}

export function hasAttributesOf(inode: Inode, stats: Stats): boolean {
  const { mode, uid, gid, mtimeMs } = patchOf(stats)
  return inode.mtimeMs === mtimeMs && inode.mode === mode && inode.uid === uid && inode.gid === gid
}

export function patchOf({ mode, uid, gid, mtimeMs }: Stats): HostAttributes {
  return { mode: mode & 0o7777, uid, gid, mtimeMs }
}

export function newInode(type: Inode['type'], stats: Stats): NewInode {
  const { atimeMs, birthtimeMs } = stats
  return { type, ...patchOf(stats), atimeMs, birthtimeMs }
}

function readTarget(hostPath: string): string {
  try {
    return decoder.decode(readlinkSync(hostPath, { encoding: 'buffer' }))
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new WarrenError('EINVAL', { message: 'a link to what is not UTF-8', path: hostPath })
  }
}
