/** What a reader promises: order, bounds, sharing, ending. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isWarrenError } from '../../../src/errors.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { createMemoryBlockStore } from '../../../src/blocks/memory-block-store.ts'
import type { BlockStore } from '../../../src/blocks/block-store.ts'
import { BLOCKS_PROTOCOL, decodeWant } from '../../../src/blocks/exchange/messages.ts'
import { WRITE_BEHIND_BYTES_MAX } from '../../../src/blocks/exchange/limits.ts'
import type { Peer } from '../../../src/peer/index.ts'
import { FlowingClock } from '../../fixtures/flowing-clock.ts'
import { Neighbourhood, collect, makeBlocks } from './exchange-fixtures.ts'
import type { Neighbour } from './exchange-fixtures.ts'

const test = suite<{ clock: FlowingClock; hood: Neighbourhood }>('block exchange')
test.before.each(context => {
  context.clock = new FlowingClock()
  context.hood = new Neighbourhood(context.clock)
})
test.after.each(async ({ clock, hood }) => {
  await hood.stop()
  clock.stop()
})

/** Blocks that are hashed on other threads, which no clock but the system's waits for. */
const testBig = suite<{ hood: Neighbourhood }>('block exchange: big blocks')
testBig.before.each(context => {
  context.hood = new Neighbourhood()
})
testBig.after.each(context => context.hood.stop())

function equalBlocks(actual: readonly Block[], expected: readonly Block[]): void {
  assert.equal(actual.length, expected.length)
  for (const [i, block] of actual.entries()) {
    assert.equal(block.id, expected[i]!.id)
    assert.ok(Buffer.compare(block.bytes, expected[i]!.bytes) === 0, `block ${i} differs`)
  }
}

/** Alice has the blocks, bob can reach her; what bob asks for is written down. */
async function pair(
  hood: Neighbourhood,
  blocks: readonly Block[]
): Promise<{ alice: Neighbour; bob: Neighbour; wants: number[] }> {
  const alice = await hood.add(blocks)
  const bob = await hood.add()
  await hood.introduce(alice.peer, bob.peer)
  return { alice, bob, wants: countWants(bob.peer) }
}

/** How many ids each want of this peer has, as they are made. */
function countWants(peer: Peer): number[] {
  const wants: number[] = []
  const call = peer.call.bind(peer)
  peer.call = (to, protocol, request, options) => {
    assert.equal(protocol, BLOCKS_PROTOCOL)
    const want = decodeWant({ body: request.body, payload: request.payload![0]! })
    if (want.kind === 'blocks') wants.push(want.ids.length)
    return call(to, protocol, request, options)
  }
  return wants
}

test('fetches thousands of small blocks in order, few of them a call', async ({ hood }) => {
  const blocks = await makeBlocks(10_000, 4096)
  const { alice, bob, wants } = await pair(hood, blocks)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const fetched = await collect(reader.getMany(blocks.map(block => block.id)))
  equalBlocks(fetched, blocks)
  assert.ok(wants.length < 50, `${wants.length} wants`)
  await reader.flush()
  assert.deepEqual(bob.store.usage(), alice.store.usage())
})

testBig('fetches hundreds of big blocks', async ({ hood }) => {
  const blocks = await makeBlocks(200, 512 * 1024)
  const { alice, bob } = await pair(hood, blocks)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  let index = 0
  for await (const block of reader.getMany(blocks.map(({ id }) => id))) {
    assert.equal(block.id, blocks[index++]!.id)
  }
  assert.equal(index, 200)
})

