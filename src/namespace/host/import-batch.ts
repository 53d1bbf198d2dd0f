/** One batch of an import: what was found on the host, brought into the tree in one transaction. */
import type { Stats } from 'node:fs'
import { isName } from '../volume/names.ts'
import { WarrenError } from '../../errors.ts'
import type { Inode, InodeNumber, InodePatch, NewInode, Transaction } from '../volume/volume.ts'
import { INLINE_BYTES_MAX } from '../volume/volume.ts'
import { below } from './host-listing.ts'
import type { HostEntry } from './host-listing.ts'
import { readSmallFile } from './read-host-file.ts'
import { removeTree } from './remove-tree.ts'
import type { Slices } from './slices.ts'
import { storeHostFile } from './store-host-file.ts'
import type { ImportVolume, ReferenceStore, StoredHostFile } from './store-host-file.ts'
import type { TransferLog } from './transfer-log.ts'

export { below }

/** Large files stored at once: enough to overlap reading, hashing and writing of middling ones. */
const FILES_AT_ONCE = 4

export type ImportItem =
  | {
      readonly kind: 'entry'
      /** Relative path of the directory. */
      readonly path: string
      readonly entry: HostEntry
      readonly hostPath: string
    }
  /** A directory's entries all came before. `names` are all there are, if that is known. */
  | {
      readonly kind: 'end'
      readonly path: string
      readonly stats: Stats
      readonly names: ReadonlySet<string> | undefined
    }

type EntryItem = ImportItem & { readonly kind: 'entry' }

export interface ImportTarget {
  readonly volume: ImportVolume
  /** Directories whose end has not come yet, by relative path. */
  readonly directories: Map<string, { readonly inode: InodeNumber; readonly isNew: boolean }>
  /** Inodes made for host files with several names, by the host's device and inode. */
  readonly links: Map<string, InodeNumber>
  readonly references: ReferenceStore | undefined
  readonly keepOthers: boolean
  readonly slices: Slices
  readonly signal: AbortSignal | undefined
  readonly log: TransferLog
}

type Prepared =
  | { readonly item: EntryItem; readonly content: 'unchanged' | 'linked' | 'none' }
  | { readonly item: EntryItem; readonly content: Uint8Array | StoredHostFile }

export class ImportBatch {
  readonly #target: ImportTarget
  readonly #items: ImportItem[] = []
  readonly #prepared = new Map<ImportItem, Prepared>()
  /** Bytes of small files that will be held. */
  bytes = 0

  constructor(target: ImportTarget) {
    this.#target = target
  }

  get items(): number {
    return this.#items.length
  }

  add(item: ImportItem): void {
    this.#items.push(item)
    if (item.kind === 'entry' && isSmall(item.entry.stats)) this.bytes += item.entry.stats.size
  }

