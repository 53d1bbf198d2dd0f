/**
 * Which policy counts for which file, by inode number: extents are kept under it, and holders see no
 * paths. Only what is below a directory that the list sets apart is looked at.
 */
import { shareEventLoop } from '../../namespace/index.ts'
import type { InodeNumber, Snapshot } from '../../namespace/index.ts'
import { isWarrenError } from '../../errors.ts'
import { DEFAULT_POLICY } from './part.ts'
import type { Part } from './part.ts'

export type FolderPolicies = ReadonlyMap<InodeNumber, number>

interface Options {
  readonly signal?: AbortSignal
}

export const NO_FOLDERS: FolderPolicies = new Map()

/**
 * The number of the policy for each file that may have another one than the default. When the tree
 * is no proper tree of files, what is found of it before counts; every holder finds the same.
 */
export async function findFolderPolicies(
  snapshot: Pick<Snapshot, 'inode' | 'entriesToShow'>,
  part: Part,
  options: Options = {}
): Promise<FolderPolicies> {
  const search = new Search(snapshot, part)
  try {
    const inodes = [...part.list.overrides.keys()].toSorted((one, other) => one - other)
    for (const inode of inodes) await search.from(inode, options)
  } catch (error) {
    if (!isWarrenError(error, 'EPROTO') && !isWarrenError(error, 'EACCES')) throw error
  }
  return search.finish()
}

class Search {
  readonly #snapshot: Pick<Snapshot, 'inode' | 'entriesToShow'>
  readonly #part: Part
  readonly #policies = new Map<InodeNumber, number>()
  /** Names not yet met of files that have several. */
  readonly #namesLeft = new Map<InodeNumber, number>()
  readonly #seen = new Set<InodeNumber>()

  constructor(snapshot: Pick<Snapshot, 'inode' | 'entriesToShow'>, part: Part) {
    this.#snapshot = snapshot
    this.#part = part
  }

  /** Everything below an inode that has an override, up to the next one. */
  async from(inode: InodeNumber, options: Options): Promise<void> {
    const policy = this.#part.overrideOf(inode)!
    const type = (await this.#snapshot.inode(inode, options))?.type
    if (type === 'file') this.#policies.set(inode, policy)
    if (type !== 'directory') return
    const directories = [inode]
    for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
      if (this.#seen.has(next)) continue
      this.#seen.add(next)
      directories.push(...(await this.#list(next, policy, options)))
    }
  }

  /** A name outside of all these directories has the default policy. */
  finish(): FolderPolicies {
    for (const [inode, names] of this.#namesLeft) {
      if (names > 0) this.#strengthen(inode, DEFAULT_POLICY)
    }
    return this.#policies
  }

  async #list(directory: InodeNumber, policy: number, options: Options): Promise<InodeNumber[]> {
    const below: InodeNumber[] = []
    for await (const entries of this.#snapshot.entriesToShow(directory, options)) {
      for (const { inode, type, attributes } of entries) {
        // What has an override of its own has nothing from here.
        if (attributes === undefined || this.#part.overrideOf(inode) !== undefined) continue
        if (type === 'directory') below.push(inode)
        if (type !== 'file') continue
        this.#strengthen(inode, policy)
        if (attributes.links > 1) this.#countName(inode, attributes.links)
      }
      await shareEventLoop()
    }
    return below
  }

  #strengthen(inode: InodeNumber, policy: number): void {
    const before = this.#policies.get(inode)
    this.#policies.set(inode, before === undefined ? policy : this.#part.stronger(before, policy))
  }

  #countName(inode: InodeNumber, names: number): void {
    this.#namesLeft.set(inode, (this.#namesLeft.get(inode) ?? names) - 1)
  }
}

/** The inodes of which one says something else than the other, in ascending order. */
export function changedPolicies(before: FolderPolicies, after: FolderPolicies): InodeNumber[] {
  const changed: InodeNumber[] = []
  for (const [inode, policy] of after) if (before.get(inode) !== policy) changed.push(inode)
  for (const inode of before.keys()) if (!after.has(inode)) changed.push(inode)
  return changed.toSorted((one, other) => one - other)
}
