/**
 * Sharing a folder in place: blocks that are ranges of files which stay where they are, instead of
 * copies of them.
 *
 * The files belong to somebody else, who may edit, replace or delete them at any time. So a range is
 * only ever handed out when it has the hash of its block. When it has not, or the file is no longer
 * as it was when it was indexed, `onChanged` says so once, until the file is indexed again. `has`
 * does not count on a changed file; `get` still tries it, because most of it may be as it was.
 *
 * It takes no blocks, only references, so put it behind a store that does, in a tiered store: blocks
 * are written to that one, and `putMany` here throws `ENOTSUP` for any block it has no reference to.
 * Deleting a block deletes references and never touches a host file.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import { blockIdFromBytes, blockIdToBytes } from '../block-id.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from '../block-store.ts'
import { WarrenError } from '../../errors.ts'
import type { DirectoryLock } from './directory-lock.ts'
import { lockDirectory } from './directory-lock.ts'
import { TEMPORARY_SUFFIX } from './durable-file.ts'
import type { HostFileReference } from './host-file-batch.ts'
import { HostFileIndex } from './host-file-index.ts'
import { HostFileLog } from './host-file-log.ts'
import { HostFileReader, PLACES_TRIED_MAX } from './host-file-reader.ts'
import type { HostFile } from './host-file-state.ts'
import { hostFileOf } from './host-file-state.ts'
import { HostFileWriter } from './host-file-writer.ts'

export type { HostFile, HostFileReference }
export { hostFileOf }

export interface HostFileBlockStoreOptions {
  /** Called once when a file is found to have changed or gone, until it is indexed again. */
  readonly onChanged?: (path: string) => void
  /** Host files open at a time, which is also how many reads run at a time. Default `FILES_OPEN_MAX`. */
  readonly filesOpenMax?: number
  /** How long a host file stays open for further reads, and so how long its being replaced can go unseen. Milliseconds, default `FILE_OPEN_MS`. */
  readonly fileOpenMs?: number
}

/** Far below the 1024 (256 on macOS) files that a process may have open unless told otherwise. */
export const FILES_OPEN_MAX: number = 64
export const FILE_OPEN_MS: number = 1000

export interface IndexedHostFile extends HostFile {
  readonly path: string
  /** It was found not to be as it was when it was indexed. */
  readonly changed: boolean
}

export interface HostFileBlockStore extends BlockStore {
  /**
   * Says which ranges of which files are which blocks; the hashes are trusted here and checked at
   * every read. `file` is what the file's `stat` gave *before* it was read for hashing. References
   * of a file that is indexed in the same state are added to those it has; a file in another state,
   * or one that has been found changed, loses its old references first. They survive a crash only
   * after `sync`.
   */
  putReferences(references: readonly HostFileReference[], options?: StoreOptions): Promise<void>
  /** The file's references; a block that the file repeats once. Holds 42 bytes a reference while it runs. */
  referencesOf(path: string, options?: StoreOptions): AsyncIterable<HostFileReference>
  /** Drops a file and its references. Resolves to whether it was indexed. */
  forget(path: string, options?: StoreOptions): Promise<boolean>
  /** The state in which a file is indexed, for telling whether it has to be again. */
  fileOf(path: string, options?: StoreOptions): Promise<IndexedHostFile | undefined>
  /** Every file that is indexed, in no order. */
  files(options?: StoreOptions): AsyncIterable<IndexedHostFile>
}

const LOG_FILE = 'references.log'

/**
 * Opens the store that keeps its index in `directory`, which must be its own, and makes it if need
 * be. Throws `EBUSY` while another opener has it.
 */
export async function openHostFileBlockStore(
  directory: string,
  options: HostFileBlockStoreOptions = {}
): Promise<HostFileBlockStore> {
  const lock = await lockDirectory(directory)
  try {
    const path = join(directory, LOG_FILE)
    await rm(path + TEMPORARY_SUFFIX, { force: true })
    const log = await HostFileLog.open(path)
    const index = new HostFileIndex()
    await log.replay((record, position) => index.apply(record, position, log))
    const writer = new HostFileWriter(index, log)
    await writer.recover()
    return new LoggedHostFileBlockStore({ index, writer, lock }, options)
  } catch (error) {
    await lock.release()
    throw error
  }
}

