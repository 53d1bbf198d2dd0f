import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createCountedStore } from './counted-store.ts'
import { BLOCK_BYTES, Cluster, ONE_COPY, holderOf, idsIn } from './cluster.ts'

const test = suite('held volume')

test('a new holder gets all nodes and what placement gives it', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a', 'b', 'c'], { blocks: 40 })
  const alice = await cluster.addHolder('alice')
  const bob = await cluster.addHolder('bob')
  await cluster.list()
  const part = await cluster.partOf(alice)
  const report = await cluster.until(alice)
  await cluster.until(bob)
  assert.deepEqual(await idsIn(alice.store), part)
  assert.deepEqual(await idsIn(bob.store), await cluster.partOf(bob))
  assert.ok(part.size > 40 && part.size < 110, `${part.size} blocks of 120`)
  assert.equal(alice.held.inventory.size, part.size)
  assert.equal(report.holds, cluster.volume.head!.sequence)
  assert.equal(report.knows, report.holds)
  assert.equal(report.missingBlocks, 0)
  assert.equal(report.usedBytes, alice.store.usage().bytes)
  assert.deepEqual(alice.held.roots(), [cluster.volume.head!.root])
  assert.equal(alice.holds.at(-1)?.root, cluster.volume.head!.root)
})

test('a new version moves what it made', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a', 'b', 'c'], { blocks: 200 })
  const alice = await cluster.addHolder('alice')
  await cluster.list({ policy: ONE_COPY })
  await cluster.until(alice)
  const before = cluster.network.bytesCarried()
  const readsBefore = alice.store.reads
  await cluster.write(['d'], { blocks: 2 })
  await cluster.until(alice)
  const moved = cluster.network.bytesCarried() - before
  assert.ok(moved < 2 * BLOCK_BYTES + 200_000, `${moved} bytes`)
  assert.ok(alice.store.reads - readsBefore < 20, `${alice.store.reads - readsBefore} reads`)
  const part = await cluster.partOf(alice, ONE_COPY)
  assert.equal(alice.held.inventory.size, part.size)
  for (const id of part) assert.ok(alice.held.inventory.has(id) && alice.held.keeps(id))
})

test('nothing is got before the list names a holder', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 4 })
  const alice = await cluster.addHolder('alice')
  await alice.held.settle()
  assert.equal(alice.held.report.progress, 'behind')
  await cluster.list({ of: [] })
  await alice.held.settle()
  assert.equal(alice.store.usage().blocks, 0)
  await cluster.list()
  await cluster.until(alice)
})

test('a head and a list that come at the same moment are both heard', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 4 })
  const alice = await cluster.addHolder('alice')
  const list = await cluster.list()
  await cluster.until(alice)
  const head = { ...cluster.volume.head!, sequence: 1000 }
  cluster.circles.tell({ ...list })
  alice.heads.announce(head)
  await cluster.until(alice, 'current', ({ holds }) => holds === head.sequence)
})

test('a pledge that is too small keeps the version before, until it is larger', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 10 })
  const alice = await cluster.addHolder('alice')
  const everything = { policy: { replicas: 2, minimum: 1, on: [] } }
  const withPledge = (pledgeBytes: number): ReturnType<typeof cluster.list> =>
    cluster.list({
      ...everything,
      holders: [holderOf(cluster.owner), holderOf(alice, { pledgeBytes })]
    })
  await withPledge(15 * BLOCK_BYTES)
  const first = await cluster.until(alice)
  assert.equal(first.pledgeBytes, 15 * BLOCK_BYTES)
  const firstRoot = cluster.volume.head!.root
  const [extra] = await cluster.write(['b'], { blocks: 10 })
  const full = await cluster.until(alice, 'full')
  assert.equal(full.holds, first.holds)
  // The version that does not fit stands beside it while it is tried again.
  assert.ok(alice.held.roots().includes(firstRoot))
  const carried = cluster.network.bytesCarried()
  assert.ok(carried < 20 * BLOCK_BYTES, 'no data was got in vain')
  for (const id of await cluster.blocksOf(extra!)) assert.ok(!alice.held.keeps(id))
  await withPledge(40 * BLOCK_BYTES)
  const after = await cluster.until(alice)
  assert.equal(after.holds, cluster.volume.head!.sequence)
})

