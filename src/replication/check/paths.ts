/**
 * Finds the paths of the inodes that a report tells of. A check keeps no names, so they are looked
 * for at its end, in all directories on the way at once.
 */
import type { BlockId } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import {
  ROOT_INODE,
  decodeEntry,
  entryRange,
  shareEventLoop,
  surveyTree
} from '../../namespace/index.ts'
import type { InodeNumber, ReadNode, TreeEntry } from '../../namespace/index.ts'
import { PATH_NAMES_MAX } from './check-limits.ts'
import type { InodeTable } from './inode-table.ts'
import type { Problem } from './problems.ts'

export class Paths {
  readonly #inodes: InodeTable
  /** By directory and inode, the names that are wanted. */
  readonly #names = new Map<InodeNumber, Map<InodeNumber, string | undefined>>()

  constructor(inodes: InodeTable) {
    this.#inodes = inodes
  }

  /** Says that this problem's path will be asked for. */
  want(problem: Problem): void {
    for (const { directory, inode } of this.#steps(problem)) {
      let names = this.#names.get(directory)
      if (names === undefined) this.#names.set(directory, (names = new Map()))
      if (names.has(inode)) return
      names.set(inode, undefined)
    }
  }

  /** Looks up all that is wanted. */
  async find(read: ReadNode, root: BlockId, signal: AbortSignal | undefined): Promise<void> {
    for (const [directory, names] of this.#names) {
      const options = signal === undefined ? {} : { signal }
      for await (const found of surveyTree(read, root, { ...entryRange(directory), ...options })) {
        await shareEventLoop()
        if (found.kind === 'gap') continue
        for (const entry of found.entries) noteName(entry, names)
      }
    }
  }

  /** Undefined when nothing leads to it from the root, or a name on the way cannot be read. */
  pathOf(problem: Problem): string | undefined {
    if (problem.inode === ROOT_INODE) return '/'
    const names: string[] = []
    let top: InodeNumber | undefined
    for (const { directory, inode } of this.#steps(problem)) {
      const name = this.#names.get(directory)?.get(inode)
      if (name === undefined) return undefined
      names.push(name)
      top = directory
    }
    return top === ROOT_INODE ? `/${names.toReversed().join('/')}` : undefined
  }

  /** From the inode up, each with the directory that names it. */
  *#steps({
    inode,
    directory
  }: Problem): Generator<{ directory: InodeNumber; inode: InodeNumber }> {
    let at = inode
    let holder = directory ?? this.#holderOf(at)
    for (let depth = 0; at !== undefined && holder !== undefined; depth++) {
      // A ring of directories, or more than anyone could use.
      if (depth === PATH_NAMES_MAX) return
      yield { directory: holder, inode: at }
      if (holder === ROOT_INODE) return
      at = holder
      holder = this.#holderOf(at)
    }
  }

  #holderOf(inode: InodeNumber | undefined): InodeNumber | undefined {
    const row = inode === undefined ? -1 : this.#inodes.find(inode)
    const holder = row < 0 ? 0 : this.#inodes.namedIn(row)
    return holder === 0 ? undefined : holder
  }
}

function noteName(entry: TreeEntry, names: Map<InodeNumber, string | undefined>): void {
  try {
    const { name, inode } = decodeEntry(entry)
    if (names.has(inode)) names.set(inode, name)
  } catch (error) {
    // It was told already.
    if (!isWarrenError(error, 'EPROTO')) throw error
  }
}
