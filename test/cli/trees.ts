/** Compares folders of the host: names, types, modes, times of files, symlinks and every byte. */
import assert from 'node:assert/strict'
import { lstat, readFile, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

export async function assertSameTree(expected: string, actual: string): Promise<void> {
  assert.deepEqual(await describe(actual), await describe(expected))
}

async function describe(root: string): Promise<Record<string, unknown>> {
  const described: Record<string, unknown> = {}
  for (const name of (await readdir(root, { recursive: true })).toSorted()) {
    const path = join(root, name)
    const stats = await lstat(path)
    const mode = (stats.mode & 0o777).toString(8)
    if (stats.isSymbolicLink()) described[name] = { target: await readlink(path) }
    else if (stats.isDirectory()) described[name] = { mode }
    else {
      const content = (await readFile(path)).toString('base64')
      // Times are kept as milliseconds with a fraction, which loses some nanoseconds.
      described[name] = {
        mode,
        size: stats.size,
        modified: Math.round(stats.mtimeMs * 10),
        content
      }
    }
  }
  return described
}
