import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createTree, createNodeCache } from '../../../src/namespace/index.ts'
import { createBlock, createLocalReader } from '../../../src/blocks/index.ts'
import type { Block, BlockId } from '../../../src/blocks/index.ts'
import { Cluster, ONE_COPY, waitFor } from './cluster.ts'

const test = suite('held volume of many blocks')

const COUNT = 20_000

/** A tree whose entries link to blocks of a few bytes; keys are not those of files. */
async function makeTree(cluster: Cluster, blocks: readonly Block[]): Promise<BlockId> {
  const { store } = cluster.owner
  await store.putMany(blocks)
  const tree = createTree({ reader: createLocalReader(store), cache: createNodeCache() })
  const changes = blocks.map(({ id }, index) => ({
    key: Uint8Array.of(9, index >> 16, index >> 8, index),
    value: Uint8Array.of(1),
    link: id
  }))
  const { root } = await (await tree.apply(changes)).flush(store)
  return root
}

test('is walked once, and a change costs what it changed', async () => {
  await using cluster = await Cluster.create()
  const blocks: Block[] = []
  for (let index = 0; index < COUNT; index++) {
    blocks.push(await createBlock('raw', Uint8Array.of(index >> 16, index >> 8, index)))
  }
  const alice = await cluster.addHolder('alice')
  await cluster.list({ policy: ONE_COPY })
  await cluster.publish(await makeTree(cluster, blocks))
  await waitFor(
    () => alice.held.report,
    ({ holds, progress }) => holds === 1000 && progress === 'current',
    () => JSON.stringify(alice.held.report)
  )
  const nodes =
    alice.held.inventory.size - [...blocks].filter(({ id }) => alice.held.has(id)).length
  assert.ok(nodes > 15 && nodes < 100, `${nodes} nodes`)
  const share = (alice.held.inventory.size - nodes) / COUNT
  assert.ok(share > 0.45 && share < 0.55, `${share} of the blocks`)
  // Each block is looked for once before it is got, and once by the exchange.
  assert.ok(alice.store.lookups <= COUNT, `${alice.store.lookups} lookups`)
  assert.ok(alice.store.reads < COUNT, `${alice.store.reads} reads`)
  const { reads, lookups } = alice.store
  const extra = await createBlock('raw', Uint8Array.of(1))
  await cluster.publish(await makeTree(cluster, [...blocks, extra]), 1001)
  await waitFor(
    () => alice.held.report,
    ({ holds, progress }) => holds === 1001 && progress === 'current',
    () => JSON.stringify(alice.held.report)
  )
  assert.ok(alice.store.reads - reads < 20, `${alice.store.reads - reads} reads`)
  assert.ok(alice.store.lookups - lookups < COUNT / nodes + 100)
})

test.run()
