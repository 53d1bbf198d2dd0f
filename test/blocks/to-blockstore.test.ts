import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import type { Blockstore as TheirBlockstore } from 'interface-blockstore'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { BLOCK_BYTES_MAX } from '../../src/blocks/block.ts'
import { createMemoryBlockStore } from '../../src/blocks/memory-block-store.ts'
import { fromBlockstore } from '../../src/blocks/from-blockstore.ts'
import { toBlockstore } from '../../src/blocks/to-blockstore.ts'
import { randomBlocks } from '../contracts/block-store-contract.ts'
import { runMochaSuites } from './mocha/mocha-on-uvu.ts'

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'aegir/chai'
      ? next(new URL('./mocha/expect.ts', import.meta.url).href, context)
      : next(specifier, context)
})
const { interfaceBlockstoreTests } = await import('interface-blockstore-tests')
const stores = {
  'memory as a Blockstore': () => toBlockstore(createMemoryBlockStore()),
  'memory there and back again': () =>
    toBlockstore(fromBlockstore(toBlockstore(createMemoryBlockStore())))
}
for (const [name, setup] of Object.entries(stores)) {
  // Assigning it holds our types and theirs together.
  const create = (): TheirBlockstore => setup()
  runMochaSuites(name, () => {
    interfaceBlockstoreTests({ setup: async () => create(), teardown: async () => {} })
  })
}

const test = suite('block store as a Blockstore')
const DAG_PB = 0x70
const bytes = new TextEncoder().encode('alice')

test('keeps blocks of foreign codecs', async () => {
  const blockstore = toBlockstore(createMemoryBlockStore())
  const multihash = await sha256.digest(bytes)
  for (const cid of [CID.createV0(multihash), CID.createV1(DAG_PB, multihash)]) {
    assert.equal(await blockstore.put(cid, [bytes.subarray(0, 2), bytes.subarray(2)]), cid)
    assert.equal(await blockstore.has(cid), true)
    for await (const content of blockstore.get(cid)) assert.deepEqual(content, bytes)
  }
})

test('refuses other hashes, wrong bytes and too many of them', async () => {
  const blockstore = toBlockstore(createMemoryBlockStore())
  const other = CID.createV1(0x55, await sha512.digest(bytes))
  await assert.rejects(async () => blockstore.put(other, bytes), { code: 'ENOTSUP' })
  const inline = CID.createV1(0x55, identity.digest(bytes))
  await assert.rejects(async () => blockstore.put(inline, bytes), { code: 'ENOTSUP' })
  assert.equal(await blockstore.has(other), false)
  await blockstore.delete(other)
  await assert.rejects(async () => blockstore.get(other).next(), { name: 'NotFoundError' })
  const cid = CID.createV1(0x55, await sha256.digest(bytes))
  await assert.rejects(async () => blockstore.put(cid, bytes.subarray(1)), { code: 'EBADMSG' })
  assert.equal(await blockstore.has(cid), false)
  const over = new Uint8Array(BLOCK_BYTES_MAX + 1)
  const large = CID.createV1(0x55, await sha256.digest(over))
  await assert.rejects(async () => blockstore.put(large, over), { code: 'EFBIG' })
  await assert.rejects(async () => blockstore.put(large, endless()), { code: 'EFBIG' })
})

test('is our store seen by its CIDs', async () => {
  const store = createMemoryBlockStore()
  const blocks = await randomBlocks(10)
  await store.putMany(blocks)
  const blockstore = toBlockstore(store)
  const seen = new Map<string, Uint8Array>()
  for await (const { cid, bytes: pieces } of blockstore.getAll()) {
    for await (const content of pieces) seen.set(cid.toString(), content)
  }
  assert.deepEqual(seen, new Map(blocks.map(({ id, bytes: content }) => [id, content])))
})

function* endless(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(1000)
}

test.run()
