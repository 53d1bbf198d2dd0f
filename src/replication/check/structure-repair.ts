/**
 * Mends what is wrong with the inodes of a volume, in transactions among those of everybody else.
 * What was found is some time old by then, so each repair looks again: it changes an inode only as
 * far as that is right whatever happened meanwhile, or not at all when anything did.
 */
import { isWarrenError } from '../../errors.ts'
import { ROOT_INODE } from '../../namespace/index.ts'
import type {
  DirectoryEntry,
  Inode,
  InodeNumber,
  LocalVolume,
  RepairTransaction,
  Snapshot
} from '../../namespace/index.ts'
import { REPAIRS_AT_ONCE } from './check-limits.ts'
import type { ProblemKind } from './check-report.ts'
import type { InodeTable } from './inode-table.ts'
import type { Problems } from './problems.ts'
import { expectedLinks, expectedParent } from './structure.ts'
import type { Mendable, Name } from './structure.ts'

/** Where what has no name is put, in the root directory; each under its inode number. */
export const LOST_AND_FOUND = 'lost+found'

export interface RepairComponents {
  readonly volume: Pick<LocalVolume, 'repair'>
  /** Of the version that was checked. */
  readonly before: Snapshot
  readonly inodes: InodeTable
  readonly problems: Problems
  /** Whether an inode without names is open; default: it may be. */
  readonly isOpen: ((inode: InodeNumber) => boolean) | undefined
}

type Fix<Item> = (transaction: RepairTransaction, item: Item) => Promise<boolean>

export class StructureRepair {
  readonly #components: RepairComponents
  /** Undefined: only tell. */
  readonly #repair: boolean
  readonly #signal: AbortSignal | undefined

  constructor(
    components: RepairComponents,
    options: { readonly repair: boolean; readonly signal: AbortSignal | undefined }
  ) {
    this.#components = components
    this.#repair = options.repair
    this.#signal = options.signal
  }

