/** What an export finds on the host where a file is to go. */
import { lstatSync } from 'node:fs'
import type { Stats } from 'node:fs'
import type { Inode } from '../volume/volume.ts'

/** `finished`: as it was left when it had been written to its end, by size and modification time. */
export type FileOnHost = 'nothing' | 'other' | 'finished'

/** Hosts keep times in nanoseconds or coarser, we in fractions of milliseconds. */
const TIME_TOLERANCE_MS = 0.002

export function lookAt(hostPath: string, { size, mtimeMs }: Inode): FileOnHost {
  const stats = lstatOf(hostPath)
  if (stats === undefined) return 'nothing'
  const isFinished =
    stats.isFile() && stats.size === size && Math.abs(stats.mtimeMs - mtimeMs) < TIME_TOLERANCE_MS
  return isFinished ? 'finished' : 'other'
}

/** Undefined also for what cannot be looked at: writing it will tell why. */
export function lstatOf(hostPath: string): Stats | undefined {
  try {
    return lstatSync(hostPath, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
