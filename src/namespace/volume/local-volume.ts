/**
 * A volume of our own: the only one who signs its heads is here, so writing needs no agreement.
 *
 * An update changes the tree in memory, one at a time. A commit makes everything since the last
 * one durable, in this order: new nodes are stored, the store is synced, the head is replaced. A
 * crash at any instant therefore leaves the old version or the new one, and at worst blocks that
 * nothing names, which collection removes. Everyone who asks for a sync while a commit is running
 * shares the next one (group commit).
 */
import { createDecodingReader } from '../../blocks/index.ts'
import type {
  BlockId,
  BlockReader,
  BlockStore,
  Chunker,
  ReadKey,
  Sealing,
  StoreOptions
} from '../../blocks/index.ts'
import type { Clock, SigningKey, TypedEventTarget } from '../../peer/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import { signHead } from '../heads/head-record.ts'
import type { SignedHead, VolumeId } from '../heads/head.ts'
import type { HeadStore } from '../heads/head-store.ts'
import { createVolumeId } from '../heads/volume-id.ts'
import type { NodeCache } from '../tree/node-cache.ts'
import { createTree } from '../tree/create-tree.ts'
import type { Change, Tree } from '../tree/tree.ts'
import { shareEventLoop } from './event-loop.ts'
import { KeptVersions } from './kept-versions.ts'
import type { RetentionOptions } from './kept-versions.ts'
import { orphanRange, inodeOf } from './keys.ts'
import { putInto, storeBlocks, storeExtents } from './store-extents.ts'
import type { BlockRun, BlockStoring } from './store-extents.ts'
import type { RepairTransaction } from './repair-transaction.ts'
import { hasOrphans } from './has-orphans.ts'
import { TreeSnapshot } from './tree-snapshot.ts'
import { TreeTransaction } from './tree-transaction.ts'
import { Turns } from './turns.ts'
import type { VersionStore } from './version-store.ts'
import type {
  Extent,
  Snapshot,
  StoredExtents,
  Transaction,
  Volume,
  VolumeEvents
} from './volume.ts'

/** How long a change may stay in memory only, in milliseconds: what a crash can take from who did not sync. */
const COMMIT_DELAY_MS = 100

/** A commit that failed (a full disk) is tried again after this pause, in milliseconds. */
const COMMIT_RETRY_MS = 2_000

/** Unflushed nodes above this are written out at once, so that a long import is bounded in memory. */
const UNFLUSHED_BYTES_MAX = 16 * 1024 * 1024

/** Collecting so many changes takes milliseconds, and so does applying them: others may have their turn in between. */
const MANY_CHANGES = 256
const HOLD_MS = 5

/** The inodes and names that a removal changes beside what it removes are not longer than this. */
const REMOVAL_BYTES_MAX = 4096

export interface LocalVolumeComponents {
  readonly key: SigningKey
  readonly store: BlockStore
  readonly reader: BlockReader
  readonly heads: HeadStore
  /** Where it is kept which superseded versions are kept. Default: in memory. */
  readonly versions?: VersionStore | undefined
  readonly cache: NodeCache
  readonly clock: Clock
  readonly chunker: Chunker
  /** With a key, when the volume is sealed. */
  readonly sealing?: Sealing | undefined
  /**
   * Called when the store has no room for content; true when it may have now. Never by an update
   * or a commit: what makes room may have to wait for those.
   */
  readonly makeRoom?: (() => Promise<boolean>) | undefined
  /** False while the store has room only for what removes something. Default: it always has. */
  readonly hasRoom?: (() => Promise<boolean>) | undefined
  /** Told of each new head after it is durable. */
  readonly announce?: (head: SignedHead) => void
}

export interface LocalVolumeOptions extends RetentionOptions {
  /** Milliseconds, default `COMMIT_DELAY_MS`. */
  readonly commitDelayMs?: number
  /** Bytes, default `UNFLUSHED_BYTES_MAX`. */
  readonly unflushedBytesMax?: number
}

export interface StoreBlocksOptions extends StoreOptions {
  /** Where the blocks go instead of the store: references to a host file. */
  readonly put?: BlockStoring['put']
}

export interface StoreExtentsOptions extends StoreBlocksOptions {
  readonly offset: number
}

