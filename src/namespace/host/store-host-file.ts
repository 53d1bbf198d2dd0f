/** Turns a large file of the host into extents, copied into the store or left where it is. */
import type { Stats } from 'node:fs'
import type { Block } from '../../blocks/index.ts'
import { hostFileOf } from '../../blocks/disk/index.ts'
import type { Extent, InodeNumber, StoredExtents, Volume } from '../volume/volume.ts'
import { DataRuns } from './data-runs.ts'
import type { ImportVolume, ReferenceStore } from './import-volume.ts'
import { OpenHostFile, readWholeFile } from './read-host-file.ts'

/** A file with more extents is put into the tree as it comes, not held in memory until its end. */
export const EXTENTS_HELD_MAX = 1_024

/** Files up to this size are read in one go on this thread: trips to the thread pool cost more. */
const WHOLE_BYTES_MAX = 256 * 1024

export interface HostFileSource {
  readonly path: string
  readonly stats: Stats
  /** Undefined to copy. */
  readonly references: ReferenceStore | undefined
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
    if (source.stats.size <= WHOLE_BYTES_MAX) {
      await storing.add(0, [readWholeFile(source.path, source.stats)])
    } else await storing.addRuns()
    return await storing.finish()
  } catch (error) {
    await storing.discard()
    throw error
  }
}

class HostFileStoring {
  readonly #volume: ImportVolume
  readonly #source: HostFileSource
  readonly #put: ReturnType<typeof referring> | undefined
  readonly #stored: StoredExtents[] = []
  #held: Extent[] = []
  #inode: InodeNumber | undefined

  constructor(volume: ImportVolume, source: HostFileSource) {
    this.#volume = volume
    this.#source = source
    this.#put = source.references && referring(source.references, source)
  }

  async addRuns(): Promise<void> {
    const { path, stats, signal, onBytes } = this.#source
    const file = new OpenHostFile(path, stats)
    try {
      // References name where bytes are and keep none; a store may keep what it is given.
      const runs = new DataRuns(file, { signal, lend: this.#put !== undefined })
      const release = (end: number): void => runs.release(end)
      for (let at = await runs.begin(onBytes); at !== undefined; at = await runs.begin(onBytes)) {
        await this.add(at, runs.run(), release)
      }
      file.requireSame()
    } finally {
      await file.close()
    }
  }

  /** Stores what stands at `offset` of the file; tells up to where it is stored. */
  async add(
    offset: number,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onStored: (end: number) => void = () => {}
  ): Promise<void> {
    const { signal, onBytes } = this.#source
    const stored = this.#volume.storeExtents(content, {
      offset,
      ...(signal === undefined ? {} : { signal }),
      ...(this.#put === undefined ? {} : { put: this.#put })
    })
    this.#stored.push(stored)
    for await (const extents of stored) {
      this.#held.push(...extents)
      onBytes(extents.reduce((sum, extent) => sum + extent.length, 0))
      const last = extents.at(-1)
      if (last !== undefined) onStored(last.offset + last.length)
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
): (blocks: readonly Block[], offsets: readonly number[]) => Promise<void> {
  const file = hostFileOf(stats)
  return (blocks, offsets) =>
    references.putReferences(
      blocks.map(({ id, bytes }, index) => ({
        id,
        path,
        offset: offsets[index]!,
        length: bytes.length,
        file
      }))
    )
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