test('what was read here before a restart is no part of what is held', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a', 'b'], { blocks: 60 })
  const { root, sequence } = cluster.volume.head!
  const store = createCountedStore()
  for (const id of await cluster.reachable()) {
    // Some of what was held is damaged: there is no version to begin with.
    if (id === root) continue
    await store.putMany([{ id, bytes: (await cluster.owner.store.get(id))! }])
  }
  const pledgeBytes = 40 * BLOCK_BYTES
  const alice = await cluster.addHolder('alice', { store, held: { root, sequence } })
  const holders = [holderOf(cluster.owner), holderOf(alice, { pledgeBytes })]
  await cluster.list({ holders, policy: ONE_COPY })
  const report = await cluster.until(alice, 'current', ({ usedBytes }) => usedBytes > 0)
  assert.ok(report.usedBytes <= pledgeBytes, JSON.stringify(report))
  assert.equal(report.holds, sequence)
})

test('what nobody else takes stays, and of what is new as much is taken as fits beside it', async () => {
  await using cluster = await Cluster.create()
  const [first] = await cluster.write(['a'], { blocks: 10 })
  const alice = await cluster.addHolder('alice', { giveUpMs: 1 })
  const pledgeBytes = 15 * BLOCK_BYTES
  const holders = [holderOf(cluster.owner), holderOf(alice, { pledgeBytes })]
  await cluster.list({ holders, policy: { replicas: 2, minimum: 1, on: [] } })
  await cluster.until(alice)
  await cluster.write(['b'], { blocks: 10 })
  const report = await cluster.until(alice)
  assert.ok(report.usedBytes <= pledgeBytes && report.share < 256, JSON.stringify(report))
  for (const id of await cluster.blocksOf(first!)) assert.ok(alice.held.keeps(id))
})

test('a smaller limit of our own counts as well', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 10 })
  let limit = 5 * BLOCK_BYTES
  const alice = await cluster.addHolder('alice', { pledgeBytes: () => limit })
  await cluster.list()
  const less = await cluster.until(alice)
  assert.equal(less.pledgeBytes, limit)
  assert.ok(less.usedBytes <= limit && less.share < 256, JSON.stringify(less))
  assert.deepEqual([...less.shares], [[alice.peer.id, less.share]])
  limit = 100 * BLOCK_BYTES
  assert.equal((await alice.held.settle()).progress, 'current')
})

test('what does not fit goes to the next in line, and nothing else moves', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a', 'b'], { blocks: 60 })
  const alice = await cluster.addHolder('alice')
  const bob = await cluster.addHolder('bob')
  const carol = await cluster.addHolder('carol')
  const pledgeBytes = 25 * BLOCK_BYTES
  const holders = [cluster.owner, alice, bob, carol].map(member => holderOf(member))
  const tight = holders.map(holder =>
    holder.peer === alice.peer.id ? { ...holder, zone: 'apart', pledgeBytes } : holder
  )
  await cluster.list({ holders: tight })
  const others = [alice, bob, carol]
  const report = await cluster.until(alice, 'current', ({ share }) => share < 256)
  assert.ok(report.usedBytes <= pledgeBytes && report.share > 0, JSON.stringify(report))
  for (const holder of [bob, carol]) {
    await cluster.until(holder, 'current', ({ shares }) => {
      return shares.get(alice.peer.id) === report.share
    })
  }
  for (const id of await cluster.reachable()) {
    const has = others.filter(({ held }) => held.has(id)).length
    const owner = (await cluster.partOf(cluster.owner)).has(id) ? 1 : 0
    assert.ok(has + owner >= 2, `${id} is at ${has}`)
  }
  const carried = cluster.network.bytesCarried()
  for (const { held } of others) await held.settle()
  assert.equal(alice.held.report.share, report.share)
  assert.ok(cluster.network.bytesCarried() - carried < 2 * BLOCK_BYTES, 'nothing goes to and fro')
})

test.run()
