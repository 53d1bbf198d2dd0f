/** Forcing the log to disk, and what follows when the disk refuses. */
import type { BlockLog } from './block-log.ts'
import type { Segment } from './segment.ts'
import { toWarrenError } from './system-error.ts'

/**
 * Resolves when everything appended before survives power loss. When the system reports that it
 * could not write, it may have dropped the very bytes and would report success the next time; so a
 * failure stays, and the log takes nothing more until it is opened again and has looked.
 */
export async function syncLog(log: BlockLog): Promise<void> {
  checkFailure(log)
  try {
    await syncNames(log)
    await Promise.all([...log.dirty].map(segment => syncSegment(log, segment)))
  } catch (cause) {
    log.failure ??= toWarrenError(cause, { syscall: 'fdatasync', path: log.directory })
    throw log.failure
  }
}

export function checkFailure(log: BlockLog): void {
  if (log.failure !== undefined) throw log.failure
}

export async function syncSegment(log: BlockLog, segment: Segment): Promise<void> {
  const { size } = segment
  await log.files.use(segment, file => file.sync())
  if (segment.size === size) log.dirty.delete(segment)
}

async function syncNames(log: BlockLog): Promise<void> {
  if (!log.isDirectoryDirty) return
  log.isDirectoryDirty = false
  await log.fileSystem.syncDirectory(log.directory)
}