  /** Tells of everything and mends it, when that is wanted. */
  async run(found: Mendable): Promise<void> {
    await this.#types(found.types)
    await this.#rows('parent', found.parents, (transaction, row) => this.#parent(transaction, row))
    await this.#rows('directory-cycle', found.cycles, (transaction, row) =>
      this.#openCycle(transaction, row)
    )
    await this.#rows('inode-orphan', found.orphans, (transaction, row) =>
      this.#adopt(transaction, row)
    )
    await this.#rows('orphan-mark', found.marked, (transaction, row) =>
      this.#unmark(transaction, row)
    )
    await this.#rows('links', found.links, (transaction, row) => this.#links(transaction, row))
    const { isOpen, inodes } = this.#components
    if (isOpen === undefined) return
    const left = found.open.filter(row => !isOpen(inodes.number(row)))
    await this.#rows('inode-open', left, (transaction, row) => this.#release(transaction, row))
  }

  /** No inode is made with a number that is taken. `next`: what the volume says, if it does. */
  async nextInode(next: number | undefined): Promise<void> {
    const { inodes, volume } = this.#components
    const last = inodes.count === 0 ? 0 : inodes.number(inodes.count - 1)
    if (next !== undefined && next > last) return
    const detail = `${next ?? 'unknown'}, and ${last} is taken`
    const repaired = this.#repair && last > 0
    if (repaired) await volume.repair(t => t.raiseNextInode((last + 1) as InodeNumber))
    this.#components.problems.add({ kind: 'next-inode', detail, repaired })
  }

  /** Marks of inodes that are not there. */
  async strayMarks(marks: readonly InodeNumber[]): Promise<void> {
    const unmark: Fix<InodeNumber> = async (transaction, number) => {
      if ((await transaction.inode(number)) !== undefined) return false
      transaction.unmarkOrphan(number)
      return true
    }
    await this.#each(marks, unmark, (inode, repaired) => {
      this.#components.problems.add({ kind: 'orphan-mark', inode, repaired })
    })
  }

  async #types(names: readonly Name[]): Promise<void> {
    const { before, problems } = this.#components
    const fix: Fix<Name> = async (transaction, { directory, target }) => {
      const entry = await findName(before, directory, target)
      const inode = await transaction.inode(target)
      const now = entry && (await transaction.lookup(directory, entry.name))
      if (now?.inode !== target || inode === undefined) return false
      transaction.putEntry(directory, { ...now, type: inode.type })
      return true
    }
    await this.#each(names, fix, ({ directory, target }, repaired) => {
      problems.add({ kind: 'entry-type', inode: target, directory, repaired })
    })
  }

  async #parent(transaction: RepairTransaction, row: number): Promise<boolean> {
    const inode = await this.#unchanged(transaction, row)
    if (inode === undefined) return false
    transaction.putInode({ ...inode, parent: expectedParent(this.#components.inodes, row) })
    return true
  }

  /** Takes one directory out of the ring: the others are below it. */
  async #openCycle(transaction: RepairTransaction, row: number): Promise<boolean> {
    const { before, inodes } = this.#components
    const directory = inodes.namedIn(row)
    const inode = await transaction.inode(inodes.number(row))
    const entry = inode && (await findName(before, directory, inode.number))
    const now = entry && (await transaction.lookup(directory, entry.name))
    if (inode === undefined || now?.inode !== inode.number) return false
    const name = `#${inode.number}`
    const lost = await lostAndFound(transaction)
    if ((await transaction.lookup(lost, name)) !== undefined) return false
    await transaction.rename({ directory, name: now.name }, { directory: lost, name })
    return true
  }

  async #adopt(transaction: RepairTransaction, row: number): Promise<boolean> {
    const { inodes } = this.#components
    const inode = await this.#unchanged(transaction, row)
    if (inode === undefined) return false
    const subdirectories = inodes.subdirectories(row)
    const lost = await lostAndFound(transaction)
    await transaction.adopt(lost, `#${inode.number}`, { number: inode.number, subdirectories })
    return true
  }

  async #unmark(transaction: RepairTransaction, row: number): Promise<boolean> {
    const inode = await this.#unchanged(transaction, row)
    if (inode === undefined) return false
    transaction.unmarkOrphan(inode.number)
    transaction.putInode({ ...inode, links: expectedLinks(this.#components.inodes, row) })
    return true
  }

  /** A file's names since then changed its count by as many, so what was wrong is still wrong by the same. */
  async #links(transaction: RepairTransaction, row: number): Promise<boolean> {
    const { inodes, before } = this.#components
    const number = inodes.number(row)
    const inode = await transaction.inode(number)
    const then = await before.inode(number)
    if (inode === undefined || inode.generation !== then?.generation) return false
    const links =
      inode.type === 'directory'
        ? 2 + (await countDirectories(transaction, number))
        : inode.links + inodes.names(row) - then.links
    if (links < 1) return false
    transaction.putInode({ ...inode, links })
    return true
  }

  async #release(transaction: RepairTransaction, row: number): Promise<boolean> {
    const inode = await this.#unchanged(transaction, row)
    if (inode === undefined || this.#components.isOpen?.(inode.number) !== false) return false
    transaction.putInode({ ...inode, links: 0 })
    await transaction.release(inode.number)
    return true
  }

  /** The inode, when nobody has named, unnamed or moved it since; each of those changes one of these. */
  async #unchanged(transaction: RepairTransaction, row: number): Promise<Inode | undefined> {
    const { inodes, before } = this.#components
    const number = inodes.number(row)
    const now = await transaction.inode(number)
    const then = await before.inode(number)
    const same =
      now !== undefined &&
      now.generation === then?.generation &&
      now.links === then.links &&
      now.parent === then.parent &&
      now.ctimeMs === then.ctimeMs
    return same ? now : undefined
  }

  async #rows(kind: ProblemKind, rows: readonly number[], fix: Fix<number>): Promise<void> {
    const { inodes, problems } = this.#components
    await this.#each(rows, fix, (row, repaired) => {
      const detail = kind === 'links' ? linksText(inodes, row) : undefined
      const problem = { kind, inode: inodes.number(row), repaired }
      problems.add(detail === undefined ? problem : { ...problem, detail })
    })
  }

  async #each<Item>(
    items: readonly Item[],
    fix: Fix<Item>,
    tell: (item: Item, repaired: boolean) => void
  ): Promise<void> {
    for (let from = 0; from < items.length; from += REPAIRS_AT_ONCE) {
      this.#signal?.throwIfAborted()
      const some = items.slice(from, from + REPAIRS_AT_ONCE)
      const repaired = this.#repair ? await this.#fixAll(some, fix) : []
      for (const [index, item] of some.entries()) tell(item, repaired[index] ?? false)
    }
  }

  async #fixAll<Item>(items: readonly Item[], fix: Fix<Item>): Promise<boolean[]> {
    return this.#components.volume.repair(async transaction => {
      const repaired: boolean[] = []
      for (const item of items) {
        repaired.push(await fix(transaction, item).catch(unlessBroken))
      }
      return repaired
    })
  }
}

/** What a repair finds in its way (a name that is taken, a node that is gone) leaves it undone. */
function unlessBroken(error: unknown): false {
  if (isWarrenError(error)) return false
  throw error
}

function linksText(inodes: InodeTable, row: number): string {
  return `${inodes.links(row)}, and it should be ${expectedLinks(inodes, row)}`
}

async function lostAndFound(transaction: RepairTransaction): Promise<InodeNumber> {
  const entry = await transaction.lookup(ROOT_INODE, LOST_AND_FOUND)
  if (entry !== undefined) return entry.inode
  const made = await transaction.create(ROOT_INODE, LOST_AND_FOUND, {
    type: 'directory',
    mode: 0o700
  })
  return made.number
}

/** The name that an inode has in a directory. */
async function findName(
  snapshot: Snapshot,
  directory: InodeNumber,
  target: InodeNumber
): Promise<DirectoryEntry | undefined> {
  for await (const entries of snapshot.entries(directory)) {
    const found = entries.find(({ inode }) => inode === target)
    if (found !== undefined) return found
  }
  return undefined
}

async function countDirectories(snapshot: Snapshot, directory: InodeNumber): Promise<number> {
  let count = 0
  for await (const entries of snapshot.entries(directory)) {
    for (const { type } of entries) if (type === 'directory') count++
  }
  return count
}
