/** A store that counts what is read of it, and can be made to refuse what is put. */
import { createCollectableBlockStore, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type {
  Block,
  BlockId,
  BlockStore,
  CollectableBlockStore
} from '../../../src/blocks/index.ts'

export interface CountedStore extends CollectableBlockStore {
  reads: number
  lookups: number
  /** Thrown by `putMany` as long as it is set. */
  refusal: Error | undefined
}

export function createCountedStore(inner: BlockStore = createMemoryBlockStore()): CountedStore {
  const counted = {
    ...bound(inner),
    get: (id: BlockId) => {
      store.reads++
      return inner.get(id)
    },
    has: (id: BlockId) => {
      store.lookups++
      return inner.has(id)
    },
    putMany: async (blocks: readonly Block[]) => {
      if (store.refusal !== undefined) throw store.refusal
      await inner.putMany(blocks)
    }
  }
  const collectable = createCollectableBlockStore(counted)
  const store: CountedStore = Object.assign(collectable, {
    reads: 0,
    lookups: 0,
    refusal: undefined
  })
  return store
}

function bound(store: BlockStore): BlockStore {
  return {
    get: (id, options) => store.get(id, options),
    has: (id, options) => store.has(id, options),
    putMany: (blocks, options) => store.putMany(blocks, options),
    deleteMany: (ids, options) => store.deleteMany(ids, options),
    ids: options => store.ids(options),
    sync: () => store.sync(),
    usage: () => store.usage(),
    close: () => store.close()
  }
}
