/** Checks what files consist of: their extents, in order of files and offsets, and the blocks of those. */
import type { BlockId } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import { INLINE_BYTES_MAX, decodeExtent, inodeOf } from '../../namespace/index.ts'
import type { Extent, InodeNumber, TreeEntry } from '../../namespace/index.ts'
import { BLOCKS_AT_ONCE, RECENT_BLOCKS } from './check-limits.ts'
import type { InodeTable } from './inode-table.ts'
import type { LocalBlocks, LookedAt } from './local-blocks.ts'
import type { Problems } from './problems.ts'

/** The file whose content is being looked at. */
interface CurrentFile {
  readonly inode: InodeNumber
  /** There is no such file. */
  readonly stray: boolean
  /** Undefined: its record cannot be read. */
  readonly size: number | undefined
  hasInline: boolean
  /** Where the last extent ended. */
  end: number
  /** What is wrong with its content was said. */
  told: boolean
}

interface AskedBlock {
  readonly id: BlockId
  readonly inode: InodeNumber
  readonly length: number
}

export interface ContentCounts {
  extents: number
  blocks: number
  blockBytes: number
}

export class ContentCheck {
  readonly counts: ContentCounts = { extents: 0, blocks: 0, blockBytes: 0 }
  readonly #inodes: InodeTable
  readonly #blocks: LocalBlocks
  readonly #problems: Problems
  readonly #mayBeLost: (inode: InodeNumber) => boolean
  readonly #readBlocks: boolean
  #current: CurrentFile | undefined
  #near = 0
  #asked: AskedBlock[] = []
  /** Those found whole last. */
  readonly #recent = new Set<BlockId>()

  constructor(
    components: {
      readonly inodes: InodeTable
      readonly blocks: LocalBlocks
      readonly problems: Problems
      /** Whether an inode that is not there may be in a part of the tree that could not be read. */
      readonly mayBeLost: (inode: InodeNumber) => boolean
    },
    options: { readonly readBlocks: boolean }
  ) {
    this.#inodes = components.inodes
    this.#blocks = components.blocks
    this.#problems = components.problems
    this.#mayBeLost = components.mayBeLost
    this.#readBlocks = options.readBlocks
  }

  inline({ key, value }: TreeEntry): void {
    const file = this.#fileOf(inodeOf(key))
    if (file.stray) return this.#stray(file)
    file.hasInline = true
    if (value.length > Math.min(file.size ?? Infinity, INLINE_BYTES_MAX)) {
      this.#wrong(file, `${value.length} inline bytes of ${file.size}`)
    }
  }

  async extent(entry: TreeEntry): Promise<void> {
    const inode = inodeOf(entry.key)
    const file = this.#fileOf(inode)
    this.counts.extents++
    if (file.stray) return this.#stray(file)
    const extent = decoded(entry)
    if (extent === undefined) {
      this.#problems.add({ kind: 'record-malformed', inode, detail: 'an extent' })
      return
    }
    this.#checkPlace(file, extent)
    this.#asked.push({ id: extent.block, inode, length: extent.length })
    if (this.#asked.length === BLOCKS_AT_ONCE) await this.flush()
  }

  /** Looks at the blocks that are waiting. Call it at the end. */
  async flush(): Promise<void> {
    const asked = this.#asked
    this.#asked = []
    const looked = await Promise.all(asked.map(({ id }) => this.#look(id)))
    for (const [index, block] of asked.entries()) await this.#judge(block, looked[index]!)
  }

  #checkPlace(file: CurrentFile, { offset, length }: Extent): void {
    const { size = Infinity } = file
    if (file.hasInline) this.#wrong(file, 'both inline bytes and extents')
    if (offset < file.end) this.#wrong(file, `extents overlap at ${offset}`)
    if (offset + length > size) {
      this.#wrong(file, `an extent to ${offset + length} in a file of ${size} bytes`)
    }
    file.end = offset + length
  }

  /** Undefined: it was found whole a moment ago. */
  async #look(id: BlockId): Promise<LookedAt | undefined> {
    if (this.#recent.has(id)) return undefined
    return this.#readBlocks ? this.#blocks.look(id) : this.#blocks.lookFor(id)
  }

  async #judge({ id, inode, length }: AskedBlock, looked: LookedAt | undefined): Promise<void> {
    if (looked === undefined) return
    const { state, repaired, bytes } = looked
    this.counts.blocks++
    this.counts.blockBytes += bytes?.length ?? 0
    if (state !== 'whole') {
      this.#problems.add({ kind: `block-${state}`, inode, block: id, repaired })
    }
    if (bytes !== undefined) await this.#checkLength({ id, inode, length }, bytes)
    if (state === 'whole' || repaired) this.#remember(id)
  }

  async #checkLength({ id, inode, length }: AskedBlock, bytes: Uint8Array): Promise<void> {
    let detail: string | undefined
    try {
      const content = await this.#blocks.decode(id, bytes)
      if (content.length !== length) detail = `a block of ${content.length} bytes, not ${length}`
    } catch (error) {
      if (!isWarrenError(error)) throw error
      detail = error.message
    }
    if (detail !== undefined) this.#problems.add({ kind: 'content', inode, block: id, detail })
  }

  #remember(id: BlockId): void {
    this.#recent.add(id)
    if (this.#recent.size <= RECENT_BLOCKS) return
    for (const oldest of this.#recent) {
      this.#recent.delete(oldest)
      return
    }
  }

  #fileOf(inode: InodeNumber): CurrentFile {
    if (this.#current?.inode === inode) return this.#current
    const row = this.#inodes.find(inode, this.#near)
    if (row >= 0) this.#near = row + 1
    const type = row < 0 ? undefined : this.#inodes.type(row)
    const unknown = row < 0 ? this.#mayBeLost(inode) : type === undefined
    this.#current = {
      inode,
      stray: !unknown && type !== 'file',
      size: unknown ? undefined : this.#inodes.size(row),
      hasInline: false,
      end: 0,
      told: false
    }
    return this.#current
  }

  #stray(file: CurrentFile): void {
    if (!file.told) this.#problems.add({ kind: 'content-stray', inode: file.inode })
    file.told = true
  }

  /** Once a file is enough. */
  #wrong(file: CurrentFile, detail: string): void {
    if (file.told) return
    file.told = true
    this.#problems.add({ kind: 'content', inode: file.inode, detail })
  }
}

function decoded(entry: TreeEntry): Extent | undefined {
  try {
    return decodeExtent(entry)
  } catch (error) {
    if (isWarrenError(error, 'EPROTO')) return undefined
    throw error
  }
}