export interface VolumeRoots {
  /** Of the tree as it is now, and of the durable version. */
  readonly current: readonly BlockId[]
  /** Of older versions that are kept, and of those that are pinned. */
  readonly superseded: readonly BlockId[]
}

export interface LocalVolume extends Volume {
  /** The newest durable head; undefined before the first commit. */
  readonly head: SignedHead | undefined
  storeExtents(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: StoreExtentsOptions
  ): StoredExtents
  /**
   * Files are cut at every multiple of so many bytes, each piece a block; undefined when their
   * content decides, and when blocks are not the very bytes of the file.
   */
  readonly blockBytes: number | undefined
  /** As `storeExtents`, of blocks that were cut and hashed elsewhere. Not for sealed volumes. */
  storeBlocks(runs: AsyncIterable<BlockRun>, options: StoreBlocksOptions): StoredExtents
  /** Stores blocks as copies, as a `put` may. */
  putBlocks(run: BlockRun): Promise<void>
  /** Blocks stored that the tree may not name yet; collection must keep them. */
  inFlight(): Iterable<BlockId>
  /** A version by its root. Its nodes are here as long as it is one of `roots`. */
  at(root: BlockId): Snapshot
  /** Who collects may remove everything else: what is not among these is not after a restart either. */
  roots(): Promise<VolumeRoots>
  /** Whether there are superseded versions that are kept for some time yet. */
  readonly expires: boolean
  /** Gives up a superseded version, because it cannot be read any more. */
  forgetVersion(root: BlockId): void
  /** The version as it is now. Collection keeps it until `release` is called. */
  pin(): Promise<PinnedVersion>
  /** As `update`, for who mends what is wrong. */
  repair<Result>(work: (transaction: RepairTransaction) => Promise<Result>): Promise<Result>
}

export interface PinnedVersion {
  readonly root: BlockId
  readonly snapshot: Snapshot
  /** Idempotent. */
  release(): void
}

/** Opens the volume of this key, or makes it with an empty root directory. */
export async function openLocalVolume(
  components: LocalVolumeComponents,
  options: LocalVolumeOptions = {}
): Promise<LocalVolume> {
  const { cache, sealing, heads, key, clock, versions: store } = components
  const id = createVolumeId(key.publicKey)
  const head = await heads.get(id)
  const kept = new KeptVersions({ volume: id, clock, store }, options)
  await kept.load(head)
  const reader =
    sealing === undefined ? components.reader : createDecodingReader(components.reader, sealing)
  const tree = createTree({ reader, cache, encoding: sealing }, head?.root)
  const volume = new TreeVolume({ ...components, reader }, options, { head, tree, kept })
  if (head === undefined) await volume.createRoot()
  else if (await hasOrphans(components, head.root).catch(unlessDamaged)) {
    await volume.releaseOrphans().catch(unlessDamaged)
  }
  return volume
}

/** A damaged node must not keep its owner from the files that are whole; the next start tries again. */
function unlessDamaged(error: unknown): false {
  if (!isWarrenError(error, 'EHOSTUNREACH') && !isWarrenError(error, 'EPROTO')) throw error
  return false
}

class TreeVolume implements LocalVolume {
  readonly id: VolumeId
  readonly writable = true
  readonly readKey: ReadKey | undefined
  readonly #events = new EventTarget()
  readonly #components: LocalVolumeComponents
  readonly #options: { readonly commitDelayMs: number; readonly unflushedBytesMax: number }
  readonly #turns = new Turns()
  readonly #inFlight = new Set<Set<BlockId>>()
  readonly #kept: KeptVersions
  readonly #pinned = new Set<PinnedVersion>()
  #tree: Tree
  #head: SignedHead | undefined
  /** Something was updated since the last commit began. */
  #dirty = false
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined
  /** No more updates: what is being committed is the last version. */
  #closing: Promise<void> | undefined
  #closed = false

