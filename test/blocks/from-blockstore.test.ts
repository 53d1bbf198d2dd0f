import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { CID } from 'multiformats/cid'
import { sha512 } from 'multiformats/hashes/sha2'
import { BLOCK_BYTES_MAX } from '../../src/blocks/block.ts'
import { fromBlockstore } from '../../src/blocks/from-blockstore.ts'
import type { Blockstore } from '../../src/blocks/interface-blockstore.ts'
import { createMemoryBlockStore } from '../../src/blocks/memory-block-store.ts'
import { toBlockstore } from '../../src/blocks/to-blockstore.ts'
import { randomBlocks, testBlockStore } from '../contracts/block-store-contract.ts'

testBlockStore('memory as a Blockstore and back', {
  create: async () => fromBlockstore(toBlockstore(createMemoryBlockStore()))
})

const test = suite('Blockstore as a block store')

test('starts from the usage it is told', async () => {
  const inner = createMemoryBlockStore()
  const [first, second] = await randomBlocks(2)
  await inner.putMany([first!])
  const store = fromBlockstore(toBlockstore(inner), { usage: inner.usage() })
  await store.putMany([first!, second!])
  assert.deepEqual(store.usage(), inner.usage())
  await store.deleteMany([first!.id])
  assert.deepEqual(store.usage(), inner.usage())
})

test('counts right when the same block is put and deleted many times at once', async () => {
  const store = fromBlockstore(toBlockstore(createMemoryBlockStore()))
  const [block] = await randomBlocks(1)
  await Promise.all(Array.from({ length: 10 }, () => store.putMany([block!, block!])))
  assert.deepEqual(store.usage(), { blocks: 1, bytes: block!.bytes.length })
  await Promise.all(Array.from({ length: 10 }, () => store.deleteMany([block!.id])))
  assert.deepEqual(store.usage(), { blocks: 0, bytes: 0 })
})

test('finishes what was begun before it closes', async () => {
  const inner = createMemoryBlockStore()
  const store = fromBlockstore(toBlockstore(inner))
  const blocks = await randomBlocks(5)
  const writing = Promise.all(blocks.map(block => store.putMany([block])))
  await store.close()
  await writing
  assert.equal(inner.usage().blocks, 5)
})

test('misses blocks that are damaged, in pieces or without end', async () => {
  const inner = toBlockstore(createMemoryBlockStore())
  const [block] = await randomBlocks(1)
  let pieces: Iterable<Uint8Array> = []
  const store = fromBlockstore(
    withGet(inner, async function* () {
      yield* pieces
    })
  )
  const { bytes, id } = block!
  pieces = [bytes.subarray(0, 3), bytes.subarray(3)]
  assert.deepEqual(await store.get(id), bytes)
  pieces = [bytes, bytes]
  assert.equal(await store.get(id), undefined)
  pieces = []
  assert.equal(await store.get(id), undefined)
  pieces = endless()
  assert.equal(await store.get(id), undefined)
})

test('passes on other failures than a missing block', async () => {
  const inner = toBlockstore(createMemoryBlockStore())
  const failing = withGet(inner, () => {
    throw new Error('bucket on fire')
  })
  const [block] = await randomBlocks(1)
  await assert.rejects(fromBlockstore(failing).get(block!.id), /on fire/)
})

test('tells only ids of blocks that can be ours', async () => {
  const cid = CID.createV1(0x55, await sha512.digest(new Uint8Array(1)))
  const inner = toBlockstore(createMemoryBlockStore())
  const foreign: Blockstore = Object.assign(Object.create(inner), {
    getAll: function* () {
      yield { cid, bytes: endless() }
    }
  })
  for await (const id of fromBlockstore(foreign).ids()) assert.fail(id)
})

function withGet(blockstore: Blockstore, get: Blockstore['get']): Blockstore {
  return {
    get,
    has: (...all) => blockstore.has(...all),
    put: (...all) => blockstore.put(...all),
    putMany: (...all) => blockstore.putMany(...all),
    getMany: (...all) => blockstore.getMany(...all),
    delete: (...all) => blockstore.delete(...all),
    deleteMany: (...all) => blockstore.deleteMany(...all),
    getAll: (...all) => blockstore.getAll(...all)
  }
}

function* endless(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(BLOCK_BYTES_MAX / 4)
}

test.run()
