/** Storing full leaves before the flush: what is stored, what is held after that, and failures. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Block } from '../../../src/blocks/index.ts'
import { WarrenError, isWarrenError } from '../../../src/errors.ts'
import { PackedLeaf } from '../../../src/namespace/tree/leaf.ts'
import { decodeNode } from '../../../src/namespace/tree/node.ts'
import type { Change } from '../../../src/namespace/tree/tree.ts'
import type { TreeFixture } from './tree-fixture.ts'
import { collect, createFixture, numberKey, run, set } from './tree-fixture.ts'

const test = suite('tree: full leaves')

/** What one leaf holds of the values below, about. */
const LARGE_PER_LEAF = 16

test('full leaves are stored, and the flush stores the rest', async () => {
  const fixture = createFixture()
  const stored: Block[] = []
  const store = remembering(fixture, stored)
  let tree = await fixture.open().apply(run(0, 10_000))
  tree = await tree.apply(run(10_000, 10_000))
  const before = tree.unflushedBytes
  await tree.storeFullLeaves(store)
  const leaves = stored.length
  assert.ok(leaves >= 30, `${leaves} leaves`)
  assert.ok(stored.every(({ bytes }) => decodeNode(bytes) instanceof PackedLeaf))
  assert.ok(tree.unflushedBytes < before / 10, `${tree.unflushedBytes} bytes are left`)
  assert.equal(tree.root, undefined)
  assert.equal((await collect(tree)).length, 20_000)
  await tree.storeFullLeaves(store)
  assert.equal(stored.length, leaves)
  const { root } = await tree.flush(store)
  assert.equal(new Set(stored.map(({ id }) => id)).size, stored.length)
  assert.equal((await collect(fixture.open(root))).length, 20_000)
})

test('a tree can be changed after its full leaves were stored, and is the same in the end', async () => {
  const [early, late] = [createFixture(), createFixture()]
  const [earlyRoot, lateRoot] = await Promise.all(
    [early, late].map(async fixture => {
      let tree = fixture.open()
      for (let from = 0; from < 20_000; from += 2_000) {
        tree = await tree.apply(run(from, 2_000))
        tree = await tree.apply([set(numberKey(from >> 1), new Uint8Array(50))])
        if (fixture === early) await tree.storeFullLeaves(fixture.store)
      }
      return (await tree.flush(fixture.store)).root
    })
  )
  assert.equal(earlyRoot, lateRoot)
  assert.equal((await collect(early.open(earlyRoot))).length, 20_000)
})

test('leaves of large values are read from the store again, those of small ones are in the cache', async () => {
  for (const isLarge of [true, false]) {
    const fixture = createFixture()
    const count = isLarge ? 10 * LARGE_PER_LEAF : 10_000
    const tree = await fixture.open().apply(isLarge ? largeValues(count) : run(0, count))
    await tree.storeFullLeaves(fixture.store)
    assert.equal((await collect(tree)).length, count)
    assert.equal(fixture.counts.blocks > 0, isLarge)
  }
})

test('when they cannot be stored, the tree holds all of it', async () => {
  const fixture = createFixture()
  const tree = await fixture.open().apply(run(0, 10_000))
  const { unflushedBytes } = tree
  const putMany = async (): Promise<void> => {
    throw new WarrenError('ENOSPC')
  }
  const isFull = (error: unknown): boolean => isWarrenError(error, 'ENOSPC')
  await assert.rejects(tree.storeFullLeaves({ putMany }), isFull)
  assert.equal(tree.unflushedBytes, unflushedBytes)
  assert.equal((await collect(tree)).length, 10_000)
  const { root } = await tree.flush(fixture.store)
  assert.equal((await collect(fixture.open(root))).length, 10_000)
})

test('of an empty tree, and of one that is flushed, nothing is stored', async () => {
  const fixture = createFixture()
  const stored: Block[] = []
  await fixture.open().storeFullLeaves(remembering(fixture, stored))
  const flushed = await (await fixture.open().apply(run(0, 10_000))).flush(fixture.store)
  await flushed.storeFullLeaves(remembering(fixture, stored))
  assert.equal(stored.length, 0)
})

test.run()

function largeValues(count: number): Change[] {
  return Array.from({ length: count }, (_, index) =>
    set(numberKey(index), new Uint8Array(4_000).fill(index))
  )
}

function remembering(
  fixture: TreeFixture,
  stored: { push(...blocks: Block[]): unknown }
): { putMany(blocks: readonly Block[]): Promise<void> } {
  return {
    async putMany(blocks) {
      stored.push(...blocks)
      await fixture.store.putMany(blocks)
    }
  }
}
