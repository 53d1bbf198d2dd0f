/** Counts what an import will come by, beside it, for a progress bar. */
import { lstatSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { readNames } from './host-names.ts'
import type { ImportContext } from './import-context.ts'
import { Slices } from './slices.ts'

/** Never throws: what it cannot see, the import cannot either, and tells. */
export async function countHost(
  { log }: ImportContext,
  hostPath: string,
  signal: AbortSignal
): Promise<void> {
  const slices = new Slices()
  const pending = [hostPath]
  let files = 0
  let bytes = 0
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const { names } = await readNames(path, slices).catch(() => ({ names: [] }))
    for (const name of names) {
      if (slices.isUsedUp) await slices.share()
      if (signal.aborted) return
      const stats = statsOf(`${path}/${name}`)
      if (stats?.isDirectory() === true) pending.push(`${path}/${name}`)
      if (stats?.isFile() !== true) continue
      files++
      bytes += stats.size
    }
  }
  log.filesTotal = files
  log.bytesTotal = bytes
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
