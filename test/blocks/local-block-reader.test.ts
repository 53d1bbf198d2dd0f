import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId } from '../../src/blocks/block-id.ts'
import { createLocalReader, LOCAL_READS_MAX } from '../../src/blocks/local-block-reader.ts'
import { createMemoryBlockStore } from '../../src/blocks/memory-block-store.ts'
import { randomBlocks } from '../contracts/block-store-contract.ts'

const test = suite('local block reader')

test('reads one block, and many in the order asked', async () => {
  const store = createMemoryBlockStore()
  const blocks = await randomBlocks(100)
  await store.putMany(blocks)
  const reader = createLocalReader(store)
  assert.deepEqual(await reader.get(blocks[7]!.id), blocks[7]!.bytes)
  const asked = [...blocks].reverse()
  const read = []
  for await (const block of reader.getMany(asked.map(block => block.id))) read.push(block)
  assert.deepEqual(read, asked)
})

test('says that a block is unreachable, at the place where it was asked for', async () => {
  const store = createMemoryBlockStore()
  const [first, missing, last] = await randomBlocks(3)
  await store.putMany([first!, last!])
  const reader = createLocalReader(store)
  await assert.rejects(reader.get(missing!.id), { code: 'EHOSTUNREACH' })
  const read: BlockId[] = []
  await assert.rejects(
    async () => {
      const ids = [first!.id, missing!.id, last!.id]
      for await (const { id } of reader.getMany(ids)) read.push(id)
    },
    { code: 'EHOSTUNREACH' }
  )
  assert.deepEqual(read, [first!.id])
})

test('reads ahead within its limit', async () => {
  const blocks = await randomBlocks(LOCAL_READS_MAX * 3)
  let underWay = 0
  let most = 0
  const reader = createLocalReader({
    async get(id) {
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setTimeout(resolve, 1))
      underWay--
      return blocks.find(block => block.id === id)?.bytes
    }
  })
  let count = 0
  for await (const block of reader.getMany(blocks.map(({ id }) => id))) {
    assert.equal(block.id, blocks[count++]!.id)
  }
  assert.equal(count, blocks.length)
  assert.equal(most, LOCAL_READS_MAX)
})

test('rejects with the reason of an aborted signal', async () => {
  const store = createMemoryBlockStore()
  const [block] = await randomBlocks(1)
  await store.putMany([block!])
  const reader = createLocalReader(store)
  const options = { signal: AbortSignal.abort(new Error('enough')) }
  await assert.rejects(reader.get(block!.id, options), /enough/)
  const blocks = reader.getMany([block!.id], options)[Symbol.asyncIterator]()
  await assert.rejects(blocks.next(), /enough/)
})

test.run()
