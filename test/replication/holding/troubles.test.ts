import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  Sealing,
  createBlock,
  createLocalReader,
  createReadKey
} from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import { createNodeCache, createTree } from '../../../src/namespace/index.ts'
import { createCountedStore } from './counted-store.ts'
import { encodeNodeOf } from './nodes.ts'
import {
  BLOCK_BYTES,
  Cluster,
  EVERYBODY,
  TWO_COPIES,
  holderOf,
  idsIn,
  noise,
  waitFor
} from './cluster.ts'
import type { HolderMember } from './cluster.ts'

const test = suite('held volume in trouble')

async function holdAll(cluster: Cluster, blocks = 20): Promise<HolderMember> {
  await cluster.write(['a'], { blocks })
  const alice = await cluster.addHolder('alice')
  await cluster.list({ policy: EVERYBODY })
  await cluster.until(alice)
  return alice
}

test('a store without space keeps the version before, and goes on when it has some', async () => {
  await using cluster = await Cluster.create()
  const alice = await holdAll(cluster)
  const first = alice.held.report
  alice.store.refusal = new WarrenError('ENOSPC')
  const [more] = await cluster.write(['b'], { blocks: 20 })
  await cluster.until(alice, 'full')
  const full = await alice.held.settle()
  assert.equal(full.progress, 'full')
  assert.equal(full.holds, first.holds)
  assert.equal(full.usedBytes, first.usedBytes)
  for (const id of await cluster.blocksOf(more!)) {
    assert.ok(!alice.held.has(id) && !alice.held.keeps(id) && !alice.held.inventory.has(id))
  }
  assert.ok(alice.clock.waiting > 0, 'it will try again by itself')
  alice.store.refusal = undefined
  const after = await alice.held.settle()
  assert.equal(after.progress, 'current')
  for (const id of await cluster.reachable()) assert.ok(await alice.store.has(id))
})

test('a store that is full at the first hold loses nothing and says so', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 20 })
  const alice = await cluster.addHolder('alice')
  alice.store.refusal = new WarrenError('ENOSPC')
  await cluster.list({ policy: EVERYBODY })
  await cluster.until(alice, 'full')
  const full = await alice.held.settle()
  assert.equal(full.progress, 'full')
  assert.equal(full.holds, -1)
  assert.equal(full.usedBytes, 0)
  assert.deepEqual(alice.held.roots(), [])
})

test('damaged and missing blocks are got again, good ones are left alone', async () => {
  await using cluster = await Cluster.create()
  const alice = await holdAll(cluster)
  const all = [...(await cluster.reachable())]
  const node = all.find(id => id.startsWith('bafy'))!
  const [damaged, good] = all.filter(id => id.startsWith('bafk')) as [BlockId, BlockId]
  await alice.store.deleteMany([damaged, node])
  await alice.store.putMany([{ id: damaged, bytes: noise(BLOCK_BYTES, 'damage') }])
  const carried = cluster.network.bytesCarried()
  alice.held.missing([damaged, node, good])
  await alice.held.settle()
  assert.equal(alice.held.report.progress, 'current')
  for (const id of [damaged, node]) {
    const { id: found } = await createBlock(
      id === node ? 'dag-cbor' : 'raw',
      (await alice.store.get(id))!
    )
    assert.equal(found, id)
  }
  assert.equal(alice.repaired.length, 1)
  assert.equal(alice.repaired[0]?.blocks, 2)
  assert.ok(cluster.network.bytesCarried() - carried < 3 * BLOCK_BYTES)
  // What is not of this volume is nothing to us.
  const { id: foreign } = await createBlock('raw', noise(10, 'foreign'))
  alice.held.missing([foreign])
  assert.equal((await alice.held.settle()).progress, 'current')
})

