/**
 * What the command remembers beside what a warren keeps itself: the port it listens on, so that
 * links keep working after a restart, and which folder of the host each shared path came from.
 *
 *     <directory>/cli.json  { "port": 4001, "sources": [{ "path": "/photos", "hostPath": "/home/…", "copy": false }] }
 *
 * Read and written only while the directory is locked by the warren in it.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder or file of the host that is kept up to date at a path of the namespace. */
export interface Source {
  readonly path: string
  readonly hostPath: string
  /** Its bytes are copied into the store, and not referred to in place. */
  readonly copy: boolean
}

export interface CommandState {
  readonly port?: number
  readonly sources: readonly Source[]
}

const FILE = 'cli.json'

/** A file that is missing or damaged is as good as empty: everything in it can be found out again. */
export async function loadState(directory: string): Promise<CommandState> {
  try {
    return parse(JSON.parse(await readFile(join(directory, FILE), 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof SyntaxError || code === 'ENOENT') return { sources: [] }
    throw error
  }
}

export async function saveState(directory: string, state: CommandState): Promise<void> {
  const path = join(directory, FILE)
  await writeFile(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

function parse(value: unknown): CommandState {
  if (typeof value !== 'object' || value === null) return { sources: [] }
  const { port, sources } = value as { port?: unknown; sources?: unknown }
  return {
    ...(isPort(port) ? { port } : {}),
    sources: Array.isArray(sources) ? sources.filter(isSource) : []
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536
}

function isSource(value: unknown): value is Source {
  if (typeof value !== 'object' || value === null) return false
  const { path, hostPath, copy } = value as Record<string, unknown>
  return typeof path === 'string' && typeof hostPath === 'string' && typeof copy === 'boolean'
}
