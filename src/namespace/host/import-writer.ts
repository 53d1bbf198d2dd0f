/** Brings what an import found into the tree, within a transaction. */
import type { Stats } from 'node:fs'
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { DirectoryEntry, InodeNumber, Transaction } from '../volume/volume.ts'
import { hasAttributesOf, hostKey, newInode, patchOf } from './host-entry.ts'
import type { ImportContext } from './import-context.ts'
import type {
  DirectoryItem,
  EndItem,
  FileItem,
  ImportItem,
  LinkItem,
  RemovalItem,
  SymlinkItem
} from './import-items.ts'
import { removeTree } from './remove-tree.ts'
import type { StoredHostFile } from './store-host-file.ts'

/** `same`: what the inode has already. */
export type FileContent = 'same' | Content
type Content = Uint8Array | StoredHostFile

export class ImportWriter {
  readonly #context: ImportContext
  readonly #transaction: Transaction

  constructor(context: ImportContext, transaction: Transaction) {
    this.#context = context
    this.#transaction = transaction
  }

  async put(item: Exclude<ImportItem, FileItem>): Promise<void> {
    switch (item.kind) {
      case 'directory':
        return this.#putDirectory(item)
      case 'symlink':
        return this.#putSymlink(item)
      case 'link':
        return this.#putLink(item)
      case 'removal':
        return this.#remove(item)
      case 'end':
        return this.#end(item)
    }
  }

  /** Without content the file could not be read: what the volume has stays. */
  async putFile(item: FileItem, content: FileContent | undefined): Promise<void> {
    if (content === undefined) return
    const { entry, directory, same } = item
    const { log } = this.#context
    const path = directory.pathOf(entry.name)
    const { stats } = entry
    if (content === 'same') {
      const isPatched = await this.#patch(same!.number, stats)
      if (isPatched) log.file(path, 0)
      else log.skip(path, stats.size)
      this.#rememberLink(item, same!.number)
      return
    }
    const number = (await this.#make(item, content)) ?? (await this.#replace(item, content))
    this.#rememberLink(item, number)
    log.file(path, stats.size)
  }

  /** A new small file, in one step. Undefined when its name is taken or it is not small. */
  async #make(
    { found, directory, entry }: FileItem,
    content: Content
  ): Promise<InodeNumber | undefined> {
    if (found !== undefined || !(content instanceof Uint8Array)) return undefined
    const template = { ...newInode('file', entry.stats), inline: content }
    try {
      return (await this.#transaction.create(directory.inode!, entry.name, template)).number
    } catch (error) {
      if (isWarrenError(error, 'EEXIST')) return undefined
      throw error
    }
  }

  async #replace(item: FileItem, content: Content): Promise<InodeNumber> {
    const number = await this.#fill(item, content)
    await this.#transaction.patch(number, patchOf(item.entry.stats))
    return number
  }

  /** Resolves to whether there was something to change. */
  async #patch(number: InodeNumber, stats: Stats): Promise<boolean> {
    const inode = await this.#transaction.inode(number)
    if (inode === undefined || hasAttributesOf(inode, stats)) return false
    await this.#transaction.patch(number, patchOf(stats))
    return true
  }

  async #fill(item: FileItem, content: Content): Promise<InodeNumber> {
    const transaction = this.#transaction
    const directory = item.directory.inode!
    const { name, stats } = item.entry
    const found = await transaction.lookup(directory, name)
    let number = found && (await this.#reusable(found))
    if (found !== undefined && number === undefined) await this.#clear(directory, found)
    if (!(content instanceof Uint8Array) && content.inode !== undefined) {
      if (number !== undefined) await this.#clear(directory, found!)
      await transaction.link(directory, name, content.inode)
      return content.inode
    }
    number ??= (await transaction.create(directory, name, newInode('file', stats))).number
    if (content instanceof Uint8Array) await transaction.setInline(number, content)
    else {
      const { size } = stats
      const { extents } = content
      await transaction.setExtents(number, { from: 0, to: size, extents, size })
    }
    return number
  }

  /** A file with other names must not change under them: the host may have parted them. */
  async #reusable({ type, inode }: DirectoryEntry): Promise<InodeNumber | undefined> {
    if (type !== 'file') return undefined
    const now = await this.#transaction.inode(inode)
    return now?.links === 1 ? inode : undefined
  }

  async #putLink(item: LinkItem): Promise<void> {
    const { log, links } = this.#context
    const { entry } = item
    const directory = item.directory.inode!
    const path = item.directory.pathOf(entry.name)
    const number = links.get(hostKey(entry.stats))
    const found = await this.#transaction.lookup(directory, entry.name)
    if (number === undefined || (await this.#transaction.inode(number)) === undefined) {
      log.fail(path, new WarrenError('EIO', { message: 'its other name could not be read' }))
    } else if (found?.inode === number) log.skip(path, 0)
    else {
      if (found !== undefined) await this.#clear(directory, found)
      await this.#transaction.link(directory, entry.name, number)
      log.file(path, 0)
    }
  }

  async #putSymlink({ directory, entry }: SymlinkItem): Promise<void> {
    const { name, stats, target } = entry
    const found = await this.#transaction.lookup(directory.inode!, name)
    if (found !== undefined) await this.#clear(directory.inode!, found)
    const inode = { ...newInode('symlink', stats), target: target! }
    await this.#transaction.create(directory.inode!, name, inode)
    this.#context.log.symlinks++
  }

  async #putDirectory({ directory, entry, made }: DirectoryItem): Promise<void> {
    const { name, stats } = entry
    const found = await this.#transaction.lookup(directory.inode!, name)
    if (found !== undefined && found.type !== 'directory') {
      await this.#clear(directory.inode!, found)
    }
    made.inode =
      found?.type === 'directory'
        ? found.inode
        : await this.#makeDirectory(directory.inode!, name, newInode('directory', stats))
  }

  async #makeDirectory(
    directory: InodeNumber,
    name: string,
    template: ReturnType<typeof newInode>
  ): Promise<InodeNumber> {
    this.#context.log.directories++
    return (await this.#transaction.create(directory, name, template)).number
  }

  async #remove({ directory, gone }: RemovalItem): Promise<void> {
    for (const { name, inode } of gone) {
      const found = await this.#transaction.lookup(directory.inode!, name)
      if (found?.inode !== inode) continue
      this.#context.log.removed += await removeTree(this.#transaction, directory.inode!, found)
    }
  }

  async #end({ directory, stats }: EndItem): Promise<void> {
    await this.#patch(directory.inode!, stats)
  }

  /** Makes room for something else under a name. */
  async #clear(directory: InodeNumber, found: DirectoryEntry): Promise<void> {
    await removeTree(this.#transaction, directory, found)
  }

  #rememberLink({ entry: { stats } }: FileItem, number: InodeNumber): void {
    if (stats.nlink > 1) this.#context.links.set(hostKey(stats), number)
  }
}