test('a block nobody has is unreachable, soon', async ({ clock, hood }) => {
  const [block] = await makeBlocks(1, 100)
  const alice = await hood.add()
  const bob = await hood.add()
  await hood.introduce(alice.peer, bob.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const began = clock.now()
  await assert.rejects(reader.get(block!.id), error => isWarrenError(error, 'EHOSTUNREACH'))
  assert.ok(clock.now() - began < 1000)
})

test('gets of one turn go in one want, and of one block in one fetch', async ({ hood }) => {
  const blocks = await makeBlocks(50, 1000)
  const { alice, bob, wants } = await pair(hood, blocks)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const twice = [...blocks, ...blocks]
  const fetched = await Promise.all(twice.map(({ id }) => reader.get(id)))
  for (const [i, bytes] of fetched.entries()) assert.deepEqual(bytes, twice[i]!.bytes)
  assert.deepEqual(wants, [50])
})

test('what is here is not asked for', async ({ hood }) => {
  const blocks = await makeBlocks(20, 1000)
  const { alice, bob, wants } = await pair(hood, blocks)
  await bob.store.putMany(blocks.filter((_, index) => index % 2 === 0))
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  equalBlocks(await collect(reader.getMany(blocks.map(({ id }) => id))), blocks)
  assert.deepEqual(wants, [10])
  equalBlocks(await collect(reader.getMany(blocks.map(({ id }) => id))), blocks)
  for (const { id, bytes } of blocks) assert.deepEqual(await reader.get(id), bytes)
  assert.deepEqual(wants, [10])
})

test('ids may come slowly, repeat, and fail', async ({ clock, hood }) => {
  const blocks = await makeBlocks(30, 1000)
  const { alice, bob } = await pair(hood, blocks)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  async function* slowly(): AsyncGenerator<BlockId> {
    for (const [i, { id }] of blocks.entries()) {
      if (i % 10 === 0) await clock.sleep(5)
      yield id
      yield id
    }
    throw new RangeError('no more')
  }
  const fetched: Block[] = []
  await assert.rejects(async () => {
    for await (const block of reader.getMany(slowly())) fetched.push(block)
  }, RangeError)
  equalBlocks(
    fetched,
    blocks.flatMap(block => [block, block])
  )
})

test('the first block that cannot be had ends it, after those before it', async ({ hood }) => {
  const blocks = await makeBlocks(10, 1000)
  const { alice, bob } = await pair(
    hood,
    blocks.filter((_, index) => index !== 6)
  )
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const fetched: Block[] = []
  await assert.rejects(
    async () => {
      for await (const block of reader.getMany(blocks.map(({ id }) => id))) fetched.push(block)
    },
    error => isWarrenError(error, 'EHOSTUNREACH') && error.message.includes(blocks[6]!.id)
  )
  equalBlocks(fetched, blocks.slice(0, 6))
})

test('leaving in the middle ends what was under way', async ({ clock, hood }) => {
  const blocks = await makeBlocks(400, 64 * 1024)
  const { alice, bob } = await pair(hood, blocks)
  hood.network.shape(alice.id, bob.id, { bytesPerSecond: 4 * 1024 * 1024 })
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  for await (const { id } of reader.getMany(blocks.map(block => block.id))) {
    if (id === blocks[10]!.id) break
  }
  await clock.sleep(200)
  const carried = hood.network.bytesCarried()
  await clock.sleep(200)
  // At this speed everything that was asked for would have taken two seconds.
  assert.equal(hood.network.bytesCarried(), carried)
})

test('aborting ends gets and loops with the reason of the signal', async ({ clock, hood }) => {
  const blocks = await makeBlocks(100, 64 * 1024)
  const { alice, bob } = await pair(hood, blocks)
  hood.network.shape(alice.id, bob.id, { bytesPerSecond: 1024 * 1024 })
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const reason = new RangeError('enough')
  const controller = new AbortController()
  const { signal } = controller
  const loop = collect(
    reader.getMany(
      blocks.map(({ id }) => id),
      { signal }
    )
  )
  const single = reader.get(blocks[99]!.id, { signal })
  const other = reader.get(blocks[0]!.id)
  clock.after(30, () => controller.abort(reason))
  await assert.rejects(loop, reason)
  await assert.rejects(single, reason)
  assert.deepEqual(await other, blocks[0]!.bytes)
  await assert.rejects(reader.get(blocks[50]!.id, { signal }), reason)
})

test('stopping ends what waits', async ({ clock, hood }) => {
  const blocks = await makeBlocks(1, 100)
  const bob = await hood.add()
  const wanted = bob.exchange.reader().get(blocks[0]!.id)
  await clock.sleep(10)
  await bob.exchange.stop()
  await bob.exchange.stop()
  await assert.rejects(wanted, error => isWarrenError(error, 'ECONNRESET'))
  const late = bob.exchange.reader().get(blocks[0]!.id)
  await assert.rejects(late, error => isWarrenError(error, 'ECONNRESET'))
  await bob.store.putMany(blocks)
  assert.deepEqual(await bob.exchange.reader().get(blocks[0]!.id), blocks[0]!.bytes)
})

testBig('a caller that is slow does not fill the memory', async ({ hood }) => {
  const blocks = await makeBlocks(100, 256 * 1024)
  const { alice, bob } = await pair(hood, blocks)
  const windowBytes = 2 * 1024 * 1024
  const reader = bob.exchange.reader({ sources: () => [alice.id], windowBytes })
  const fetched: Block[] = []
  for await (const block of reader.getMany(blocks.map(({ id }) => id))) {
    fetched.push(block)
    if (fetched.length < 5) await sleep(30)
    const ahead = bob.store.usage().blocks - fetched.length
    assert.ok(ahead <= 40, `${ahead} blocks ahead`)
  }
  equalBlocks(fetched, blocks)
})

testBig('a store that does not keep up slows the network down', async ({ hood }) => {
  const blocks = await makeBlocks(64, 1024 * 1024)
  const alice = await hood.add(blocks)
  const memory = createMemoryBlockStore()
  const gate = Promise.withResolvers<void>()
  const slow: BlockStore = Object.assign(Object.create(memory) as BlockStore, {
    get: (id: BlockId) => memory.get(id),
    putMany: async (batch: readonly Block[]) => {
      await gate.promise
      await memory.putMany(batch)
    }
  })
  const bob = await hood.addWith(slow)
  await hood.introduce(alice.peer, bob.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id], windowBytes: 100 * 1024 * 1024 })
  const all = collect(reader.getMany(blocks.map(({ id }) => id)))
  await sleep(300)
  const carried = hood.network.bytesCarried()
  assert.ok(carried < WRITE_BEHIND_BYTES_MAX + 24 * 1024 * 1024, `${carried} bytes`)
  gate.resolve()
  equalBlocks(await all, blocks)
})

