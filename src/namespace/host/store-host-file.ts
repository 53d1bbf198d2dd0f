/** Turns a large file of the host into extents, copied into the store or left where it is. */
import type { Stats } from 'node:fs'
import { hostFileOf } from '../../blocks/disk/index.ts'
import type { FileHashers } from '../../blocks/disk/index.ts'
import type { Extent, InodeNumber, StoredExtents, Volume } from '../volume/volume.ts'
import type { BlockRun } from '../volume/store-extents.ts'
import { DataRuns } from './data-runs.ts'
import { HashedFile } from './hashed-file.ts'
import type { ImportVolume, ReferenceStore } from './import-volume.ts'
import { OpenHostFile } from './read-host-file.ts'
import type { WholeFileReader } from './read-host-file.ts'

/** A file with more extents is put into the tree as it comes, not held in memory until its end. */
export const EXTENTS_HELD_MAX = 1_024

/** Files up to this size are read in one go on this thread: trips to another cost more. */
const WHOLE_BYTES_MAX = 128 * 1024

export interface HostFileSource {
  readonly path: string
  readonly stats: Stats
  /** Undefined to copy. */
  readonly references: ReferenceStore | undefined
  /** Undefined where the store keeps the very bytes that it is given. */
  readonly hashers: FileHashers | undefined
  readonly wholeFiles: WholeFileReader
  readonly signal: AbortSignal | undefined
  readonly onBytes: (bytes: number) => void
}

/** Stored content that is in no tree yet, or under no name yet. */
export interface StoredHostFile {
  readonly extents: readonly Extent[]
  /** Of a very long file: already an inode, without a name, and `extents` is empty. */
  readonly inode: InodeNumber | undefined
  /** Call it when the content has a name, or was given up. */
  done(): void
}

/** Throws `EBUSY` when the file changes meanwhile. */
export async function storeHostFile(
  volume: ImportVolume,
  source: HostFileSource
): Promise<StoredHostFile> {
  const storing = new HostFileStoring(volume, source)
  try {
    await storing.addAll()
    return await storing.finish()
  } catch (error) {
    await storing.discard()
    throw error
  }
}

class HostFileStoring {
  readonly #volume: ImportVolume
  readonly #source: HostFileSource
  readonly #put: (run: BlockRun) => Promise<void>
  readonly #stored: StoredExtents[] = []
  #held: Extent[] = []
  #inode: InodeNumber | undefined

  constructor(volume: ImportVolume, source: HostFileSource) {
    this.#volume = volume
    this.#source = source
    const { references } = source
    this.#put = references ? referring(references, source) : run => volume.putBlocks(run)
  }

  async addAll(): Promise<void> {
    const { path, stats, hashers, wholeFiles } = this.#source
    const { blockBytes } = this.#volume
    if (stats.size <= WHOLE_BYTES_MAX) return this.#addContent(0, [wholeFiles.read(path, stats)])
    const file = new OpenHostFile(path, stats)
    try {
      if (hashers === undefined || blockBytes === undefined) await this.#addRuns(file)
      else await this.#addHashed(file, hashers, blockBytes)
      file.requireSame()
    } finally {
      await file.close()
    }
  }

  async #addHashed(file: OpenHostFile, hashers: FileHashers, blockBytes: number): Promise<void> {
    const { signal, references, onBytes } = this.#source
    const hashed = new HashedFile(file, { hashers, blockBytes, signal })
    const put = (run: BlockRun): Promise<void> => {
      if (references === undefined) return hashed.lend(run, this.#put)
      // References name where bytes are and keep none.
      hashed.release(run.offset)
      return this.#put(run)
    }
    try {
      while (!hashed.isRead) {
        const options = { ...(signal === undefined ? {} : { signal }), put }
        await this.#add(this.#volume.storeBlocks(hashed.part(onBytes), options))
      }
    } finally {
      hashed.close()
    }
  }

  async #addRuns(file: OpenHostFile): Promise<void> {
    const { signal, onBytes } = this.#source
    const runs = new DataRuns(file, signal)
    for (let at = await runs.begin(onBytes); at !== undefined; at = await runs.begin(onBytes)) {
      await this.#addContent(at, runs.run())
    }
  }

  #addContent(
    offset: number,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  ): Promise<void> {
    const { signal } = this.#source
    const options = { offset, put: this.#put, ...(signal === undefined ? {} : { signal }) }
    return this.#add(this.#volume.storeExtents(content, options))
  }

  async #add(stored: StoredExtents): Promise<void> {
    this.#stored.push(stored)
    for await (const extents of stored) {
      this.#held.push(...extents)
      this.#source.onBytes(extents.reduce((sum, extent) => sum + extent.length, 0))
      if (this.#held.length >= EXTENTS_HELD_MAX) await this.#attach()
    }
    if (this.#inode !== undefined) await this.#attach()
  }

  async finish(): Promise<StoredHostFile> {
    if (this.#inode !== undefined) await this.#attach(this.#source.stats.size)
    return { extents: this.#held, inode: this.#inode, done: () => this.#done() }
  }

  async discard(): Promise<void> {
    this.#done()
    const inode = this.#inode
    if (inode !== undefined) await this.#volume.update(transaction => transaction.release(inode))
  }

  #done(): void {
    for (const stored of this.#stored) stored.done()
  }

  async #attach(size?: number): Promise<void> {
    const extents = this.#held
    if (extents.length === 0 && size === undefined) return
    this.#held = []
    this.#inode = await attach(this.#volume, this.#inode, { extents, size })
    // The tree names all of the runs before the last one.
    for (const stored of this.#stored.splice(0, this.#stored.length - 1)) stored.done()
  }
}

function referring(
  references: ReferenceStore,
  { path, stats }: HostFileSource
): (run: BlockRun) => Promise<void> {
  const file = hostFileOf(stats)
  return run => {
    let next = run.offset
    const list = run.blocks.map(({ id, bytes: { length } }) => {
      const offset = next
      next += length
      return { id, path, offset, length, file }
    })
    return references.putReferences(list)
  }
}

/** Adds extents at the end of a file that has no name yet. */
function attach(
  volume: Volume,
  inode: InodeNumber | undefined,
  { extents, size }: { readonly extents: readonly Extent[]; readonly size: number | undefined }
): Promise<InodeNumber> {
  return volume.update(async transaction => {
    const number = inode ?? (await transaction.createUnlinked({ type: 'file', mode: 0o600 })).number
    const last = extents.at(-1)
    const end = size ?? last!.offset + last!.length
    const from = extents[0]?.offset ?? end
    await transaction.setExtents(number, { from, to: end, extents, size: end })
    return number
  })
}
