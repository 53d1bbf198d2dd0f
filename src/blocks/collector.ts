/**
 * Gives back the space of blocks that nothing names any more: marks what is reachable from the
 * roots, then sweeps the rest. Writers are never stopped; they only wait while a batch of
 * deletions is under way.
 *
 * Why nothing live is ever swept: a block that is live when the sweep ends was reachable from a
 * root when the run began, or was in flight then, or was put since. The first is marked, the
 * second is asked for at the start, the third passes through `putMany` here and is remembered,
 * also when the store had it already.
 */
import type { BlockId } from './block-id.ts'
import { codecOf } from './block-id.ts'
import type { Block } from './block.ts'
import type { BlockStore, BlockStoreUsage, StoreOptions } from './block-store.ts'
import { createIdFilter } from './id-filter.ts'
import { readNodeLinks } from './node-links.ts'
import { WarrenError } from '../errors.ts'

/** Small enough that a writer hardly waits for a batch, large enough that batches are few. */
const SWEEP_BATCH = 512

export interface Roots {
  /** Tree roots; what is below them and is here stays. Called once, when marking begins. */
  live(): Promise<Iterable<BlockId>>
  /** Single blocks on their way into a tree. Called once, before `live`. */
  inFlight(): Iterable<BlockId>
}

export interface CollectableBlockStore extends BlockStore {
  /** Remembers blocks that are stored by another way than `putMany`, as those put are. Call it before. */
  touch(ids: readonly BlockId[]): void
  /** Removes every block the roots do not reach. One run at a time: throws `EBUSY`. */
  collect(roots: Roots, options?: StoreOptions): Promise<BlockStoreUsage>
}

export function createCollectableBlockStore(store: BlockStore): CollectableBlockStore {
  return new Collector(store)
}

class Collector implements CollectableBlockStore {
  readonly #store: BlockStore
  /** Ids put since the run began; undefined when none is under way. */
  #young: Set<BlockId> | undefined
  #deleting: Promise<void> | undefined

  constructor(store: BlockStore) {
    this.#store = store
  }

  get: BlockStore['get'] = (id, options) => this.#store.get(id, options)
  has: BlockStore['has'] = (id, options) => this.#store.has(id, options)
  ids: BlockStore['ids'] = options => this.#store.ids(options)
  deleteMany: BlockStore['deleteMany'] = (ids, options) => this.#store.deleteMany(ids, options)
  sync: BlockStore['sync'] = () => this.#store.sync()
  usage: BlockStore['usage'] = () => this.#store.usage()
  close: BlockStore['close'] = () => this.#store.close()

  touch(ids: readonly BlockId[]): void {
    for (const id of ids) this.#young?.add(id)
  }

  async putMany(blocks: readonly Block[], options?: StoreOptions): Promise<void> {
    for (const block of blocks) this.#young?.add(block.id)
    // A block that is just being deleted would look stored already and then be gone.
    if (this.#deleting !== undefined) await this.#deleting
    await this.#store.putMany(blocks, options)
  }

  async collect(roots: Roots, options: StoreOptions = {}): Promise<BlockStoreUsage> {
    if (this.#young !== undefined) throw new WarrenError('EBUSY', { message: 'already collecting' })
    this.#young = new Set()
    try {
      const before = this.#store.usage()
      const kept = new Set(roots.inFlight())
      const marked = createIdFilter({ idsMax: before.blocks, salt: randomSalt() })
      for (const root of await roots.live()) await this.#mark(root, marked.add, options)
      const isLive = (id: BlockId): boolean =>
        marked.has(id) || kept.has(id) || this.#young!.has(id)
      await this.#sweep(isLive, options)
      const after = this.#store.usage()
      return { blocks: before.blocks - after.blocks, bytes: before.bytes - after.bytes }
    } finally {
      this.#young = undefined
    }
  }

  /** Depth first over what is here; what a partly fetched tree lacks is nobody's to keep. */
  async #mark(root: BlockId, add: (id: BlockId) => void, options: StoreOptions): Promise<void> {
    const seen = new Set<BlockId>()
    const pending = [root]
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      options.signal?.throwIfAborted()
      add(id)
      // Only nodes are remembered exactly: they are few, and the filter may not cut a walk short.
      if (codecOf(id) !== 'dag-cbor' || seen.has(id)) continue
      seen.add(id)
      const bytes = await this.#store.get(id, options)
      if (bytes !== undefined) pending.push(...readNodeLinks(bytes))
    }
  }

  async #sweep(isLive: (id: BlockId) => boolean, options: StoreOptions): Promise<void> {
    let dead: BlockId[] = []
    for await (const id of this.#store.ids(options)) {
      if (isLive(id)) continue
      if (dead.push(id) === SWEEP_BATCH) {
        await this.#delete(dead, isLive)
        dead = []
      }
    }
    await this.#delete(dead, isLive)
  }

  async #delete(ids: readonly BlockId[], isLive: (id: BlockId) => boolean): Promise<void> {
    // Checked again in the same turn of the event loop that begins the deletion.
    this.#deleting = this.#store.deleteMany(ids.filter(id => !isLive(id)))
    try {
      await this.#deleting
    } finally {
      this.#deleting = undefined
    }
  }
}

function randomSalt(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!
}