test('what nobody has is told of once, and looked for until it is found', async () => {
  await using cluster = await Cluster.create()
  const alice = await holdAll(cluster)
  const [lost, other] = [...(await cluster.reachable())].filter(id => id.startsWith('bafk'))
  const bytes = (await cluster.owner.store.get(lost!))!
  await cluster.owner.store.deleteMany([lost!])
  await alice.store.deleteMany([lost!, other!])
  alice.held.missing([lost!, other!])
  await alice.held.settle()
  assert.equal(alice.held.report.progress, 'behind')
  assert.equal(alice.held.report.missingBlocks, 1)
  assert.ok(alice.held.has(other!), 'the others came all the same')
  assert.deepEqual(alice.lost, [lost])
  await alice.held.settle()
  assert.deepEqual(alice.lost, [lost])
  const store = createCountedStore()
  await store.putMany([{ id: lost!, bytes }])
  await cluster.addHolder('bob', { store })
  await cluster.list({ policy: EVERYBODY })
  await waitFor(
    () => alice.held.report.progress,
    progress => progress === 'current',
    () => 'it was not looked for again'
  )
})

test('a new version is held although the one before has lost blocks that it does not need', async () => {
  await using cluster = await Cluster.create()
  const [first] = await cluster.write(['a'], { blocks: 20 })
  const alice = await cluster.addHolder('alice')
  await cluster.list({ policy: EVERYBODY })
  await cluster.until(alice)
  const [lost] = await cluster.blocksOf(first!)
  await cluster.owner.store.deleteMany([lost!])
  await alice.store.deleteMany([lost!])
  alice.held.missing([lost!])
  await alice.held.settle()
  assert.equal(alice.held.report.progress, 'behind')
  await cluster.volume.update(transaction => transaction.unlink(1 as never, 'a'))
  await cluster.volume.sync()
  const report = await cluster.until(alice)
  assert.equal(report.missingBlocks, 0)
})

test('a sealed volume is held by who cannot read it', async () => {
  const sealing = new Sealing()
  sealing.add(createReadKey())
  await using cluster = await Cluster.create({ sealing })
  await cluster.write(['a', 'b'], { blocks: 20 })
  const alice = await cluster.addHolder('alice')
  const bob = await cluster.addHolder('bob')
  // Nobody should sign this; if somebody does, directories that nobody sees change nothing.
  await cluster.list({ overrides: new Map([[1 as never, EVERYBODY]]) })
  for (const holder of [alice, bob]) {
    await cluster.until(holder)
    const part = await cluster.partOf(holder)
    assert.deepEqual(await idsIn(holder.store), part)
    assert.equal(holder.held.report.usedBytes, holder.store.usage().bytes)
  }
  const { key, store } = alice
  const held = alice.holds.at(-1)!
  await cluster.stop(alice)
  const again = await cluster.addHolder('alice', { key, store, held })
  const { usedBytes } = await cluster.until(again)
  const exact = store.usage().bytes
  assert.ok(Math.abs(usedBytes - exact) < exact / 50, `${usedBytes} of ${exact}`)
})

test('of a sealed volume, whose sizes nobody knows, as much is taken as fits the pledge', async () => {
  const sealing = new Sealing()
  sealing.add(createReadKey())
  await using cluster = await Cluster.create({ sealing })
  await cluster.write(['a'], { blocks: 40 })
  const alice = await cluster.addHolder('alice')
  const pledgeBytes = 20 * BLOCK_BYTES
  await cluster.list({
    policy: EVERYBODY,
    holders: [holderOf(cluster.owner), holderOf(alice, { pledgeBytes })]
  })
  const report = await cluster.until(alice)
  assert.ok(report.share > 0 && report.share < 256, JSON.stringify(report))
  assert.ok(report.usedBytes <= pledgeBytes, JSON.stringify(report))
  assert.equal(report.holds, cluster.volume.head!.sequence)
})

test('a root that is no node has nothing below it', async () => {
  await using cluster = await Cluster.create()
  const root = await createBlock('dag-cbor', noise(1000, 'no node'))
  await cluster.owner.store.putMany([root])
  const alice = await cluster.addHolder('alice')
  await cluster.list()
  await cluster.publish(root.id)
  const report = await waitFor(
    () => alice.held.report,
    ({ progress, holds }) => progress === 'current' && holds === 1000,
    () => 'it was not held'
  )
  assert.equal(report.usedBytes, 1000)
})

