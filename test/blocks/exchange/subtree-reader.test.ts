/** Whole trees through a session: cold, half there already, from sources that fail. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { encodeAnswer } from '../../../src/blocks/exchange/messages.ts'
import { FlowingClock } from '../../fixtures/flowing-clock.ts'
import { Neighbourhood, collect, makeBlocks, makeNode } from './exchange-fixtures.ts'

interface Context {
  clock: FlowingClock
  hood: Neighbourhood
  root: BlockId
  /** All of the tree, in the order of the walk. */
  blocks: Block[]
  nodes: Block[]
}

const test = suite<Context>('block exchange: subtrees')
test.before(async context => {
  const blocks: Block[] = []
  const inner: BlockId[] = []
  for (let branch = 0; branch < 6; branch++) {
    const below: Block[] = []
    const leaves: BlockId[] = []
    for (let leaf = 0; leaf < 50; leaf++) {
      const data = await makeBlocks(4, 2000, branch * 50 + leaf + 1)
      const node = await makeNode(
        data.map(({ id }) => id),
        leaf
      )
      leaves.push(node.id)
      below.push(node, ...data)
    }
    const node = await makeNode(leaves, branch)
    inner.push(node.id)
    blocks.push(node, ...below)
  }
  const root = await makeNode(inner, 7)
  context.root = root.id
  context.blocks = [root, ...blocks]
  context.nodes = context.blocks.filter(({ id }) => id.startsWith('bafy'))
})
test.before.each(context => {
  context.clock = new FlowingClock()
  context.hood = new Neighbourhood(context.clock)
})
test.after.each(async ({ clock, hood }) => {
  await hood.stop()
  clock.stop()
})

function idsOf(blocks: readonly Block[]): BlockId[] {
  return blocks.map(({ id }) => id)
}

for (const cold of [false, true]) {
  const how = cold ? 'asked for at once' : 'asked for node by node'

  test(`a tree that is not here, ${how}, comes whole and in order`, async ({
    hood,
    root,
    blocks,
    nodes
  }) => {
    const [alice, bob] = [await hood.add(blocks), await hood.add()]
    await hood.introduce(alice.peer, bob.peer)
    const reader = bob.exchange.reader({ sources: () => [alice.id] })
    const nodesOnly = await collect(reader.getSubtree(root, { cold, nodesOnly: true }))
    assert.deepEqual(idsOf(nodesOnly), idsOf(nodes))
    const fetched = await collect(reader.getSubtree(root, { cold }))
    assert.deepEqual(idsOf(fetched), idsOf(blocks))
    await reader.flush()
    assert.deepEqual(bob.store.usage(), alice.store.usage())
  })

  test(`a tree ${how} costs few round trips`, async ({ clock, hood, root, blocks }) => {
    const [alice, bob] = [await hood.add(blocks), await hood.add()]
    await hood.introduce(alice.peer, bob.peer)
    hood.network.shape(alice.id, bob.id, { delayMs: 20 })
    await bob.peer.dial(alice.id)
    const reader = bob.exchange.reader({ sources: () => [alice.id] })
    const began = clock.now()
    await collect(reader.getSubtree(root, { cold }))
    const ms = clock.now() - began
    // 1,507 blocks in 307 nodes, 40 ms a round trip.
    assert.ok(ms < 1500, `${ms} ms`)
  })

  test(`a tree ${how} survives a source that lies, lacks or stalls`, async ({
    clock,
    hood,
    root,
    blocks,
    nodes
  }) => {
    const liar = await hood.addLiar(async function* () {
      yield encodeAnswer([5], { payload: [new Uint8Array(5)] })
    })
    const partial = await hood.add(blocks.filter((_, index) => index % 3 !== 0))
    const silent = await hood.addLiar(async function* (_, { signal }) {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      yield encodeAnswer([5], { payload: [new Uint8Array(5)] })
    })
    const honest = await hood.add(blocks)
    for (const bad of [liar, partial.peer, silent]) {
      const bob = await hood.add()
      await hood.introduce(bob.peer, bad, honest.peer)
      const reader = bob.exchange.reader({ sources: () => [bad.id, honest.id] })
      const began = clock.now()
      assert.deepEqual(idsOf(await collect(reader.getSubtree(root, { cold }))), idsOf(blocks))
      const ms = clock.now() - began
      assert.ok(ms < 2500, `${ms} ms`)
      const again = await collect(reader.getSubtree(root, { nodesOnly: true }))
      assert.deepEqual(idsOf(again), idsOf(nodes))
    }
  })

  test(`a tree ${how} that nobody has is unreachable`, async ({ hood, root }) => {
    const [alice, bob] = [await hood.add(), await hood.add()]
    await hood.introduce(alice.peer, bob.peer)
    const reader = bob.exchange.reader({ sources: () => [alice.id] })
    await assert.rejects(collect(reader.getSubtree(root, { cold })), error =>
      isWarrenError(error, 'EHOSTUNREACH')
    )
  })

  test(`leaving a tree ${how} ends what was under way`, async ({ clock, hood, root, blocks }) => {
    const [alice, bob] = [await hood.add(blocks), await hood.add()]
    await hood.introduce(alice.peer, bob.peer)
    hood.network.shape(alice.id, bob.id, { bytesPerSecond: 512 * 1024 })
    const reader = bob.exchange.reader({ sources: () => [alice.id], windowBytes: 64 * 1024 })
    for await (const { id } of reader.getSubtree(root, { cold })) {
      if (id === blocks[20]!.id) break
    }
    const controller = new AbortController()
    clock.after(50, () => controller.abort())
    const other = collect(reader.getSubtree(root, { cold, signal: controller.signal }))
    await assert.rejects(other, { name: 'AbortError' })
    await clock.sleep(300)
    const carried = hood.network.bytesCarried()
    await clock.sleep(100)
    assert.equal(hood.network.bytesCarried(), carried)
  })
}

test('only what is not here is fetched, and what is left out is not walked', async ({
  hood,
  root,
  blocks,
  nodes
}) => {
  const [alice, bob] = [await hood.add(blocks), await hood.add()]
  await hood.introduce(alice.peer, bob.peer)
  await bob.store.putMany(blocks.slice(0, 1000))
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const left = new Set(nodes.slice(1).filter((_, index) => index % 51 === 0))
  const enter = (id: BlockId): boolean => ![...left].some(node => node.id === id)
  const top = await collect(reader.getSubtree(root, { enter }))
  assert.equal(top.length, 1 + left.size)
  assert.deepEqual(idsOf(await collect(reader.getSubtree(root))), idsOf(blocks))
  const [{ blocksIn } = { blocksIn: 0 }] = bob.exchange.transfers()
  assert.equal(blocksIn, blocks.length - 1000)
})

test.run()
