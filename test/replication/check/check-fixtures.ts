/** A volume in memory to be damaged: blocks lost or broken, records as nobody would write them. */
import { createLocalReader, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockId, BlockReader, BlockStore, Sealing } from '../../../src/blocks/index.ts'
import { createNodeCache, createTree } from '../../../src/namespace/index.ts'
import type { Inode, InodeNumber, LocalVolume } from '../../../src/namespace/index.ts'
import { signHead } from '../../../src/namespace/heads/head-record.ts'
import { compareKeys } from '../../../src/namespace/tree/keys.ts'
import type { Change } from '../../../src/namespace/tree/tree.ts'
import { inodeKey } from '../../../src/namespace/volume/keys.ts'
import { encodeInode } from '../../../src/namespace/volume/records.ts'
import { createSigningKey, systemClock } from '../../../src/peer/index.ts'
import { checkVolume } from '../../../src/replication/index.ts'
import type { CheckComponents, CheckOptions, CheckReport } from '../../../src/replication/index.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'
import type { VolumeFixture } from '../../fixtures/volume.ts'

export const ROOT = 1 as InodeNumber
export const BLOCK_BYTES: number = 16 * 1024

/** A store whose blocks can be made to be damaged: there, and not to be had. */
export class BreakableStore implements BlockStore {
  readonly inner: BlockStore = createMemoryBlockStore()
  readonly broken: Set<BlockId> = new Set<BlockId>()

  async get(id: BlockId): Promise<Uint8Array | undefined> {
    return this.broken.has(id) ? undefined : this.inner.get(id)
  }

  has(id: BlockId): Promise<boolean> {
    return this.inner.has(id)
  }

  async putMany(blocks: Parameters<BlockStore['putMany']>[0]): Promise<void> {
    for (const { id } of blocks) this.broken.delete(id)
    await this.inner.putMany(blocks)
  }

  deleteMany(ids: readonly BlockId[]): Promise<void> {
    return this.inner.deleteMany(ids)
  }

  ids(): AsyncIterable<BlockId> {
    return this.inner.ids()
  }

  sync(): Promise<void> {
    return this.inner.sync()
  }

  usage(): ReturnType<BlockStore['usage']> {
    return this.inner.usage()
  }

  close(): Promise<void> {
    return this.inner.close()
  }
}

export class CheckedVolume {
  readonly store: BreakableStore = new BreakableStore()
  /** What somebody else holds. */
  readonly elsewhere: BlockStore = createMemoryBlockStore()
  #fixture: VolumeFixture | undefined
  #key: Awaited<ReturnType<typeof createSigningKey>> | undefined
  volume!: LocalVolume
  asked = 0

  static async create(sealing?: Sealing): Promise<CheckedVolume> {
    const made = new CheckedVolume()
    made.#key = await createSigningKey()
    made.#fixture = await createVolumeFixture(
      { blockBytes: BLOCK_BYTES, commitDelayMs: 1e9, retentionMs: 0 },
      { store: made.store, key: made.#key, sealing }
    )
    made.volume = made.#fixture.volume
    return made
  }

  get reader(): BlockReader {
    const reader = createLocalReader(this.elsewhere)
    return {
      ...reader,
      get: (id, options) => {
        this.asked++
        return reader.get(id, options)
      }
    }
  }

  check(options: CheckOptions = {}, parts: Partial<CheckComponents> = {}): Promise<CheckReport> {
    const { volume, store, reader } = this
    return checkVolume({ volume, store, reader, clock: systemClock, ...parts }, options)
  }

  /** Gives somebody else a copy of all there is now. */
  async copy(): Promise<void> {
    await this.volume.sync()
    for await (const id of this.store.ids()) {
      const bytes = await this.store.get(id)
      if (bytes !== undefined) await this.elsewhere.putMany([{ id, bytes }])
    }
  }

  directory(parent: InodeNumber, name: string): Promise<Inode> {
    return this.volume.update(t => t.create(parent, name, { type: 'directory', mode: 0o755 }))
  }

  small(parent: InodeNumber, name: string, text: string = name): Promise<Inode> {
    const inline = new TextEncoder().encode(text)
    return this.volume.update(t => t.create(parent, name, { type: 'file', mode: 0o644, inline }))
  }

  /** A file of so many blocks, each with other bytes. */
  async large(parent: InodeNumber, name: string, blocks: number): Promise<Inode> {
    const bytes = Uint8Array.from({ length: blocks * BLOCK_BYTES }, (_, at): number => {
      return at % BLOCK_BYTES === 0 ? at / BLOCK_BYTES : name.charCodeAt(at % name.length)
    })
    const file = await this.small(parent, name, '')
    const stored = this.volume.storeExtents([bytes], { offset: 0 })
    try {
      for await (const extents of stored) {
        const from = extents[0]!.offset
        const to = extents.at(-1)!.offset + extents.at(-1)!.length
        await this.volume.update(t => t.setExtents(file.number, { from, to, extents, size: to }))
      }
    } finally {
      stored.done()
    }
    return file
  }

  async blocksOf(inode: InodeNumber): Promise<BlockId[]> {
    const snapshot = await this.volume.snapshot()
    const content = await snapshot.content((await snapshot.inode(inode))!)
    if ('inline' in content) return []
    const ids: BlockId[] = []
    for await (const extents of content.extents) ids.push(...extents.map(({ block }) => block))
    return ids
  }

  /** Writes what no transaction would, and opens the volume again. */
  async write(...changes: Change[]): Promise<void> {
    await this.volume.close()
    const head = this.volume.head!
    const { store } = this
    const tree = createTree(
      { reader: createLocalReader(store), cache: createNodeCache() },
      head.root
    )
    const sorted = changes.toSorted((a, b) => compareKeys(a.key, b.key))
    const { root } = await (await tree.apply(sorted)).flush(store)
    const sequence = head.sequence + 1
    const next = await signHead(this.#key!, { sequence, root, timeMs: head.timeMs })
    await this.#fixture!.heads.compareAndSet(head.sequence, next)
    this.volume = await this.#fixture!.reopen()
  }

  async changeInode(number: InodeNumber, fields: Partial<Inode>): Promise<void> {
    const inode = (await (await this.volume.snapshot()).inode(number))!
    await this.write({ key: inodeKey(number), value: encodeInode({ ...inode, ...fields }) })
  }

  async reopen(): Promise<void> {
    await this.volume.close()
    this.volume = await this.#fixture!.reopen()
  }

  async names(directory: InodeNumber): Promise<string[]> {
    const names: string[] = []
    for await (const batch of (await this.volume.snapshot()).entries(directory)) {
      names.push(...batch.map(({ name }) => name))
    }
    return names
  }
}

/** Kind, path and whether it was repaired: what matters of most problems. */
export function summary({ problems }: CheckReport): string[] {
  return problems.map(({ kind, path, repaired }) => {
    return `${kind} ${path ?? '?'}${repaired ? ' repaired' : ''}`
  })
}