test('a tree that is deeper than anything honest is not held', async () => {
  await using cluster = await Cluster.create()
  const alice = await holdAll(cluster)
  const before = alice.held.report
  let { id } = await createBlock('raw', noise(10, 'bottom'))
  for (let level = 0; level < 100; level++) {
    const node = await createBlock('dag-cbor', encodeNodeOf([id]))
    await cluster.owner.store.putMany([node])
    id = node.id
  }
  await cluster.publish(id)
  const report = await waitFor(
    () => alice.held.report,
    ({ knows, progress }) => knows === 1000 && progress === 'behind',
    () => 'it did not see it'
  )
  await alice.held.settle()
  assert.equal(report.holds, before.holds)
  for (const held of await cluster.reachable()) assert.ok(alice.held.has(held))
})

test('an entry that links to a whole tree is held with all below', async () => {
  await using cluster = await Cluster.create()
  const { store } = cluster.owner
  const raw = await Promise.all(
    Array.from({ length: 3000 }, (_, index) => createBlock('raw', noise(50, `block ${index}`)))
  )
  await store.putMany(raw)
  const treeOf = async (links: readonly BlockId[]): Promise<BlockId> => {
    const tree = createTree({ reader: createLocalReader(store), cache: createNodeCache() })
    const changes = links.map((link, index) => ({
      key: Uint8Array.of(2, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, index >> 8, index),
      value: Uint8Array.of(10),
      link
    }))
    return (await (await tree.apply(changes)).flush(store)).root
  }
  const below = await treeOf(raw.slice(1).map(({ id }) => id))
  const root = await treeOf([raw[0]!.id, below])
  const alice = await cluster.addHolder('alice')
  await cluster.list({ policy: EVERYBODY })
  await cluster.publish(root)
  await waitFor(
    () => alice.held.report,
    ({ holds, progress }) => holds === 1000 && progress === 'current',
    () => JSON.stringify(alice.held.report)
  )
  for (const { id } of raw) assert.ok(alice.held.has(id))
  assert.ok(alice.held.has(below))
})

test('more blocks than may be known are not held', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 20 })
  const alice = await cluster.addHolder('alice', { blocksMax: 21 })
  await cluster.list({ policy: EVERYBODY })
  await cluster.until(alice)
  await cluster.write(['b'], { blocks: 2 })
  await cluster.until(alice, 'full')
})

test('every version is left behind in the end when somebody writes all the time', async () => {
  await using cluster = await Cluster.create()
  const alice = await holdAll(cluster)
  const bob = await cluster.addHolder('bob')
  await cluster.list({ policy: TWO_COPIES })
  for (let round = 0; round < 20; round++) {
    await cluster.write([`b${round}`], { blocks: 3 })
    if (round === 10) await cluster.list({ policy: TWO_COPIES })
  }
  for (const holder of [alice, bob]) {
    await cluster.until(holder)
    const part = await cluster.partOf(holder)
    for (const id of part) assert.ok(holder.held.has(id))
  }
})

test('it can be closed in the middle of anything, and leaves no timer', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a', 'b'], { blocks: 60 })
  await cluster.list({ policy: EVERYBODY })
  for (let delayMs = 0; delayMs < 40; delayMs += 4) {
    const alice = await cluster.addHolder('alice')
    await cluster.list({ policy: EVERYBODY })
    await new Promise(resolve => setTimeout(resolve, delayMs))
    if (delayMs % 8 === 0) void cluster.write([`c${delayMs}`], { blocks: 1 })
    await cluster.stop(alice)
    await alice.held.close()
    await assert.rejects(alice.held.settle(), { code: 'EBADF' })
    assert.equal(alice.clock.waiting, 0)
  }
})

test('what is got in the background keeps to its rate', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 60 })
  const paced: number[] = []
  const alice = await cluster.addHolder('alice', {
    bytesPerSecond: 1e6,
    pace: async bytes => void paced.push(bytes)
  })
  const began = Date.now()
  await cluster.list({ policy: EVERYBODY })
  await cluster.until(alice)
  await cluster.write(['b'], { blocks: 60 })
  await cluster.until(alice)
  await cluster.write(['c'], { blocks: 10 })
  await cluster.until(alice)
  const tookMs = Date.now() - began
  const bytes = paced.reduce((sum, some) => sum + some, 0)
  assert.ok(bytes >= 130 * BLOCK_BYTES)
  assert.ok(tookMs > 700, `${tookMs} ms`)
})

test.run()