  async run(): Promise<void> {
    try {
      await this.#prepare()
      await this.#target.volume.update(async transaction => {
        for (const item of this.#items) {
          if (item.kind === 'end') await this.#endDirectory(transaction, item)
          else await this.#putEntry(transaction, this.#prepared.get(item))
        }
      })
    } finally {
      for (const { content } of this.#prepared.values()) {
        if (isStored(content)) content.done()
      }
    }
  }

  /** Reads and stores contents, before the transaction. */
  async #prepare(): Promise<void> {
    const large: EntryItem[] = []
    const unchanged = await this.#findUnchanged()
    for (const item of this.#items) {
      this.#target.signal?.throwIfAborted()
      if (item.kind === 'end') continue
      const { stats } = item.entry
      if (!isName(item.entry.name)) this.#fail(item, new WarrenError('EINVAL'))
      else if (unchanged.has(item)) this.#prepared.set(item, { item, content: 'unchanged' })
      else if (!stats.isFile()) this.#prepareOther(item)
      else if (this.#isLinked(stats)) this.#prepared.set(item, { item, content: 'linked' })
      else if (isSmall(stats)) {
        await this.#target.slices.share()
        this.#attempt(item, () => readSmallFile(item.hostPath, stats))
      } else large.push(item)
    }
    await this.#storeLarge(large)
  }

  /** What is in the volume already, as it is on the host. */
  async #findUnchanged(): Promise<Set<ImportItem>> {
    const unchanged = new Set<ImportItem>()
    const snapshot = await this.#target.volume.snapshot()
    for (const item of this.#items) {
      if (item.kind === 'end' || !item.entry.stats.isFile()) continue
      const directory = this.#target.directories.get(item.path)
      if (directory === undefined || directory.isNew) continue
      const found = await snapshot.lookup(directory.inode, item.entry.name)
      const inode = found && (await snapshot.inode(found.inode))
      if (inode !== undefined && looksLike(inode, item.entry.stats)) unchanged.add(item)
    }
    return unchanged
  }

  #prepareOther(item: EntryItem): void {
    const { stats } = item.entry
    if (stats.isDirectory() || stats.isSymbolicLink()) {
      this.#prepared.set(item, { item, content: 'none' })
    } else this.#fail(item, new WarrenError('ENOTSUP', { message: 'a device, pipe or socket' }))
  }

  async #storeLarge(items: readonly EntryItem[]): Promise<void> {
    const rest = items.values()
    const work = async (): Promise<void> => {
      for (const item of rest) await this.#storeOne(item)
    }
    const workers = Array.from({ length: FILES_AT_ONCE }, work)
    // All of them end before anybody hears of a failure, so that nothing is stored behind its back.
    const results = await Promise.allSettled(workers)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #storeOne(item: EntryItem): Promise<void> {
    const { volume, references, signal, log } = this.#target
    const path = below(item.path, item.entry.name)
    try {
      const content = await storeHostFile(volume, {
        path: item.hostPath,
        stats: item.entry.stats,
        references,
        signal,
        onBytes: bytes => log.passed(path, bytes)
      })
      this.#prepared.set(item, { item, content })
    } catch (error) {
      if (!isHostFailure(error)) throw error
      this.#fail(item, error)
    }
  }

  #attempt(item: EntryItem, read: () => Uint8Array): void {
    try {
      const content = read()
      this.#prepared.set(item, { item, content })
      this.#target.log.passed(below(item.path, item.entry.name), content.length)
    } catch (error) {
      this.#fail(item, error)
    }
  }

  #fail(item: EntryItem, error: unknown): void {
    this.#target.log.fail(below(item.path, item.entry.name), error)
  }

  /** Whether the host file is one that came under another name before; remembers it if it may come again. */
  #isLinked(stats: Stats): boolean {
    if (stats.nlink < 2) return false
    const key = hostKey(stats)
    if (this.#target.links.has(key)) return true
    this.#target.links.set(key, 0 as InodeNumber)
    return false
  }

  async #putEntry(transaction: Transaction, prepared: Prepared | undefined): Promise<void> {
    if (prepared === undefined) return
    const { item, content } = prepared
    const directory = this.#target.directories.get(item.path)!.inode
    const path = below(item.path, item.entry.name)
    const { stats } = item.entry
    if (content === 'unchanged') {
      const found = await transaction.lookup(directory, item.entry.name)
      if (found !== undefined) this.#rememberLink(stats, found.inode)
      this.#target.log.skip(path, stats.size)
    } else if (content === 'linked') await this.#putLink(transaction, directory, item)
    else if (content === 'none') await this.#putOther(transaction, directory, item)
    else await this.#putFile(transaction, directory, item, content)
  }

  async #putFile(
    transaction: Transaction,
    directory: InodeNumber,
    { path, entry }: EntryItem,
    content: Uint8Array | StoredHostFile
  ): Promise<void> {
    const { name, stats } = entry
    const isInode = isStored(content) && 'inode' in content
    const existing = await this.#existing(transaction, directory, name, isInode ? 'none' : 'file')
    let number = existing?.number
    if (isInode) {
      number = content.inode
      await transaction.link(directory, name, number)
    } else {
      number ??= (await transaction.create(directory, name, newInode('file', stats))).number
      if (content instanceof Uint8Array) await transaction.setInline(number, content)
      else {
        const { extents } = content
        const size = stats.size
        await transaction.setExtents(number, { from: 0, to: size, extents, size })
      }
    }
    await transaction.patch(number, patchOf(stats))
    this.#rememberLink(stats, number)
    this.#target.log.file(below(path, name), stats.size)
  }

  async #putLink(transaction: Transaction, directory: InodeNumber, item: EntryItem): Promise<void> {
    const { name, stats } = item.entry
    const number = this.#target.links.get(hostKey(stats))!
    const found = await transaction.lookup(directory, name)
    if (found?.inode === number) return
    if (found !== undefined) await removeTree(transaction, directory, found)
    // The first name may have failed to be read: then this one has failed too.
    if ((await transaction.inode(number)) === undefined) {
      this.#fail(item, new WarrenError('EIO', { message: 'its other name could not be read' }))
    } else {
      await transaction.link(directory, name, number)
      this.#target.log.file(below(item.path, name), 0)
    }
  }

  async #putOther(
    transaction: Transaction,
    directory: InodeNumber,
    { path, entry }: EntryItem
  ): Promise<void> {
    const { name, stats, target } = entry
    const { log, directories } = this.#target
    if (target !== undefined) {
      const existing = await this.#existing(transaction, directory, name, 'symlink')
      if (existing?.target === target) return
      if (existing !== undefined) await transaction.unlink(directory, name)
      await transaction.create(directory, name, { ...newInode('symlink', stats), target })
      log.symlinks++
      return
    }
    const existing = await this.#existing(transaction, directory, name, 'directory')
    const inode =
      existing ?? (await transaction.create(directory, name, newInode('directory', stats)))
    if (existing === undefined) log.directories++
    directories.set(below(path, name), { inode: inode.number, isNew: existing === undefined })
  }

  async #endDirectory(
    transaction: Transaction,
    { path, stats, names }: ImportItem & { readonly kind: 'end' }
  ): Promise<void> {
    const { directories, keepOthers, log } = this.#target
    const { inode, isNew } = directories.get(path)!
    directories.delete(path)
    if (!isNew && !keepOthers && names !== undefined) {
      const gone = []
      for await (const batch of transaction.entries(inode)) {
        gone.push(...batch.filter(({ name }) => !names.has(name)))
      }
      for (const entry of gone) log.removed += await removeTree(transaction, inode, entry)
    }
    const now = await transaction.inode(inode)
    if (now !== undefined && !hasPatch(now, stats)) await transaction.patch(inode, patchOf(stats))
  }

  /** What has the name already, if it is of this type; otherwise it makes room. */
  async #existing(
    transaction: Transaction,
    directory: InodeNumber,
    name: string,
    type: Inode['type'] | 'none'
  ): Promise<Inode | undefined> {
    const found = await transaction.lookup(directory, name)
    if (found === undefined) return undefined
    if (found.type === type) return transaction.inode(found.inode)
    await removeTree(transaction, directory, found)
    return undefined
  }

  #rememberLink(stats: Stats, number: InodeNumber): void {
    if (stats.nlink > 1) this.#target.links.set(hostKey(stats), number)
  }
}

