/**
 * Gives back the space of blocks that nothing names any more: marks what is reachable from the
 * roots, then sweeps the rest. Writers are never stopped; they only wait while a batch of
 * deletions is under way.
 *
 * Why nothing live is ever swept: a block that is live when the sweep ends was reachable from a
 * root when the run began, or was in flight then, or was being put then or since. The first is
 * marked, the second is asked for at the start, the third passes through `putMany` here and is
 * remembered, also when the store had it already. What is stored on another way, as references to
 * host files are, has to be announced by `touch`.
 */
import type { BlockId } from './block-id.ts'
import type { Block } from './block.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from './block-store.ts'
import { TreeMarks } from './mark-trees.ts'
import type { FindNode, TreesInPart } from './mark-trees.ts'
import { WarrenError } from '../errors.ts'

/** Small enough that a writer hardly waits for a batch, large enough that batches are few. */
const SWEEP_BATCH = 512

/** How long it keeps the thread, in milliseconds, before everything else has a turn. */
const SLICE_MS = 8

export interface Roots {
  /** Tree roots; what is below them and is here stays. Called once, when marking begins. */
  live(): Promise<Iterable<BlockId>>
  /**
   * Asked for each node below a `live` root that is not here. Nobody knows what is below a node that
   * was lost: where a tree should be whole this finds the node elsewhere, or throws, and the run
   * ends with nothing removed. Default: trees may lack nodes, as those that are partly fetched do.
   */
  readonly find?: FindNode
  /**
   * Trees that stay only in part. Called once, after `live`. What is below a `live` root too stays
   * whole. Whoever adds a root while a run is under way, and finds blocks below it that are here
   * already, has to `touch` them before it counts on them.
   */
  inPart?(): Iterable<TreesInPart>
  /** Single blocks on their way into a tree. Called once, before `live`. */
  inFlight(): Iterable<BlockId>
}

export interface CollectOptions extends StoreOptions {
  /** Pause after each slice of work, in milliseconds. Default 0. */
  readonly restMs?: number
}

export interface CollectableBlockStore extends BlockStore {
  /** Bytes put since it was opened, also those of blocks that were there already. */
  readonly writtenBytes: number
  /**
   * Announces blocks that are about to be stored past `putMany`, or to be named though they are
   * old: a run under way keeps them. Wait for it before storing them, for they may just be on
   * their way out. A run that begins later knows nothing of it: by then they must be in flight or
   * under a root.
   */
  touch(ids: readonly BlockId[]): Promise<void>
  /** Removes every block the roots do not reach. One run at a time: throws `EBUSY`. */
  collect(roots: Roots, options?: CollectOptions): Promise<BlockStoreUsage>
}

export function createCollectableBlockStore(store: BlockStore): CollectableBlockStore {
  return new Collector(store)
}

class Collector implements CollectableBlockStore {
  readonly #store: BlockStore
  /** Ids put or announced since the run began; undefined when none is under way. */
  #young: Set<BlockId> | undefined
  /** Ids and not blocks: a busy set keeps what it once held until the whole heap is marked. */
  readonly #putting = new Set<readonly BlockId[]>()
  #deleting: Promise<void> | undefined
  #sliceBegan = 0
  #writtenBytes = 0

  constructor(store: BlockStore) {
    this.#store = store
  }

  get writtenBytes(): number {
    return this.#writtenBytes
  }

  get(id: BlockId, options?: StoreOptions): Promise<Uint8Array | undefined> {
    return this.#store.get(id, options)
  }

  has(id: BlockId, options?: StoreOptions): Promise<boolean> {
    return this.#store.has(id, options)
  }

  ids(options?: StoreOptions): AsyncIterable<BlockId> {
    return this.#store.ids(options)
  }

  deleteMany(ids: readonly BlockId[], options?: StoreOptions): Promise<void> {
    return this.#store.deleteMany(ids, options)
  }

  sync(): Promise<void> {
    return this.#store.sync()
  }

  usage(): BlockStoreUsage {
    return this.#store.usage()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async touch(ids: readonly BlockId[]): Promise<void> {
    for (const id of ids) this.#young?.add(id)
    // A block that is just being deleted would look stored already and then be gone.
    await this.#deleting
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    const ids = blocks.map(({ id }) => id)
    this.#putting.add(ids)
    try {
      if (this.#young !== undefined) await this.touch(ids)
      await this.#store.putMany(blocks, options)
      for (const { bytes } of blocks) this.#writtenBytes += bytes.length
    } finally {
      this.#putting.delete(ids)
    }
  }

  async collect(roots: Roots, options: CollectOptions = {}): Promise<BlockStoreUsage> {
    if (this.#young !== undefined) throw new WarrenError('EBUSY', { message: 'already collecting' })
    this.#young = new Set()
    for (const ids of this.#putting) for (const id of ids) this.#young.add(id)
    try {
      const before = this.#store.usage()
      const kept = new Set(roots.inFlight())
      const marks = await this.#mark(roots, options)
      const isLive = (id: BlockId): boolean => marks.has(id) || kept.has(id) || this.#young!.has(id)
      await this.#sweep(isLive, options)
      const after = this.#store.usage()
      return { blocks: before.blocks - after.blocks, bytes: before.bytes - after.bytes }
    } finally {
      this.#young = undefined
    }
  }

  async #mark(roots: Roots, options: CollectOptions): Promise<TreeMarks> {
    const components = { store: this.#store, rest: () => this.#slice(options) }
    const marks = new TreeMarks(components, { idsMax: this.#store.usage().blocks })
    for (const root of await roots.live()) {
      await marks.markWhole(root, { ...options, find: roots.find })
    }
    for (const trees of roots.inPart?.() ?? []) await marks.markInPart(trees, options)
    return marks
  }

  async #sweep(isLive: (id: BlockId) => boolean, options: CollectOptions): Promise<void> {
    let dead: BlockId[] = []
    for await (const id of this.#store.ids(options)) {
      options.signal?.throwIfAborted()
      await this.#slice(options)
      if (isLive(id)) continue
      if (dead.push(id) === SWEEP_BATCH) {
        await this.#delete(dead, isLive)
        dead = []
      }
    }
    await this.#delete(dead, isLive)
  }

  /** A store in memory never waits, and so would nobody else get to run. */
  async #slice({ restMs = 0 }: CollectOptions): Promise<void> {
    if (performance.now() - this.#sliceBegan < SLICE_MS) return
    await new Promise(resolve => setTimeout(resolve, restMs))
    this.#sliceBegan = performance.now()
  }

  async #delete(ids: readonly BlockId[], isLive: (id: BlockId) => boolean): Promise<void> {
    // Checked again at the very moment when the deletion begins; who comes later waits for its end.
    this.#deleting = Promise.resolve().then(() =>
      this.#store.deleteMany(ids.filter(id => !isLive(id)))
    )
    try {
      await this.#deleting
    } finally {
      this.#deleting = undefined
    }
  }
}
