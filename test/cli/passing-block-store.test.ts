import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createPassingBlockStore } from '../../src/cli/passing-block-store.ts'
import { createBlock } from '../../src/blocks/block.ts'
import type { Block } from '../../src/blocks/block.ts'
import { testBlockStore } from '../contracts/block-store-contract.ts'

testBlockStore('passing', { create: async () => createPassingBlockStore() })

const test = suite('passing block store')

test('forgets what was used least recently, and only when there is no room', async () => {
  const store = createPassingBlockStore(300)
  const [one, two, three, four] = await blocks(4)
  await store.putMany([one!, two!, three!])
  assert.deepEqual(store.usage(), { blocks: 3, bytes: 300 })
  await store.get(one!.id)
  await store.putMany([four!])
  assert.equal(await store.get(two!.id), undefined)
  for (const kept of [one!, three!, four!]) assert.deepEqual(await store.get(kept.id), kept.bytes)
  assert.deepEqual(store.usage(), { blocks: 3, bytes: 300 })
})

test('keeps what is pinned', async () => {
  const store = createPassingBlockStore(200)
  const [own, ...others] = await blocks(9)
  await store.putMany([own!])
  store.pin()
  await store.putMany([own!])
  await store.putMany(others)
  assert.deepEqual(await store.get(own!.id), own!.bytes)
  assert.deepEqual(store.usage(), { blocks: 3, bytes: 300 })
  await store.deleteMany([own!.id])
  assert.equal(await store.has(own!.id), false)
})

async function blocks(count: number): Promise<Block[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, index) => createBlock('raw', new Uint8Array(100).fill(index)))
  )
}

test.run()