  constructor(
    components: LocalVolumeComponents,
    options: LocalVolumeOptions,
    state: {
      readonly head: SignedHead | undefined
      readonly tree: Tree
      readonly kept: KeptVersions
    }
  ) {
    this.id = createVolumeId(components.key.publicKey)
    this.readKey = components.sealing?.readKey
    this.#components = components
    this.#options = {
      commitDelayMs: options.commitDelayMs ?? COMMIT_DELAY_MS,
      unflushedBytesMax: options.unflushedBytesMax ?? UNFLUSHED_BYTES_MAX
    }
    this.#kept = state.kept
    this.#tree = state.tree
    this.#head = state.head
  }

  get events(): TypedEventTarget<VolumeEvents> {
    return this.#events
  }

  get head(): SignedHead | undefined {
    return this.#head
  }

  async createRoot(): Promise<void> {
    await this.#update(async transaction => transaction.createRoot(0o755))
    await this.sync()
  }

  /** Files that were open without a name when the last process ended are nobody's now. */
  async releaseOrphans(): Promise<void> {
    const snapshot = await this.snapshot()
    for await (const batch of snapshot.tree.scan(orphanRange())) {
      await this.update(async transaction => {
        for (const entry of batch) await transaction.release(inodeOf(entry.key))
      })
    }
  }

  async snapshot(): Promise<Snapshot> {
    await shareEventLoop()
    this.#requireOpen()
    return new TreeSnapshot(this.#tree, this.#components.reader)
  }

  at(root: BlockId): Snapshot {
    const { reader, cache, sealing } = this.#components
    return new TreeSnapshot(createTree({ reader, cache, encoding: sealing }, root), reader)
  }

  update<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#update(work)
  }

  async #update<Result>(work: (transaction: TreeTransaction) => Promise<Result>): Promise<Result> {
    if (this.#closing !== undefined) throw this.#closedError()
    return this.#turns.take(async () => {
      await shareEventLoop()
      this.#requireOpen()
      const transaction = new TreeTransaction(this.#tree, {
        reader: this.#components.reader,
        nowMs: this.#components.clock.now(),
        generation: this.#nextSequence()
      })
      const result = await work(transaction)
      const changes = transaction.changes()
      if (changes.length === 0) return result
      await this.#requireRoom(changes)
      if (changes.length >= MANY_CHANGES) await shareEventLoop(HOLD_MS)
      let tree = await this.#tree.apply(changes)
      if (tree.unflushedBytes > this.#options.unflushedBytesMax) {
        tree = await tree.flush(this.#components.store)
      } else if (changes.length >= MANY_CHANGES) {
        await tree.storeFullLeaves(this.#components.store)
      }
      this.#tree = tree
      this.#changed()
      return result
    })
  }

  storeExtents(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: StoreExtentsOptions
  ): StoredExtents {
    const { chunker, sealing } = this.#components
    return this.#hold(options, storing =>
      storeExtents(source, { ...storing, offset: options.offset, chunker, encoding: sealing })
    )
  }

  get blockBytes(): number | undefined {
    const { chunker, sealing } = this.#components
    return sealing === undefined ? chunker.blockBytes : undefined
  }

  storeBlocks(runs: AsyncIterable<BlockRun>, options: StoreBlocksOptions): StoredExtents {
    if (this.readKey !== undefined) throw new WarrenError('ENOTSUP', { message: 'it is sealed' })
    return this.#hold(options, storing => storeBlocks(runs, storing))
  }

  putBlocks(run: BlockRun): Promise<void> {
    return putInto(this.#components.store)(run)
  }

  *inFlight(): Iterable<BlockId> {
    for (const held of this.#inFlight) yield* held
  }

  forgetVersion(root: BlockId): void {
    this.#kept.forget(root)
  }

  get expires(): boolean {
    return this.#kept.expires
  }

  async roots(): Promise<VolumeRoots> {
    const now = await this.pin()
    now.release()
    await this.#kept.save()
    const current = [this.#head?.root, now.root].filter(root => root !== undefined)
    const superseded = [...this.#kept.superseded(), ...this.#pinned].map(({ root }) => root)
    return { current, superseded }
  }

  pin(): Promise<PinnedVersion> {
    return this.#turns.take(async () => {
      const tree = await this.#tree.flush(this.#components.store)
      this.#tree = tree
      const pinned = {
        root: tree.root,
        snapshot: new TreeSnapshot(tree, this.#components.reader),
        release: () => void this.#pinned.delete(pinned)
      }
      this.#pinned.add(pinned)
      return pinned
    })
  }

  repair<Result>(work: (transaction: RepairTransaction) => Promise<Result>): Promise<Result> {
    return this.#update(work)
  }

  sync(): Promise<void> {
    if (this.#running === undefined) return this.#run()
    // The running commit may have begun before our change: the next one surely has it.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.#run()
      })
    return this.#next
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      // Updates that have begun end first; those asked for from now on find it closed.
      await this.#turns.take(async () => {})
      await this.sync()
    } finally {
      this.#closed = true
      this.#cancelTimer?.()
      await this.#kept.save()
    }
  }

  /** What is refused here is not in memory either, from where it could never be stored. */
  async #requireRoom(changes: readonly Change[]): Promise<void> {
    const { hasRoom, makeRoom } = this.#components
    if (hasRoom === undefined || isRemoval(changes) || (await hasRoom())) return
    // What makes room waits for us: who tries again later may find some.
    void makeRoom?.()
    throw new WarrenError('ENOSPC', { message: 'the disk is full' })
  }

  /** On a full disk once more, when garbage could be removed. What is being stored is in flight meanwhile. */
  readonly #put: BlockStoring['put'] = async run => {
    const put = putInto(this.#components.store)
    try {
      await put(run)
    } catch (error) {
      if (!isWarrenError(error, 'ENOSPC')) throw error
      if (!(await this.#components.makeRoom?.())) throw error
      await put(run)
    }
  }

  /** Keeps what is being stored from collection. */
  #hold(
    options: StoreBlocksOptions,
    store: (storing: BlockStoring) => AsyncIterable<readonly Extent[]>
  ): StoredExtents {
    const held = new Set<BlockId>()
    this.#inFlight.add(held)
    const extents = store({
      put: this.#put,
      ...options,
      onBlock: id => held.add(id)
    })
    return {
      [Symbol.asyncIterator]: () => extents[Symbol.asyncIterator](),
      done: () => this.#inFlight.delete(held)
    }
  }

  #run(): Promise<void> {
    this.#running = this.#commit().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #commit(): Promise<void> {
    this.#requireOpen()
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    try {
      const root = await this.#flush()
      if (root !== undefined) await this.#replaceHead(root)
    } catch (error) {
      this.#dirty = true
      this.#commitLater(COMMIT_RETRY_MS)
      throw error
    }
  }

  async #replaceHead(root: BlockId): Promise<void> {
    const { store, heads, key, clock, announce } = this.#components
    await store.sync()
    const timeMs = Math.floor(clock.now())
    const head = await signHead(key, { sequence: this.#nextSequence(), root, timeMs })
    if (!(await heads.compareAndSet(this.#head?.sequence, head))) {
      throw new WarrenError('EBUSY', { message: `volume ${this.id} is written elsewhere` })
    }
    this.#head = head
    this.#kept.add(head)
    announce?.(head)
  }

  /** Writes out the current tree. Undefined when the head already names it. */
  #flush(): Promise<BlockId | undefined> {
    return this.#turns.take(async () => {
      if (!this.#dirty) return undefined
      const tree = await this.#tree.flush(this.#components.store)
      this.#tree = tree
      this.#dirty = false
      return tree.root === this.#head?.root ? undefined : tree.root
    })
  }

  #changed(): void {
    this.#dirty = true
    this.#commitLater(this.#options.commitDelayMs)
    this.#events.dispatchEvent(new Event('change'))
  }

  #commitLater(delayMs: number): void {
    if (this.#closed) return
    this.#cancelTimer ??= this.#components.clock.after(delayMs, () => {
      this.#cancelTimer = undefined
      // Whoever syncs is told of the failure; until a commit succeeds the changes stay in memory.
      void this.sync().catch(() => {})
    })
  }

  #nextSequence(): number {
    return (this.#head?.sequence ?? 0) + 1
  }

  #requireOpen(): void {
    if (this.#closed) throw this.#closedError()
  }

  #closedError(): WarrenError {
    return new WarrenError('EBADF', { message: `volume ${this.id} is closed` })
  }
}

/** Whether a transaction takes more away than it adds, about. */
function isRemoval(changes: readonly Change[]): boolean {
  let removed = 0
  let bytes = 0
  for (const { value } of changes) {
    if (value === undefined) removed++
    else bytes += value.length
  }
  return removed > 0 && (bytes <= REMOVAL_BYTES_MAX || 2 * removed >= changes.length)
}
