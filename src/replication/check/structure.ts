/** Holds what a tree says of its inodes against each other: names, link counts, parents, ways to the root. */
import { ROOT_INODE } from '../../namespace/index.ts'
import type { InodeNumber } from '../../namespace/index.ts'
import type { EntryTable, InodeTable } from './inode-table.ts'
import type { Problems } from './problems.ts'

export interface Name {
  readonly directory: InodeNumber
  readonly target: InodeNumber
}

/** What is wrong and can be mended: rows of the table of inodes, unless it says otherwise. */
export interface Mendable {
  /** Names that say another type than their inode. */
  readonly types: Name[]
  readonly parents: number[]
  /** Of each ring of directories one. */
  readonly cycles: number[]
  readonly orphans: number[]
  /** Marked as open, and with names. */
  readonly marked: number[]
  /** Marked as open without a name, and it is so. */
  readonly open: number[]
  readonly links: number[]
}

export interface StructureParts {
  readonly inodes: InodeTable
  readonly entries: EntryTable
  readonly problems: Problems
  /** Whether an inode that is not there may be in a part of the tree that could not be read. */
  readonly mayBeLost: (inode: InodeNumber) => boolean
}

/** Finds out which inodes every name is of. Call it once, before `findMendable`. */
export function countNames({ inodes, entries, problems, mayBeLost }: StructureParts): Name[] {
  const wrongTypes: Name[] = []
  let near = 0
  for (let index = 0; index < entries.directories; index++) {
    const directory = entries.directory(index)
    const holder = inodes.find(directory)
    if (!isDirectory(inodes, holder)) {
      if (!mayBeLost(directory)) problems.add({ kind: 'entry-stray', inode: directory })
      if (holder >= 0 || !mayBeLost(directory)) continue
    }
    for (const { target, type } of entries.entriesOf(index)) {
      const row = inodes.find(target, near)
      if (row < 0) {
        const kind = mayBeLost(target) ? 'inode-lost' : 'entry-dangling'
        problems.add({ kind, inode: target, directory })
        continue
      }
      near = row + 1
      inodes.addName(row, directory)
      const real = inodes.type(row)
      if (real !== undefined && real !== type) wrongTypes.push({ directory, target })
      if (real === 'directory' && holder >= 0) inodes.addSubdirectory(holder)
    }
  }
  return wrongTypes
}

/** Only of a tree that could be read as a whole. */
export function findMendable({ inodes, problems }: StructureParts, types: Name[]): Mendable {
  const found: Mendable = {
    types,
    parents: [],
    cycles: findCycles(inodes),
    orphans: [],
    marked: [],
    open: [],
    links: []
  }
  if (!isDirectory(inodes, inodes.find(ROOT_INODE))) {
    problems.add({ kind: 'root-missing', inode: ROOT_INODE })
  }
  for (let row = 0; row < inodes.count; row++) {
    const type = inodes.type(row)
    const names = inodes.names(row)
    if (type === undefined) continue
    if (names === 0 && inodes.number(row) !== ROOT_INODE) {
      if (inodes.isMarked(row)) found.open.push(row)
      else found.orphans.push(row)
      continue
    }
    if (inodes.isMarked(row)) found.marked.push(row)
    else if (inodes.links(row) !== expectedLinks(inodes, row)) found.links.push(row)
    if (type !== 'directory') continue
    const namesMax = inodes.number(row) === ROOT_INODE ? 0 : 1
    if (names > namesMax) problems.add({ kind: 'directory-names', inode: inodes.number(row) })
    if (inodes.parent(row) !== expectedParent(inodes, row)) found.parents.push(row)
  }
  return found
}

export function expectedLinks(inodes: InodeTable, row: number): number {
  return inodes.type(row) === 'directory' ? 2 + inodes.subdirectories(row) : inodes.names(row)
}

export function expectedParent(inodes: InodeTable, row: number): InodeNumber {
  return inodes.number(row) === ROOT_INODE ? ROOT_INODE : inodes.namedIn(row)
}

function isDirectory(inodes: InodeTable, row: number): boolean {
  return row >= 0 && (inodes.type(row) ?? 'directory') === 'directory'
}

/** One of each ring of directories that are only named in each other. */
function findCycles(inodes: InodeTable): number[] {
  /** By row: the walk that came by, from 1; walks before this one led somewhere that is known. */
  const walks = new Uint32Array(inodes.count)
  const cycles: number[] = []
  for (let start = 0; start < inodes.count; start++) {
    if (inodes.type(start) !== 'directory') continue
    let row = start
    while (row >= 0 && walks[row] === 0 && inodes.number(row) !== ROOT_INODE) {
      walks[row] = start + 1
      row = inodes.find(inodes.namedIn(row))
    }
    if (row >= 0 && walks[row] === start + 1) cycles.push(row)
  }
  return cycles
}
