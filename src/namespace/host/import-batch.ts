/**
 * One batch of an import: contents are read and stored first, then one transaction puts all of it
 * into the tree.
 */
import { WarrenError } from '../../errors.ts'
import { hostFileOf } from '../../blocks/disk/index.ts'
import { hostKey, isSmall } from './host-entry.ts'
import type { ImportContext } from './import-context.ts'
import type { FileItem, ImportItem } from './import-items.ts'
import { ImportWriter } from './import-writer.ts'
import type { FileContent } from './import-writer.ts'
import { emptyDirectory } from './remove-tree.ts'
import { storeHostFile } from './store-host-file.ts'
import type { StoredHostFile } from './store-host-file.ts'

/** Large files stored at once: enough to overlap reading, hashing and writing of middling ones. */
const FILES_AT_ONCE = 4

/** What a large file adds to the size of a batch: its extents, at their most common length. */
const BYTES_PER_EXTENT_BYTE = 1 / 256

/** What one name leaves behind in memory, about, from its entry to its place in a node. */
const GARBAGE_BYTES_PER_NAME = 4 * 1024

/** The same for a large file, where it is its blocks: for so many bytes one. */
const BYTES_PER_GARBAGE_BYTE = 64

export class ImportBatch {
  /** Names it touches. */
  names = 0
  /** Bytes it will hold in memory, about. */
  bytes = 0
  readonly #context: ImportContext
  readonly #items: ImportItem[] = []
  readonly #contents = new Map<FileItem, FileContent>()

  constructor(context: ImportContext) {
    this.#context = context
  }

  add(item: ImportItem): void {
    this.#items.push(item)
    this.names += item.kind === 'removal' ? item.gone.length : 1
    if (item.kind !== 'file' || item.same !== undefined) return
    const { size } = item.entry.stats
    this.bytes += isSmall(item.entry.stats) ? size : Math.min(size * BYTES_PER_EXTENT_BYTE, 2 ** 20)
  }

  /** Stores contents of large files. */
  async prepare(): Promise<void> {
    this.#context.signal?.throwIfAborted()
    await this.#storeLarge(this.#items.filter(isLarge))
  }

  /** Puts it all into the tree. */
  async commit(): Promise<void> {
    const { volume, slices, signal } = this.#context
    signal?.throwIfAborted()
    if (this.#items.length === 0) return
    await this.#readAllSmall()
    for (const item of this.#items) await this.#makeRoom(item)
    await volume.update(async transaction => {
      const writer = new ImportWriter(this.#context, transaction)
      for (const item of this.#items) {
        if (slices.isUsedUp) await slices.share()
        if (item.kind !== 'file') await writer.put(item)
        else await writer.putFile(item, this.#contents.get(item))
      }
    })
    for (const content of this.#contents.values()) if (isStored(content)) content.done()
    this.#contents.clear()
    const { garbage } = this.#context
    garbage.add(this.bytes + this.names * GARBAGE_BYTES_PER_NAME)
    await garbage.settled()
  }

  /** Gives up what was stored and did not come into the tree. */
  async discard(): Promise<void> {
    for (const content of this.#contents.values()) {
      if (!isStored(content)) continue
      content.done()
      const { inode } = content
      if (inode !== undefined) {
        await this.#context.volume.update(transaction => transaction.release(inode))
      }
    }
  }

  /** Empties directories that go, in transactions of their own. */
  async #makeRoom(item: ImportItem): Promise<void> {
    const { log } = this.#context
    if (item.kind === 'removal') {
      for (const { type, inode } of item.gone) {
        if (type === 'directory') log.removed += await emptyDirectory(this.#context, inode)
      }
    } else if ('found' in item && item.found?.type === 'directory') {
      if (item.kind === 'file' && !this.#contents.has(item)) return
      log.removed += await emptyDirectory(this.#context, item.found.number)
    }
  }

  /**
   * Not before the batch that went before is in the tree and collected: so these are not there to
   * live through that, and are the next time of no use any more.
   */
  async #readAllSmall(): Promise<void> {
    const { signal, slices } = this.#context
    for (const item of this.#items) {
      if (item.kind !== 'file' || isLarge(item)) continue
      signal?.throwIfAborted()
      if (slices.isUsedUp) await slices.share()
      this.#readSmall(item)
    }
  }

  #readSmall(item: FileItem): void {
    const { entry, same, directory, hostPath } = item
    const path = directory.pathOf(entry.name)
    if (same !== undefined) {
      this.#contents.set(item, 'same')
      return
    }
    try {
      const content = this.#context.wholeFiles.read(hostPath, entry.stats)
      this.#contents.set(item, content)
      this.#context.log.passed(path, content.length)
    } catch (error) {
      this.#fail(item, error)
    }
  }

  async #storeLarge(items: readonly FileItem[]): Promise<void> {
    const { slices } = this.#context
    const rest = items.values()
    const work = async (): Promise<void> => {
      for (const item of rest) {
        if (slices.isUsedUp) await slices.share()
        await this.#storeOne(item)
      }
    }
    const workers = Array.from({ length: Math.min(FILES_AT_ONCE, items.length) }, work)
    // All of them end before anybody hears of a failure, so that nothing is stored behind its back.
    const results = await Promise.allSettled(workers)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #storeOne(item: FileItem): Promise<void> {
    const { volume, references, hashers, wholeFiles, inPlace, signal } = this.#context
    const { log, garbage } = this.#context
    const { stats, name } = item.entry
    const { hostPath } = item
    const path = item.directory.pathOf(name)
    try {
      if (await this.#isWhereItShouldBe(item)) {
        this.#contents.set(item, 'same')
        return
      }
      const content = await storeHostFile(volume, {
        path: hostPath,
        stats,
        references: inPlace ? references : undefined,
        hashers,
        wholeFiles,
        signal,
        onBytes: bytes => {
          log.passed(path, bytes)
          garbage.add(bytes / BYTES_PER_GARBAGE_BYTE)
        }
      })
      this.#contents.set(item, content)
    } catch (error) {
      if (!isHostFailure(error)) throw error
      this.#fail(item, error)
    }
  }

  /** Whether a file that looks the same also has its blocks in place, or copied, as it is wanted now. */
  async #isWhereItShouldBe({ same, entry, hostPath }: FileItem): Promise<boolean> {
    const { references, inPlace, copied } = this.#context
    if (same === undefined) return false
    const indexed = await references?.fileOf(hostPath)
    if (!inPlace) {
      if (indexed !== undefined) copied.push(hostPath)
      return indexed === undefined
    }
    const { size, mtimeMs, inode } = hostFileOf(entry.stats)
    return (
      indexed?.changed === false &&
      indexed.size === size &&
      indexed.mtimeMs === mtimeMs &&
      indexed.inode === inode
    )
  }

  #fail({ directory, entry, same }: FileItem, error: unknown): void {
    const { log, links } = this.#context
    // Another of its names may be readable.
    if (entry.stats.nlink > 1 && same === undefined) links.delete(hostKey(entry.stats))
    log.fail(directory.pathOf(entry.name), error)
  }
}

function isStored(content: FileContent): content is StoredHostFile {
  return typeof content === 'object' && 'done' in content
}

/** An error about one file of the host, which must not end the whole import. */
function isHostFailure(error: unknown): boolean {
  if (error instanceof WarrenError) return error.code === 'EBUSY' && error.syscall === 'read'
  const { syscall } = error as NodeJS.ErrnoException
  return syscall === 'open' || syscall === 'read' || syscall === 'fstat'
}

function isLarge(item: ImportItem): item is FileItem {
  return item.kind === 'file' && !isSmall(item.entry.stats)
}
