/** Walks a folder of the host, directory by directory, parents before what is in them. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { join } from 'node:path'
import type { Slices } from './slices.ts'

export interface HostEntry {
  readonly name: string
  readonly stats: Stats
  /** Where a symlink points. */
  readonly target?: string
}

export interface HostListing {
  /** Relative to where the walk began, with slashes; empty for the beginning itself. */
  readonly path: string
  readonly stats: Stats
  /** In byte order of their names, the order of our directories. */
  readonly entries: readonly HostEntry[]
  /** False when some entry could not be looked at: then what is missing here may still exist. */
  readonly complete: boolean
}

export interface Walking {
  readonly slices: Slices
  readonly onFailure: (path: string, error: unknown) => void
  readonly signal?: AbortSignal | undefined
}

export async function* walkHost(root: string, walking: Walking): AsyncGenerator<HostListing> {
  const pending = [{ path: '', stats: lstatSync(root) }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    walking.signal?.throwIfAborted()
    const names = readNames(root, next.path, walking)
    if (names === undefined) continue
    const entries = await readEntries(join(root, next.path), next.path, names, walking)
    yield { ...next, entries, complete: entries.length === names.length }
    for (const { name, stats } of entries.toReversed()) {
      if (stats.isDirectory()) pending.push({ path: below(next.path, name), stats })
    }
  }
}

/** The relative path of a name in a directory at a relative path. */
export function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`
}

async function readEntries(
  hostPath: string,
  path: string,
  names: readonly string[],
  walking: Walking
): Promise<HostEntry[]> {
  const entries: HostEntry[] = []
  for (const name of names) {
    await walking.slices.share()
    try {
      entries.push(readEntry(join(hostPath, name), name))
    } catch (error) {
      walking.onFailure(below(path, name), error)
    }
  }
  return entries
}

/** Undefined for a directory that cannot be read: one gap, unless it is the very top. */
function readNames(root: string, path: string, walking: Walking): string[] | undefined {
  try {
    return readdirSync(join(root, path)).sort()
  } catch (error) {
    if (path === '') throw error
    walking.onFailure(path, error)
    return undefined
  }
}

function readEntry(hostPath: string, name: string): HostEntry {
  const stats = lstatSync(hostPath)
  if (!stats.isSymbolicLink()) return { name, stats }
  return { name, stats, target: readlinkSync(hostPath) }
}
