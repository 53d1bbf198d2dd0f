/** Makes a folder to hold: real files, and not so many that five copies of them take long. */
import { cpSync } from 'node:fs'
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** What five processes on one small machine copy, compare and repair within a minute. */
const BYTES_MAX = 32 * 1024 * 1024

/** What would take more of it than this is left out: there shall be several packages. */
const ENTRY_BYTES_MAX = BYTES_MAX / 2

/** Copies entries of a folder, in order of names, as long as they fit. */
export async function copySome(from: string, to: string): Promise<void> {
  await mkdir(to)
  let bytes = 0
  for (const name of (await readdir(from)).toSorted()) {
    const size = await sizeOf(join(from, name))
    if (name.startsWith('.') || size > ENTRY_BYTES_MAX || bytes + size > BYTES_MAX) continue
    bytes += size
    cpSync(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true })
  }
}

async function sizeOf(path: string): Promise<number> {
  const stats = await lstat(path)
  if (!stats.isDirectory()) return stats.isFile() ? stats.size : 0
  let bytes = 0
  for (const name of await readdir(path)) bytes += await sizeOf(join(path, name))
  return bytes
}
