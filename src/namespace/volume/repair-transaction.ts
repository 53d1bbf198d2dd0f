/**
 * What a transaction can do besides, for whoever repairs a volume: things that no other verb would
 * do, because they are only right when something was wrong.
 */
import type { DirectoryEntry, Inode, InodeNumber, Transaction } from './volume.ts'

export interface RepairTransaction extends Transaction {
  /** Writes an inode record as it is. */
  putInode(inode: Inode): void
  /**
   * Gives an inode without names its only one, directories too. Of a directory `subdirectories`
   * says how many are in it. Throws `EEXIST`, `ENOTDIR`, `ENOENT`.
   */
  adopt(
    directory: InodeNumber,
    name: string,
    inode: { readonly number: InodeNumber; readonly subdirectories: number }
  ): Promise<void>
  /** Writes an entry as it is, in place of what stands under its name, and counts nothing. */
  putEntry(directory: InodeNumber, entry: DirectoryEntry): void
  /** Takes the mark of an inode that is open without a name. */
  unmarkOrphan(inode: InodeNumber): void
  /** The next inode made gets at least this number, also when nothing says which was next. */
  raiseNextInode(next: InodeNumber): Promise<void>
}
