/** Adds to a check how many copies of what there are, when whoever asked for it knows. */
import type { BlockId } from '../../blocks/index.ts'
import { ROOT_INODE, inodeOf, shareEventLoop, surveyTree } from '../../namespace/index.ts'
import type { InodeNumber, ReadNode } from '../../namespace/index.ts'
import { COPIES_AT_ONCE, PATH_NAMES_MAX } from './check-limits.ts'
import type { InodeTable } from './inode-table.ts'
import type { Problems } from './problems.ts'

/** A block whose copies are asked for, and what it is of: the policy depends on where that stands. */
export interface PlacedBlock {
  readonly id: BlockId
  /** Undefined: a node of the tree. */
  readonly inode: InodeNumber | undefined
  /** The directory with the file, then the one with that, and so on up; none of a node. */
  readonly directories: () => Iterable<InodeNumber>
}

export interface CopyCount {
  readonly copies: number
  readonly wantedMin: number
  readonly wantedMax: number
}

/** How many copies there are of each block, in the order asked; undefined: nobody can say now. */
export type CopiesOf = (
  blocks: readonly PlacedBlock[],
  options: { readonly signal?: AbortSignal }
) => Promise<readonly (CopyCount | undefined)[]>

export class CopiesCheck {
  readonly #copiesOf: CopiesOf
  readonly #inodes: InodeTable
  readonly #problems: Problems
  readonly #signal: AbortSignal | undefined
  #asked: PlacedBlock[] = []

  constructor(
    components: {
      readonly copiesOf: CopiesOf
      readonly inodes: InodeTable
      readonly problems: Problems
    },
    signal: AbortSignal | undefined
  ) {
    this.#copiesOf = components.copiesOf
    this.#inodes = components.inodes
    this.#problems = components.problems
    this.#signal = signal
  }

  /** Asks about every node and block of the tree that can be found. */
  async run(read: ReadNode, root: BlockId): Promise<void> {
    const signal = this.#signal
    for await (const found of surveyTree(read, root, signal === undefined ? {} : { signal })) {
      await shareEventLoop()
      await this.#ask({ id: found.id, inode: undefined, directories: () => [] })
      if (found.kind === 'gap') continue
      for (const { key, link } of found.entries) {
        if (link === undefined) continue
        const inode = inodeOf(key)
        await this.#ask({ id: link, inode, directories: () => this.#above(inode) })
      }
    }
    await this.#flush()
  }

  async #ask(block: PlacedBlock): Promise<void> {
    this.#asked.push(block)
    if (this.#asked.length === COPIES_AT_ONCE) await this.#flush()
  }

  async #flush(): Promise<void> {
    const asked = this.#asked
    this.#asked = []
    if (asked.length === 0) return
    const signal = this.#signal
    const counts = await this.#copiesOf(asked, signal === undefined ? {} : { signal })
    for (const [index, { id, inode }] of asked.entries()) {
      const count = counts[index]
      if (count === undefined) continue
      const { copies, wantedMin, wantedMax } = count
      if (copies >= wantedMin && copies <= wantedMax) continue
      const kind = copies < wantedMin ? 'copies-few' : 'copies-many'
      const detail = `${copies} of ${kind === 'copies-few' ? wantedMin : wantedMax}`
      const problem = { kind, block: id, detail } as const
      this.#problems.add(inode === undefined ? problem : { ...problem, inode })
    }
  }

  *#above(inode: InodeNumber): Generator<InodeNumber> {
    let row = this.#inodes.find(inode)
    for (let depth = 0; row >= 0 && depth < PATH_NAMES_MAX; depth++) {
      const directory = this.#inodes.namedIn(row)
      if (directory === 0) return
      yield directory
      if (directory === ROOT_INODE) return
      row = this.#inodes.find(directory)
    }
  }
}
