/** How many copies of what there are below a path of the own volume, counted in one walk. */
import { shareEventLoop } from '../../namespace/index.ts'
import type { Snapshot } from '../../namespace/index.ts'
import type { Policies, Policy } from '../holders/policy.ts'
import type { Amount, FolderStatus } from '../replication.ts'
import type { CopyCount } from './copy-count.ts'
import { filesBelow } from './files-below.ts'
import type { FoundFile } from './files-below.ts'
import { policyAt } from './own-place.ts'
import type { OwnPlace } from './own-place.ts'

/** Paths are text to be shown: who wants all of them looks below one. */
export const LOST_MAX = 100

/** Directories below the path that are told apart; what is in others is in its sum alone. */
export const FOLDERS_MAX = 10_000

export interface FolderComponents {
  readonly snapshot: Snapshot
  readonly count: CopyCount
  readonly policies: Policies
}

export interface FolderReport {
  readonly folders: readonly FolderStatus[]
  /** Of data, on average; 0 when there are none. */
  readonly blockBytes: number
}

export async function countFolders(
  components: FolderComponents,
  place: OwnPlace,
  options: { readonly signal: AbortSignal }
): Promise<FolderReport> {
  const top = new Tally(place.path, policyAt(components.policies, place).policy)
  const folders = new Map<string, Tally>()
  const sizes = { blocks: 0, bytes: 0 }
  for await (const found of filesBelow(components, place, options)) {
    for (const { path, policy } of found.folders) {
      if (folders.size < FOLDERS_MAX) folders.set(path, new Tally(path, policy))
    }
    for (const file of found.files) {
      const folder = file.folder && folders.get(file.folder.path)
      const tallies = folder === undefined ? [top] : [top, folder]
      await countFile(components, file, { ...options, tallies, sizes })
    }
  }
  const sorted = [...folders.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1))
  return {
    folders: [top, ...sorted].map(tally => tally.status()),
    blockBytes: sizes.blocks === 0 ? 0 : sizes.bytes / sizes.blocks
  }
}

interface Counting {
  readonly tallies: readonly Tally[]
  readonly sizes: { blocks: number; bytes: number }
  readonly signal: AbortSignal
}

async function countFile(
  { snapshot, count }: FolderComponents,
  { path, inode, policy, inTree }: FoundFile,
  { tallies, sizes, signal }: Counting
): Promise<void> {
  let rarest = count.ofInode(inode.number)
  if (inTree) for (const tally of tallies) tally.addBytes(rarest, inode.size)
  const content = inTree ? undefined : await snapshot.content(inode, { signal })
  if (content !== undefined && 'extents' in content) {
    for await (const extents of content.extents) {
      await shareEventLoop()
      signal.throwIfAborted()
      for (const { block, length } of extents) {
        const copies = count.ofBlock(block, policy)
        rarest = Math.min(rarest, copies)
        sizes.blocks++
        sizes.bytes += length
        for (const tally of tallies) tally.addBytes(copies, length)
      }
    }
  }
  for (const tally of tallies) tally.addFile(rarest, path)
}

/** Files and bytes by how many copies there are of them. */
class Tally {
  readonly path: string
  readonly #policy: Policy
  readonly #files: number[] = []
  readonly #bytes: number[] = []
  readonly #lost: string[] = []

  constructor(path: string, policy: Policy) {
    this.path = path
    this.#policy = policy
  }

  addBytes(copies: number, bytes: number): void {
    add(this.#bytes, copies, bytes)
  }

  addFile(copies: number, path: string): void {
    add(this.#files, copies, 1)
    if (copies === 0 && this.#lost.length < LOST_MAX) this.#lost.push(path)
  }

  status(): FolderStatus {
    const length = Math.max(this.#files.length, this.#bytes.length)
    const copies = Array.from({ length }, (_, index) => ({
      files: this.#files[index] ?? 0,
      bytes: this.#bytes[index] ?? 0
    }))
    return {
      path: this.path,
      policy: this.#policy,
      total: sum(copies),
      copies,
      endangered: sum(copies.slice(0, this.#policy.minimum)),
      lost: this.#lost
    }
  }
}

function add(amounts: number[], index: number, amount: number): void {
  while (amounts.length <= index) amounts.push(0)
  amounts[index]! += amount
}

function sum(amounts: readonly Amount[]): Amount {
  let [files, bytes] = [0, 0]
  for (const amount of amounts) {
    files += amount.files
    bytes += amount.bytes
  }
  return { files, bytes }
}