class LoggedHostFileBlockStore implements HostFileBlockStore {
  readonly #index: HostFileIndex
  readonly #writer: HostFileWriter
  readonly #reader: HostFileReader
  readonly #lock: DirectoryLock
  #closing: Promise<void> | undefined

  constructor(
    { index, writer, lock }: { index: HostFileIndex; writer: HostFileWriter; lock: DirectoryLock },
    options: HostFileBlockStoreOptions
  ) {
    this.#index = index
    this.#lock = lock
    this.#writer = writer
    this.#reader = new HostFileReader(
      { index, log: () => writer.log, onChanged: options.onChanged ?? (() => {}) },
      {
        filesOpenMax: options.filesOpenMax ?? FILES_OPEN_MAX,
        fileOpenMs: options.fileOpenMs ?? FILE_OPEN_MS
      }
    )
  }

  async get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    this.#check(options)
    return this.#reader.get(id, options?.signal)
  }

  async has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    this.#check(options)
    return this.#isInUnchangedFile(blockIdToBytes(id))
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    this.#check(options)
    for (const { id } of blocks) {
      if (this.#isInUnchangedFile(blockIdToBytes(id))) continue
      throw new WarrenError('ENOTSUP', { message: 'host files take references, not blocks' })
    }
  }

  async deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    this.#check(options)
    await this.#writer.delete(ids.map(blockIdToBytes))
  }

  async *ids(options?: StoreOptions): AsyncGenerator<BlockId> {
    this.#check(options)
    for (const { id, place } of this.#index.references.entries()) {
      const changed = this.#index.isChanged(place.container)
      if (changed && !this.#isInUnchangedFile(id)) continue
      yield blockIdFromBytes(id)
      this.#check(options)
    }
  }

  async putReferences(
    references: readonly HostFileReference[],
    options?: StoreOptions
  ): Promise<void> {
    this.#check(options)
    for (const number of await this.#writer.put(references)) this.#reader.drop(number)
  }

  async *referencesOf(path: string, options?: StoreOptions): AsyncGenerator<HostFileReference> {
    this.#check(options)
    for await (const reference of this.#writer.referencesOf(path)) {
      yield reference
      this.#check(options)
    }
  }

  async forget(path: string, options?: StoreOptions): Promise<boolean> {
    this.#check(options)
    const number = await this.#writer.forget(path)
    if (number !== undefined) this.#reader.drop(number)
    return number !== undefined
  }

  async fileOf(path: string, options?: StoreOptions): Promise<IndexedHostFile | undefined> {
    this.#check(options)
    const number = this.#index.numberOf(path)
    return number === undefined ? undefined : this.#fileAt(number)
  }

  async *files(options?: StoreOptions): AsyncGenerator<IndexedHostFile> {
    this.#check(options)
    for (const number of this.#index.filesByNumber()) {
      const file = await this.#fileAt(number)
      if (file !== undefined) yield file
      this.#check(options)
    }
  }

  async sync(): Promise<void> {
    this.#check()
    await this.#writer.sync()
  }

  usage(): BlockStoreUsage {
    this.#check()
    return { blocks: this.#index.references.blocks, bytes: this.#index.references.bytes }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#reader.close()
      await this.#writer.close()
    } finally {
      await this.#lock.release()
    }
  }

  async #fileAt(number: number): Promise<IndexedHostFile | undefined> {
    const changed = this.#index.isChanged(number)
    const record = await this.#writer.log.read(this.#index.beginOf(number))
    if (record?.type !== 'file') return undefined
    const { path, size, mtimeMs, inode } = record
    return { path, size, mtimeMs, inode, changed }
  }

  #isInUnchangedFile(id: Uint8Array): boolean {
    const isUnchanged = (file: number): boolean => !this.#index.isChanged(file)
    return this.#index.references.isInSome(id, PLACES_TRIED_MAX, isUnchanged)
  }

  #check(options?: StoreOptions): void {
    if (this.#closing !== undefined) {
      throw new WarrenError('EBADF', { message: 'the block store is closed' })
    }
    options?.signal?.throwIfAborted()
  }
}
