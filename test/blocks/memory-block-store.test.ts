import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createBlock } from '../../src/blocks/block.ts'
import { createMemoryBlockStore } from '../../src/blocks/memory-block-store.ts'
import { randomBlocks, testBlockStore } from '../contracts/block-store-contract.ts'

testBlockStore('memory', { create: async () => createMemoryBlockStore() })

const test = suite('memory block store')

test('holds exactly its limit and refuses one byte more', async () => {
  const store = createMemoryBlockStore({ bytesMax: 100 })
  const full = await createBlock('raw', new Uint8Array(100))
  const over = await createBlock('raw', new Uint8Array(1))
  await store.putMany([full])
  await assert.rejects(store.putMany([over]), { code: 'ENOSPC' })
  assert.deepEqual(await store.get(full.id), full.bytes)
  await store.putMany([full])
  await store.deleteMany([full.id])
  await store.putMany([over])
  assert.deepEqual(store.usage(), { blocks: 1, bytes: 1 })
})

test('stores nothing of a batch that does not fit', async () => {
  const store = createMemoryBlockStore({ bytesMax: 100 })
  const small = await createBlock('raw', new Uint8Array(60))
  const large = await createBlock('raw', new Uint8Array(61))
  await assert.rejects(store.putMany([small, large]), { code: 'ENOSPC' })
  assert.equal(await store.has(small.id), false)
  assert.deepEqual(store.usage(), { blocks: 0, bytes: 0 })
})

test('does not keep the large buffer behind a small view', async () => {
  const store = createMemoryBlockStore()
  const block = await createBlock('raw', new Uint8Array(100_000).subarray(10, 20))
  await store.putMany([block])
  assert.equal((await store.get(block.id))?.buffer.byteLength, 10)
})

test('rejects with the reason of an aborted signal', async () => {
  const store = createMemoryBlockStore()
  const [block] = await randomBlocks(1)
  const options = { signal: AbortSignal.abort(new Error('enough')) }
  await assert.rejects(store.get(block!.id, options), /enough/)
  await assert.rejects(store.putMany([block!], options), /enough/)
  await assert.rejects(store.ids(options)[Symbol.asyncIterator]().next(), /enough/)
})

test.run()
