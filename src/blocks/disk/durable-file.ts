/**
 * Replacing a small file so that a crash at any instant leaves the old bytes or the new ones.
 *
 * The bytes go to a temporary file beside it, are forced to disk, and only then take the name; the
 * directory is forced to disk last, because a rename that is only in memory is lost with the power.
 */
import { dirname } from 'node:path'
import type { FileSystem } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'
import { toWarrenError } from './system-error.ts'

/** What temporary files end in: whoever opens a directory may remove what a crash left of them. */
export const TEMPORARY_SUFFIX = '.new'

/**
 * Resolves when the file at `path` holds exactly these bytes and survives power loss. Two calls on
 * one path at once must not happen: they share the temporary file. Throws `ENOSPC`, `EACCES`,
 * `EIO` and the like, with the old file intact.
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array,
  fileSystem: FileSystem = nodeFileSystem
): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX
  try {
    await writeSynced(fileSystem, temporary, bytes)
    await fileSystem.rename(temporary, path)
    await fileSystem.syncDirectory(dirname(path))
  } catch (cause) {
    await fileSystem.remove(temporary).catch(() => {})
    throw toWarrenError(cause, { syscall: 'write', path })
  }
}

/** Forces names made, changed or removed in a directory to disk. */
export function syncDirectory(path: string): Promise<void> {
  return nodeFileSystem.syncDirectory(path)
}

async function writeSynced(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fileSystem.open(path, 'create')
  try {
    await file.write([bytes], 0)
    await file.sync()
  } finally {
    await file.close()
  }
}
