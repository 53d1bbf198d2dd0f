/** Removes what is below a directory of a volume. */
import type { DirectoryEntry, InodeNumber, Transaction, Volume } from '../volume/volume.ts'
import type { Slices } from './slices.ts'

/** Names that one transaction removes: a few milliseconds. */
const NAMES_AT_ONCE = 256

export interface Removing {
  readonly volume: Volume
  readonly slices: Slices
  readonly signal: AbortSignal | undefined
}

/**
 * Empties a directory in many small transactions, deepest first: one for all would hold a million
 * names in memory. Resolves to how many names went.
 */
export async function emptyDirectory(removing: Removing, directory: InodeNumber): Promise<number> {
  const { volume, slices, signal } = removing
  let removed = 0
  // A snapshot does not change under the removal of what it lists.
  const snapshot = await volume.snapshot()
  for await (const entries of snapshot.entries(directory)) {
    for (const entry of entries) {
      if (entry.type === 'directory') removed += await emptyDirectory(removing, entry.inode)
    }
    for (let from = 0; from < entries.length; from += NAMES_AT_ONCE) {
      signal?.throwIfAborted()
      await slices.share()
      const some = entries.slice(from, from + NAMES_AT_ONCE)
      removed += await volume.update(transaction => removeNames(transaction, directory, some))
    }
  }
  return removed
}

/** Removes a name and everything below it within one transaction. Resolves to how many names went. */
export async function removeTree(
  transaction: Transaction,
  directory: InodeNumber,
  entry: DirectoryEntry
): Promise<number> {
  let removed = 1
  if (entry.type === 'directory') {
    const children: DirectoryEntry[] = []
    for await (const batch of transaction.entries(entry.inode)) children.push(...batch)
    for (const child of children) removed += await removeTree(transaction, entry.inode, child)
  }
  await transaction.unlink(directory, entry.name)
  return removed
}

/** Somebody else may have removed or replaced some meanwhile. */
async function removeNames(
  transaction: Transaction,
  directory: InodeNumber,
  entries: readonly DirectoryEntry[]
): Promise<number> {
  let removed = 0
  for (const { name, inode } of entries) {
    const found = await transaction.lookup(directory, name)
    if (found?.inode === inode) removed += await removeTree(transaction, directory, found)
  }
  return removed
}
