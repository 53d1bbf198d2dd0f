/**
 * An app that has places for its data already, such as a database or a bucket, gives them to its
 * peer, and nothing is kept elsewhere. Here the place for bytes is a map: all that the contract
 * needs.
 *
 *     node examples/03-own-stores.ts
 */
import {
  createMemoryHeadStore,
  createMemoryNamespaceStore,
  createSigningKey,
  createWarren
} from 'warren'
import type { BlockId, BlockStore } from 'warren'

/** Blocks never change and are named by their hash: there is nothing to update or to lock. */
function createMapStore(): BlockStore {
  const blocks = new Map<BlockId, Uint8Array>()
  return {
    get: async id => blocks.get(id),
    has: async id => blocks.has(id),
    async putMany(batch) {
      for (const { id, bytes } of batch) blocks.set(id, bytes)
    },
    async deleteMany(ids) {
      for (const id of ids) blocks.delete(id)
    },
    async *ids() {
      yield* blocks.keys()
    },
    // A store on a disk resolves here when everything before survives a power cut.
    sync: async () => {},
    usage: () => ({
      blocks: blocks.size,
      bytes: [...blocks.values()].reduce((sum, bytes) => sum + bytes.length, 0)
    }),
    close: async () => {}
  }
}

const blockStore = createMapStore()
const own = {
  blockStore,
  // Which version of the tree is the newest, what is mounted and shared, and whose the tree is.
  headStore: createMemoryHeadStore(),
  namespaceStore: createMemoryNamespaceStore(),
  volumeKey: await createSigningKey()
}
const settings = { ...own, listen: [], discovery: false }

const before = await createWarren(settings)
await before.fs.writeFile(
  '/large',
  new Uint8Array(1_000_000).map((_, index) => index % 251)
)
await before.sync()
console.log(`a file of 1 MB: ${blockStore.usage().bytes} bytes in the store`)

// The same bytes again take no more space, wherever they stand.
await before.fs.copyFile('/large', '/copy')
await before.stop()
console.log(`and a copy of it: ${blockStore.usage().bytes} bytes`)

// The stores are the app's: a peer that is made of them later has everything.
await using after = await createWarren(settings)
console.log(await after.fs.readdir('/'), (await after.fs.readFile('/copy')).length)
