/** Removes a name and everything below it within one transaction. */
import type { DirectoryEntry, InodeNumber, Transaction } from '../volume/volume.ts'

/** Resolves to how many names went. */
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