function isSmall(stats: Stats): boolean {
  return stats.isFile() && stats.size <= INLINE_BYTES_MAX
}

function isStored(content: Prepared['content']): content is StoredHostFile {
  return typeof content === 'object' && 'done' in content
}

/** An error about one file of the host, which must not end the whole import. */
function isHostFailure(error: unknown): boolean {
  if (error instanceof WarrenError) return error.code === 'EBUSY'
  const { syscall } = error as NodeJS.ErrnoException
  return syscall === 'open' || syscall === 'read' || syscall === 'fstat'
}

function hostKey({ dev, ino }: Stats): string {
  return `${dev}:${ino}`
}

function looksLike(inode: Inode, stats: Stats): boolean {
  return inode.type === 'file' && inode.size === stats.size && hasPatch(inode, stats)
}

function hasPatch(inode: Inode, stats: Stats): boolean {
  return inode.mtimeMs === stats.mtimeMs && inode.mode === (stats.mode & 0o7777)
}

function patchOf({ mode, uid, gid, mtimeMs }: Stats): InodePatch {
  return { mode: mode & 0o7777, uid, gid, mtimeMs }
}

function newInode(type: Inode['type'], stats: Stats): NewInode {
  const { mode, uid, gid, atimeMs, mtimeMs, birthtimeMs } = stats
  return { type, mode: mode & 0o7777, uid, gid, atimeMs, mtimeMs, birthtimeMs }
}
