/** Which folder of the host stands at which path, and what a new one is called. */
import type { Warren } from '../index.ts'
import { loadState, saveState } from './state-file.ts'
import type { Source } from './state-file.ts'
import { UsageError } from './usage-error.ts'

/** What a share is called that comes from the root of the host. */
const NAMELESS = 'shared'

export interface SourceRequest {
  /** Absolute, without symlinks. */
  readonly hostPath: string
  /** Default: the last name of the host's path. */
  readonly name: string | undefined
  readonly copy: boolean
}

export class HostSources {
  readonly #warren: Warren
  readonly #directory: string

  constructor(warren: Warren, directory: string) {
    this.#warren = warren
    this.#directory = directory
  }

  async list(): Promise<readonly Source[]> {
    return (await loadState(this.#directory)).sources
  }

  /** The same folder keeps its path; another one of the same name gets a path of its own. */
  async add({ hostPath, name, copy }: SourceRequest): Promise<Source> {
    const state = await loadState(this.#directory)
    const known = state.sources.find(source => source.hostPath === hostPath)
    const path =
      known?.path ?? (await this.#freePath(name ?? lastName(hostPath), name === undefined))
    const source = { path, hostPath, copy }
    const others = state.sources.filter(other => other !== known)
    await saveState(this.#directory, { ...state, sources: [...others, source] })
    return source
  }

  /** What is at the path stays; it is only not kept up to date any more. */
  async remove(path: string): Promise<void> {
    const state = await loadState(this.#directory)
    const sources = state.sources.filter(source => source.path !== path)
    if (sources.length < state.sources.length)
      await saveState(this.#directory, { ...state, sources })
  }

  async #freePath(name: string, mayChange: boolean): Promise<string> {
    for (let number = 1; ; number++) {
      const path = number === 1 ? `/${name}` : `/${name}-${number}`
      const isTaken = path === '/peers' || (await this.#warren.fs.exists(path))
      if (!isTaken) return path
      if (!mayChange) throw new UsageError(`--name ${name}: ${path} is there already`, 'share')
    }
  }
}

function lastName(hostPath: string): string {
  return hostPath.split(/[/\\]/).findLast(part => part !== '') ?? NAMELESS
}
