/**
 * Replacing a small file so that a crash at any instant leaves the old bytes or the new ones.
 *
 * The bytes go to a temporary file beside it, are forced to disk, and only then take the name; the
 * directory is forced to disk last, because a rename that is only in memory is lost with the power.
 */
import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toWarrenError } from './system-error.ts'

/** What temporary files end in: whoever opens a directory may remove what a crash left of them. */
export const TEMPORARY_SUFFIX = '.new'

/**
 * Resolves when the file at `path` holds exactly these bytes and survives power loss. Two calls on
 * one path at once must not happen: they share the temporary file. Throws `ENOSPC`, `EACCES`,
 * `EIO` and the like, with the old file intact.
 */
export async function writeFileDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX
  try {
    await writeSynced(temporary, bytes)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await unlink(temporary).catch(() => {})
    throw toWarrenError(cause, { syscall: 'write', path })
  }
}

/** Forces names made, changed or removed in a directory to disk. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories for this, and writes its directory entries through.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
