/**
 * An app that has a place for bytes already, such as a database or a bucket, gives it to its peer.
 * Here it is a map, which is all that the contract needs.
 *
 *     node examples/03-own-stores.ts
 */
import { createWarren } from 'warren'
import type { WarrenOptions } from 'warren'

type BlockStore = NonNullable<WarrenOptions['blockStore']>
type BlockId = Parameters<BlockStore['get']>[0]

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

const store = createMapStore()
await using alice = await createWarren({ blockStore: store, listen: [], discovery: false })

await alice.fs.writeFile(
  '/large',
  new Uint8Array(1_000_000).map((_, index) => index % 251)
)
console.log(`a file of 1 MB: ${store.usage().bytes} bytes in the store`)

// The same bytes again take no more space, wherever they stand.
await alice.fs.copyFile('/large', '/copy')
console.log(`and a copy of it: ${store.usage().bytes} bytes`)
