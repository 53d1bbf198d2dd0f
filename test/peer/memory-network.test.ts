import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { MemoryNetwork, Peer } from '../../src/peer/index.ts'
import { createMemoryNetwork, createSigningKey, peerIdOf } from '../../src/peer/index.ts'
import { COUNT, ECHO, collect, countTo, echo, once, testPeer } from '../contracts/peer-contract.ts'
import { createManualClock } from './manual-clock.ts'
import type { ManualClock } from './manual-clock.ts'

let network = createMemoryNetwork()
testPeer('memory network', {
  createPeer: async () => network.createPeer({ discovery: false }),
  destroy: async () => {
    network = createMemoryNetwork()
  }
})

interface Fixture {
  clock: ManualClock
  network: MemoryNetwork
  alice: Peer
  bob: Peer
}

const test = suite<Fixture>('memory network')

test.before.each(async context => {
  context.clock = createManualClock()
  context.network = createMemoryNetwork({ clock: context.clock, random: seeded(1) })
  context.alice = context.network.createPeer()
  context.bob = context.network.createPeer()
  await context.alice.start()
  await context.bob.start()
  context.bob.serve(ECHO, echo)
})
test.after.each(async ({ alice, bob }) => {
  await alice.stop()
  await bob.stop()
})

/** Mulberry32. Source: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Resolves to when a promise settled, in the time of the clock, and to how. */
async function settled(
  clock: ManualClock,
  promise: Promise<unknown>
): Promise<{ at: number; code: string | undefined }> {
  const start = clock.now()
  let end: { at: number; code: string | undefined } | undefined
  promise.then(
    () => (end = { at: clock.now() - start, code: undefined }),
    error => (end = { at: clock.now() - start, code: error.code })
  )
  for (let step = 0; step < 10_000 && end === undefined; step++) await clock.advance(10)
  assert.ok(end !== undefined, 'never settled')
  return end
}

test('lets peers find each other as they start', async ({ network, alice, bob }) => {
  const found = once(alice, 'found')
  const carol = network.createPeer()
  const hermit = network.createPeer({ discovery: false })
  await hermit.start()
  await carol.start()
  assert.equal(await found, carol.id)
  const ids = alice.known().map(({ id, local }) => [id, local])
  assert.deepEqual(ids, [
    [bob.id, true],
    [carol.id, true]
  ])
  assert.deepEqual(hermit.known(), [])
})

test('gives a peer the id of its key', async ({ network }) => {
  const key = await createSigningKey()
  assert.equal(network.createPeer({ key }).id, peerIdOf(key.publicKey))
})

test('repeats itself from the same seed', async () => {
  const ids = [1, 1, 2].map(seed => createMemoryNetwork({ random: seeded(seed) }).createPeer().id)
  assert.equal(ids[0], ids[1])
  assert.notEqual(ids[1], ids[2])
})

test('takes the time of the link, there and back', async ({ clock, network, alice, bob }) => {
  network.shape(alice.id, bob.id, { delayMs: 100 })
  // Once there and back to connect, once more to ask.
  assert.deepEqual(await settled(clock, collect(alice, bob.id, { body: 1 })), {
    at: 400,
    code: undefined
  })
  assert.equal((await settled(clock, collect(alice, bob.id, { body: 1 }))).at, 200)
})

test('takes the time of narrow links', async ({ clock, network, alice, bob }) => {
  await alice.dial(bob.id)
  network.shape(alice.id, bob.id, { bytesPerSecond: 100_000 })
  bob.serve(COUNT, () => countTo(100, 10_000))
  const { at } = await settled(clock, collect(alice, bob.id, { body: 1 }, COUNT))
  assert.ok(at >= 10_000 && at < 10_500, `${at} ms for a million bytes`)
  const bytes = network.bytesCarried(alice.id, bob.id)
  assert.ok(bytes > 1_000_000 && bytes < 1_010_000)
  assert.equal(network.bytesCarried(), bytes)
})

test('keeps the order when delays vary', async ({ clock, network, alice, bob }) => {
  network.shape(alice.id, bob.id, { delayMs: 5, jitterMs: 500 })
  bob.serve(COUNT, () => countTo(50, 10_000))
  const answers = collect(alice, bob.id, { body: 1 }, COUNT, { windowBytes: 30_000 })
  assert.equal((await settled(clock, answers)).code, undefined)
  const bodies = (await answers).map(({ body }) => body)
  assert.deepEqual(
    bodies,
    Array.from({ length: 50 }, (_, index) => index)
  )
})

test('resets what a cut interrupts, and connects again when mended', async context => {
  const { clock, network, alice, bob } = context
  network.shape(alice.id, bob.id, { delayMs: 100 })
  const call = collect(alice, bob.id, { body: 1 })
  call.catch(() => {})
  await clock.advance(350)
  const lost = [once(alice, 'disconnect'), once(bob, 'disconnect')]
  network.cut(alice.id, bob.id)
  assert.deepEqual(await Promise.all(lost), [bob.id, alice.id])
  await assert.rejects(call, { code: 'ECONNRESET' })
  await assert.rejects(collect(alice, bob.id, { body: 1 }), { code: 'EHOSTUNREACH' })
  network.mend(alice.id, bob.id)
  assert.equal((await settled(clock, collect(alice, bob.id, { body: 1 }))).code, undefined)
})

test('cuts one link and no other', async ({ network, alice, bob }) => {
  const carol = network.createPeer()
  await carol.start()
  network.cut(alice.id, bob.id)
  assert.equal((await collect(carol, bob.id, { body: 1 })).length, 1)
})

test('says nothing on a mute link until the heartbeat fails', async context => {
  const { clock, network, alice, bob } = context
  await alice.dial(bob.id)
  network.mute(alice.id, bob.id)
  const call = settled(clock, collect(alice, bob.id, { body: 1 }))
  assert.deepEqual(await call, { at: 10_000, code: 'ETIMEDOUT' })
  assert.deepEqual(alice.connected(), [bob.id])
  await clock.advance(40_000)
  assert.deepEqual(alice.connected(), [])
  assert.deepEqual(await settled(clock, alice.dial(bob.id)), { at: 10_000, code: 'ETIMEDOUT' })
})

test('delivers what a mute link held when it is mended', async ({ clock, network, alice, bob }) => {
  await alice.dial(bob.id)
  network.mute(alice.id, bob.id)
  const call = collect(alice, bob.id, { body: 1 })
  await clock.advance(5_000)
  network.mend(alice.id, bob.id)
  assert.equal((await call).length, 1)
})

test('redials a kept peer in the time of the clock', async ({ clock, network, alice, bob }) => {
  await alice.keep(bob.id)
  await clock.advance(0)
  assert.deepEqual(alice.connected(), [bob.id])
  network.cut(alice.id, bob.id)
  await clock.advance(60_000)
  assert.deepEqual(alice.connected(), [])
  network.mend(alice.id, bob.id)
  await clock.advance(60_000)
  assert.deepEqual(alice.connected(), [bob.id])
})

test.run()
