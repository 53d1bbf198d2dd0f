import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockStore } from '../../src/blocks/block-store.ts'
import { createMemoryBlockStore } from '../../src/blocks/memory-block-store.ts'
import {
  createVerifiedBlockStore,
  DAMAGED_BLOCKS_MAX
} from '../../src/blocks/verified-block-store.ts'
import { createBlockId } from '../../src/blocks/block-id.ts'
import { WarrenError } from '../../src/errors.ts'
import { randomBlocks, testBlockStore } from '../contracts/block-store-contract.ts'

testBlockStore('verified memory', {
  create: async () => createVerifiedBlockStore(createMemoryBlockStore())
})

const test = suite('verified block store')

test('reports a block with the wrong bytes as missing, until it is put again', async () => {
  const inner = createMemoryBlockStore()
  const [good] = await randomBlocks(1)
  const damaged = good!.bytes.slice()
  damaged[0]! ^= 1
  await inner.putMany([{ id: good!.id, bytes: damaged }])
  const store = createVerifiedBlockStore(inner)
  assert.equal(await store.get(good!.id), undefined)
  assert.equal(await store.has(good!.id), false)
  await store.putMany([good!])
  assert.equal(await store.has(good!.id), true)
  assert.deepEqual(await store.get(good!.id), good!.bytes)
})

test('does not remove what it could not read, for the next read may go well', async () => {
  const inner = createMemoryBlockStore()
  const [block] = await randomBlocks(1)
  await inner.putMany([block!])
  let flips = 1
  const flaky: BlockStore = withGet(inner, async id => {
    const bytes = await inner.get(id)
    return flips-- > 0 ? bytes?.map(byte => byte ^ 1) : bytes
  })
  const store = createVerifiedBlockStore(flaky)
  assert.equal(await store.get(block!.id), undefined)
  assert.deepEqual(await store.get(block!.id), block!.bytes)
  assert.equal(await store.has(block!.id), true)
})

test('takes EBADMSG of the store below for a missing block and passes other errors on', async () => {
  const inner = createMemoryBlockStore()
  const [block] = await randomBlocks(1)
  let code: 'EBADMSG' | 'EIO' = 'EBADMSG'
  const failing = withGet(inner, async () => {
    throw new WarrenError(code)
  })
  const store = createVerifiedBlockStore(failing)
  assert.equal(await store.get(block!.id), undefined)
  code = 'EIO'
  await assert.rejects(store.get(block!.id), { code: 'EIO' })
})

test('remembers a bounded number of damaged blocks, forgetting the oldest', async () => {
  const inner = createMemoryBlockStore()
  const bytes = Uint8Array.of(1)
  const ids = Array.from({ length: DAMAGED_BLOCKS_MAX + 1 }, (_, index) => {
    const digest = new Uint8Array(32)
    new DataView(digest.buffer).setUint32(0, index)
    return createBlockId('raw', digest)
  })
  await inner.putMany(ids.map(id => ({ id, bytes })))
  const store = createVerifiedBlockStore(inner)
  for (const id of ids) assert.equal(await store.get(id), undefined)
  assert.equal(await store.has(ids[0]!), true)
  assert.equal(await store.has(ids[1]!), false)
  assert.equal(await store.has(ids.at(-1)!), false)
  assert.equal(await store.get(ids[0]!), undefined)
})

function withGet(store: BlockStore, get: BlockStore['get']): BlockStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'get') return get
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

test.run()
