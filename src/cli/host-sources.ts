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
  readonly #warren: Pick<Warren, 'fs'>
  readonly #directory: string
  #sources: readonly Source[]
  #saved: Promise<void> = Promise.resolve()

  constructor(warren: Pick<Warren, 'fs'>, directory: string, sources: readonly Source[]) {
    this.#warren = warren
    this.#directory = directory
    this.#sources = sources
  }

  get list(): readonly Source[] {
    return this.#sources
  }

  /**
   * The same folder keeps its path; another one of the same name gets a path of its own. Nothing is
   * kept yet. `others` have been chosen before.
   */
  async choose(
    { hostPath, name, copy }: SourceRequest,
    others: readonly Source[] = []
  ): Promise<Source> {
    const known = this.#sources.find(source => source.hostPath === hostPath)
    if (known !== undefined) return { ...known, copy }
    const wanted = name ?? lastName(hostPath)
    const taken = new Set([...this.#sources, ...others].map(({ path }) => path).concat('/peers'))
    for (let number = 1; ; number++) {
      const path = number === 1 ? `/${wanted}` : `/${wanted}-${number}`
      if (!taken.has(path) && !(await this.#warren.fs.exists(path))) return { path, hostPath, copy }
      if (name !== undefined) {
        throw new UsageError(`--name ${name}: ${path} is there already`, 'share')
      }
    }
  }

  async keep(source: Source): Promise<void> {
    const others = this.#sources.filter(({ path }) => path !== source.path)
    await this.#save([...others, source])
  }

  /** What is at the path stays; it is only not kept up to date any more. */
  async remove(path: string): Promise<void> {
    await this.#save(this.#sources.filter(source => source.path !== path))
  }

  /** One after the other: each writes the file as a whole. */
  #save(sources: readonly Source[]): Promise<void> {
    this.#sources = sources
    const write = async (): Promise<void> => {
      const state = await loadState(this.#directory)
      await saveState(this.#directory, { ...state, sources: this.#sources })
    }
    this.#saved = this.#saved.then(write, write)
    return this.#saved
  }
}

/** The directory must be open in the warren. */
export async function openHostSources(
  warren: Pick<Warren, 'fs'>,
  directory: string
): Promise<HostSources> {
  return new HostSources(warren, directory, (await loadState(directory)).sources)
}

function lastName(hostPath: string): string {
  return hostPath.split(/[/\\]/).findLast(part => part !== '') ?? NAMELESS
}
