/** The cache of nodes: bounded, keeps what is used, and owns its memory. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createLocalReader, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { isWarrenError } from '../../../src/errors.ts'
import { PackedLeaf } from '../../../src/namespace/tree/leaf.ts'
import { createNodeCache, decodeOwned } from '../../../src/namespace/tree/node-cache.ts'
import { craftLeaf, nodeBlock } from './craft-node.ts'
import { numberKey } from './tree-fixture.ts'

const test = suite('tree: node cache')

const NODES = 20
const NODE_BYTES = 10_000

const blocks = await Promise.all(
  Array.from({ length: NODES }, (_, index) =>
    nodeBlock(craftLeaf([[numberKey(index), new Uint8Array(NODE_BYTES)]]))
  )
)
const store = createMemoryBlockStore()
await store.putMany(blocks)
const reader = createLocalReader(store)

function idOf(index: number): BlockId {
  return blocks[index]!.id
}

test('it holds no more than it may', async () => {
  const cache = createNodeCache({ bytesMax: 5 * (NODE_BYTES + 2000) })
  for (const { id } of blocks) {
    await cache.read({ reader }, id)
    assert.ok(cache.bytes <= 5 * (NODE_BYTES + 2000))
  }
  const held = blocks.filter(({ id }) => cache.peek(id) !== undefined)
  assert.deepEqual(held, blocks.slice(-5))
})

test('what is used stays, what is not goes', async () => {
  const cache = createNodeCache({ bytesMax: 5 * (NODE_BYTES + 2000) })
  for (const { id } of blocks) {
    await cache.read({ reader }, id)
    cache.peek(idOf(0))
  }
  assert.ok(cache.peek(idOf(0)) !== undefined)
  assert.ok(cache.peek(idOf(1)) === undefined)
})

test('a cache of no bytes holds nothing and still reads', async () => {
  const cache = createNodeCache({ bytesMax: 0 })
  assert.equal((await cache.read({ reader }, idOf(0))).count, 1)
  assert.equal(cache.bytes, 0)
})

test('what is only written takes a quarter, what is asked for after that stays', async () => {
  const nodes = blocks.map(({ bytes }) => decodeOwned(bytes))
  const cache = createNodeCache({ bytesMax: 12 * (NODE_BYTES + 2000) })
  for (const [index, node] of nodes.entries()) {
    cache.putWritten(idOf(index), node)
    cache.peek(idOf(0))
    cache.peek(idOf(1))
  }
  const held = blocks.filter(({ id }) => cache.peek(id) !== undefined)
  assert.deepEqual(held, [...blocks.slice(0, 2), ...blocks.slice(-3)])
})

test('one node put twice counts once', async () => {
  const cache = createNodeCache()
  const node = await cache.read({ reader }, idOf(0))
  const { bytes } = cache
  cache.put(idOf(0), node)
  assert.equal(cache.bytes, bytes)
})

test('a node keeps its own bytes alive and not the buffer they came in', () => {
  const frame = new Uint8Array(1_000_000)
  const { bytes } = blocks[0]!
  frame.set(bytes, 500)
  const node = decodeOwned(frame.subarray(500, 500 + bytes.length))
  assert.ok(node instanceof PackedLeaf)
  assert.equal(node.block.buffer.byteLength, bytes.length)
})

test('readers share nodes but not their failures', async () => {
  const cache = createNodeCache()
  const poor = createLocalReader(createMemoryBlockStore())
  const isUnreachable = (error: unknown): boolean => isWarrenError(error, 'EHOSTUNREACH')
  const [lost, found] = await Promise.allSettled([
    cache.read({ reader: poor }, idOf(3)),
    cache.read({ reader }, idOf(3))
  ])
  assert.ok(lost.status === 'rejected' && isUnreachable(lost.reason))
  assert.equal(found.status, 'fulfilled')
  assert.equal((await cache.read({ reader: poor }, idOf(3))).count, 1)
})

test('a failure is not remembered', async () => {
  const cache = createNodeCache()
  const growing = createMemoryBlockStore()
  const late = createLocalReader(growing)
  await assert.rejects(cache.read({ reader: late }, idOf(1)))
  await growing.putMany([blocks[1]!])
  assert.equal((await cache.read({ reader: late }, idOf(1))).count, 1)
})

test.run()