test('a store that is full keeps nothing and breaks nothing', async ({ hood }) => {
  const blocks = await makeBlocks(50, 10_000)
  const alice = await hood.add(blocks)
  const bob = await hood.addWith(createMemoryBlockStore({ bytesMax: 20_000 }))
  await hood.introduce(alice.peer, bob.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  equalBlocks(await collect(reader.getMany(blocks.map(({ id }) => id))), blocks)
  await assert.rejects(reader.flush(), error => isWarrenError(error, 'ENOSPC'))
  await reader.flush()
})

test('what was exchanged is counted', async ({ hood }) => {
  const blocks = await makeBlocks(50, 1000)
  const { alice, bob } = await pair(hood, blocks)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  let told = 0
  bob.exchange.events.addEventListener('transfer', ({ detail }) => {
    assert.equal(detail.peer, alice.id)
    told++
  })
  await collect(reader.getMany(blocks.map(({ id }) => id)))
  const counts = { blocksIn: 50, bytesIn: 50_000, blocksOut: 0, bytesOut: 0 }
  assert.deepEqual(bob.exchange.transfers(), [{ peer: alice.id, ...counts }])
  const mirrored = { blocksIn: 0, bytesIn: 0, blocksOut: 50, bytesOut: 50_000 }
  assert.deepEqual(alice.exchange.transfers(), [{ peer: bob.id, ...mirrored }])
  assert.ok(told >= 1)
})

test('what need not be kept is handed out and not stored, unless somebody else wants it kept', async ({
  hood
}) => {
  const blocks = await makeBlocks(20, 4096)
  const ids = blocks.map(block => block.id)
  const { alice, bob } = await pair(hood, blocks)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const [passing, kept] = await Promise.all([
    collect(reader.getMany(ids, { keep: false })),
    reader.get(ids[7]!)
  ])
  equalBlocks(passing, blocks)
  assert.ok(Buffer.compare(kept, blocks[7]!.bytes) === 0)
  await reader.flush()
  assert.equal(bob.store.usage().blocks, 1)
  assert.ok(await bob.store.has(ids[7]!))
})

test.run()
testBig.run()
