/** Turns a large file of the host into extents, copied into the store or left where it is. */
import type { Stats } from 'node:fs'
import type { Block, BlockId } from '../../blocks/index.ts'
import type { HostFileReference } from '../../blocks/disk/index.ts'
import { hostFileOf } from '../../blocks/disk/index.ts'
import type { StoreExtentsOptions } from '../volume/local-volume.ts'
import type { Extent, InodeNumber, StoredExtents, Volume } from '../volume/volume.ts'
import { readLargeFile } from './read-host-file.ts'

/** A file with more extents is put into the tree as it comes, not held in memory until its end. */
export const EXTENTS_HELD_MAX = 8_192

/** Where references to host files are kept. */
export interface ReferenceStore {
  putReferences(references: readonly HostFileReference[]): Promise<void>
}

/** A volume whose blocks may be put elsewhere than into its store. */
export interface ImportVolume extends Volume {
  storeExtents(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: StoreExtentsOptions
  ): StoredExtents
}

export interface HostFileSource {
  readonly path: string
  readonly stats: Stats
  /** Undefined to copy. */
  readonly references: ReferenceStore | undefined
  readonly signal: AbortSignal | undefined
  readonly onBytes: (bytes: number) => void
}

export type StoredHostFile = { readonly done: () => void } & (
  | { readonly extents: readonly Extent[] }
  /** A very long file: already an inode, without a name yet. */
  | { readonly inode: InodeNumber }
)

/** Stores a file's content. `done` must be called when it is in the tree or given up. */
export async function storeHostFile(
  volume: ImportVolume,
  source: HostFileSource
): Promise<StoredHostFile> {
  const { path, stats, signal, references } = source
  const stored = volume.storeExtents(readLargeFile(path, stats, signal), {
    offset: 0,
    ...(signal === undefined ? {} : { signal }),
    ...(references === undefined ? {} : { put: referring(references, source) })
  })
  const held: Extent[] = []
  let inode: InodeNumber | undefined
  try {
    for await (const extents of stored) {
      held.push(...extents)
      source.onBytes(extents.reduce((sum, extent) => sum + extent.length, 0))
      if (held.length < EXTENTS_HELD_MAX) continue
      inode = await attach(volume, inode, held.splice(0))
    }
    if (inode === undefined) return { extents: held, done: () => stored.done() }
    return { inode: await attach(volume, inode, held), done: () => stored.done() }
  } catch (error) {
    stored.done()
    if (inode !== undefined) await volume.update(transaction => transaction.release(inode!))
    throw error
  }
}

function referring(references: ReferenceStore, { path, stats }: HostFileSource) {
  const file = hostFileOf(stats)
  return (blocks: readonly Block[], offsets: readonly number[]): Promise<void> =>
    references.putReferences(
      blocks.map(({ id, bytes }: { id: BlockId; bytes: Uint8Array }, index) => ({
        id,
        path,
        offset: offsets[index]!,
        length: bytes.length,
        file
      }))
    )
}

function attach(
  volume: Volume,
  inode: InodeNumber | undefined,
  extents: readonly Extent[]
): Promise<InodeNumber> {
  return volume.update(async transaction => {
    const number = inode ?? (await transaction.createUnlinked({ type: 'file', mode: 0o600 })).number
    const first = extents[0]
    const last = extents.at(-1)
    if (first === undefined || last === undefined) return number
    const end = last.offset + last.length
    await transaction.setExtents(number, { from: first.offset, to: end, extents, size: end })
    return number
  })
}
