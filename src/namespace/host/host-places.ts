/**
 * Makes directories and links on the host. Whatever stands in their place makes room, unless it is
 * a directory with something in it: nobody asked for that to go. Links are never followed.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  chmodSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync
} from 'node:fs'
import type { Inode } from '../volume/volume.ts'

const DIRECTORY_FLAGS =
  constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_DIRECTORY ?? 0)

/** Neither set-user-id nor sticky bits are taken from another peer. */
const MODE_MASK = 0o777

/** What an owner needs to write into a directory. */
const OWNER = 0o700

/** Times beyond those of a `Date` overflow what hosts keep. */
const TIME_MS_MAX = 8.64e15

/** What other systems than Unix read as more than a part of a name. */
const NOT_IN_WINDOWS_NAMES = /[\\:*?"<>|]|[. ]$/

/** Whether a volume's name can be one on a host of this kind, and nothing but a name. */
export function isHostName(name: string, platform: string = process.platform): boolean {
  return platform !== 'win32' || !NOT_IN_WINDOWS_NAMES.test(name)
}

export function modeOf({ mode }: Inode): number {
  return mode & MODE_MASK
}

/** Seconds, as the host wants them. */
export function timesOf({ atimeMs, mtimeMs }: Inode): readonly [number, number] {
  return [secondsOf(atimeMs), secondsOf(mtimeMs)]
}

/** Whether a directory was made. One that is there is made writable until it is finished. */
export function makeDirectory(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true) {
    if ((stats.mode & OWNER) !== OWNER) chmodSync(path, stats.mode | OWNER)
    return false
  }
  if (stats !== undefined) unlinkSync(path)
  mkdirSync(path, { mode: OWNER })
  return true
}

/** The times and mode of a directory, when everything in it is written. */
export function finishDirectory(path: string, inode: Inode): void {
  const descriptor = openSync(path, DIRECTORY_FLAGS)
  try {
    fchmodSync(descriptor, modeOf(inode))
    futimesSync(descriptor, ...timesOf(inode))
  } finally {
    closeSync(descriptor)
  }
}

/** Whether a symlink was made. */
export function makeSymlink(path: string, inode: Inode): boolean {
  const target = inode.target ?? ''
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink() === true && readlinkSync(path) === target) return false
  if (stats !== undefined) clearPlace(path)
  symlinkSync(target, path)
  lutimesSync(path, ...timesOf(inode))
  return true
}

/** Whether a hard link was made. */
export function makeHardLink(first: string, path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats !== undefined) {
    const { dev, ino } = lstatSync(first)
    if (stats.dev === dev && stats.ino === ino) return false
    clearPlace(path)
  }
  linkSync(first, path)
  return true
}

/** Throws `ENOTEMPTY` for a directory with something in it. */
export function clearPlace(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (stats.isDirectory()) rmdirSync(path)
  else unlinkSync(path)
}

function secondsOf(timeMs: number): number {
  return Math.max(-TIME_MS_MAX, Math.min(TIME_MS_MAX, timeMs)) / 1000
}
