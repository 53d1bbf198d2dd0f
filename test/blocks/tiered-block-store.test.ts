import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createMemoryBlockStore } from '../../src/blocks/memory-block-store.ts'
import { createTieredBlockStore } from '../../src/blocks/tiered-block-store.ts'
import { createVerifiedBlockStore } from '../../src/blocks/verified-block-store.ts'
import { randomBlocks, testBlockStore } from '../contracts/block-store-contract.ts'

testBlockStore('one tier', {
  create: async () => createTieredBlockStore([createMemoryBlockStore()])
})
testBlockStore('two tiers', {
  create: async () => createTieredBlockStore([createMemoryBlockStore(), createMemoryBlockStore()])
})
testBlockStore('tiers in tiers, verified', {
  create: async () =>
    createVerifiedBlockStore(
      createTieredBlockStore([
        createTieredBlockStore([createMemoryBlockStore(), createMemoryBlockStore()]),
        createMemoryBlockStore()
      ])
    )
})

const test = suite('tiered block store')

test('reads from every tier, lists a block in two tiers once and deletes it from both', async () => {
  const upper = createMemoryBlockStore()
  const lower = createMemoryBlockStore()
  const store = createTieredBlockStore([upper, lower])
  const [both, above, below] = await randomBlocks(3)
  await upper.putMany([both!, above!])
  await lower.putMany([both!, below!])
  for (const block of [both!, above!, below!]) {
    assert.deepEqual(await store.get(block.id), block.bytes)
    assert.equal(await store.has(block.id), true)
  }
  const ids: string[] = []
  for await (const id of store.ids()) ids.push(id)
  assert.deepEqual(ids.sort(), [both!.id, above!.id, below!.id].sort())
  assert.equal(store.usage().blocks, 4)
  await store.deleteMany([both!.id])
  assert.equal(await upper.has(both!.id), false)
  assert.equal(await lower.has(both!.id), false)
})

test('writes to the first tier, also what a later one has', async () => {
  const upper = createMemoryBlockStore()
  const lower = createMemoryBlockStore()
  const [block] = await randomBlocks(1)
  await lower.putMany([block!])
  await createTieredBlockStore([upper, lower]).putMany([block!])
  assert.equal(await upper.has(block!.id), true)
})

test('survives a tier that fails when another has the block, and says so when none has', async () => {
  const broken = createMemoryBlockStore()
  await broken.close()
  const lower = createMemoryBlockStore()
  const [here, nowhere] = await randomBlocks(2)
  await lower.putMany([here!])
  const store = createTieredBlockStore([broken, lower])
  assert.deepEqual(await store.get(here!.id), here!.bytes)
  await assert.rejects(store.get(nowhere!.id), { code: 'EBADF' })
})

test('closes every tier', async () => {
  const tiers = [createMemoryBlockStore(), createMemoryBlockStore()] as const
  await createTieredBlockStore(tiers).close()
  for (const tier of tiers) assert.throws(() => tier.usage(), { code: 'EBADF' })
})

test.run()
