/**
 * Walks a directory of a snapshot, parents before what is in them, in the order of the tree.
 *
 * The volume may be somebody else's and made to send a walk in circles. Listings promise that a
 * directory's inode names the directory it is listed in as its parent. So a directory can come up
 * twice only by two names in one directory, or when the walk began inside a circle and meets its
 * own beginning; both are refused here.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { EntryWithInode, InodeNumber, Snapshot } from '../volume/volume.ts'
import { ExportDirectory } from './export-directory.ts'

/** Deeper than any path of a host can be. */
export const DEPTH_MAX = 2_048

export interface EntryItem {
  readonly kind: 'entry'
  readonly directory: ExportDirectory
  readonly entry: EntryWithInode
  /** For a directory: what it becomes. */
  readonly made: ExportDirectory | undefined
  /** Where it goes, if not under its own name in its directory. */
  readonly hostPath?: string
}

/** Everything in and below the directory came before. */
export interface EndItem {
  readonly kind: 'end'
  readonly directory: ExportDirectory
}

export type VolumeItem = EntryItem | EndItem

/** Throws `EPROTO` and `ENAMETOOLONG` for a volume that cannot be walked to its end. */
export async function* walkSnapshot(
  snapshot: Snapshot,
  top: ExportDirectory,
  options: StoreOptions
): AsyncGenerator<readonly VolumeItem[]> {
  const pending: (ExportDirectory | EndItem)[] = [top]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!(next instanceof ExportDirectory)) {
      yield [next]
      continue
    }
    // Subdirectories follow their directory's entries, the order in which imports number them.
    const subdirectories: ExportDirectory[] = []
    const seen = new Set([top.inode.number])
    for await (const entries of snapshot.entriesWithInodes(next.inode.number, options)) {
      options.signal?.throwIfAborted()
      yield itemsOf(next, entries, { subdirectories, seen })
    }
    pending.push({ kind: 'end', directory: next }, ...subdirectories.reverse())
  }
}

function itemsOf(
  directory: ExportDirectory,
  entries: readonly EntryWithInode[],
  found: { readonly subdirectories: ExportDirectory[]; readonly seen: Set<InodeNumber> }
): VolumeItem[] {
  return entries.map(entry => {
    const made = entry.type === 'directory' ? madeOf(directory, entry, found.seen) : undefined
    if (made !== undefined) found.subdirectories.push(made)
    return { kind: 'entry', directory, entry, made }
  })
}

function madeOf(
  parent: ExportDirectory,
  { name, attributes }: EntryWithInode,
  seen: Set<InodeNumber>
): ExportDirectory {
  if (seen.has(attributes.number)) {
    throw new WarrenError('EPROTO', { message: 'a directory in two places', path: name })
  }
  if (parent.depth === DEPTH_MAX) {
    throw new WarrenError('ENAMETOOLONG', { message: `over ${DEPTH_MAX} levels deep` })
  }
  seen.add(attributes.number)
  return parent.child(name, attributes)
}
