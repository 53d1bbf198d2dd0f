import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createMemoryNetwork } from '../../../src/peer/index.ts'
import type { CallHandler, MemoryNetwork, Peer } from '../../../src/peer/index.ts'
import { HEADS_PROTOCOL } from '../../../src/namespace/heads/head-messages.ts'
import { NEWEST_TIMEOUT_MS } from '../../../src/namespace/heads/fetch-heads.ts'
import type { SignedHead } from '../../../src/namespace/heads/head.ts'
import { connect, createHolder, listen } from './exchange-fixtures.ts'
import type { Holder } from './exchange-fixtures.ts'
import { createOwner, rootOf } from './fixtures.ts'

const test = suite('head exchange')

/** A peer that answers everything in its own way. */
async function createImpostor(network: MemoryNetwork, handler: CallHandler): Promise<Peer> {
  const peer = network.createPeer({ discovery: false })
  peer.serve(HEADS_PROTOCOL, handler)
  await peer.start()
  return peer
}

function answers(...bodies: unknown[]): CallHandler {
  return async function* () {
    for (const body of bodies) yield { body }
  }
}

function forge(head: SignedHead): Uint8Array {
  const bytes = head.bytes.slice()
  bytes[bytes.length - 1]! ^= 1
  return bytes
}

test('finds the newest head among connected peers and keeps it', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  await using carol = await createHolder(network)
  const { volume, sign } = await createOwner()
  await alice.commit(await sign(3))
  await bob.commit(await sign(5))
  await Promise.all([connect(carol, alice), connect(carol, bob)])
  const { head, fresh } = await carol.exchange.newest(volume)
  assert.deepEqual(head, await sign(5))
  assert.equal(fresh, true)
  assert.equal(await carol.sequence(volume), 5)
})

test('asks a source that is not connected yet', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  await alice.commit(await sign(3))
  await bob.peer.remember(alice.peer.id, alice.peer.addresses())
  const { head } = await bob.exchange.newest(volume, { sources: [alice.peer.id, bob.peer.id] })
  assert.equal(head?.sequence, 3)
})

test('falls back to what it knows, and says so', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  assert.deepEqual(await alice.exchange.newest(volume), { head: undefined, fresh: false })
  await alice.commit(await sign(3))
  await connect(alice, bob)
  assert.deepEqual(await alice.exchange.newest(volume, { sources: [bob.peer.id] }), {
    head: await sign(3),
    fresh: false
  })
  await alice.exchange.newest(volume, { sources: [network.createPeer().id] })
})

test('is not moved by peers that forge, lie, repeat old heads or fail', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  const [owner, other] = [await createOwner(), await createOwner()]
  await alice.commit(await owner.sign(5))
  const liars: CallHandler[] = [
    answers([forge(await owner.sign(9))]),
    answers([(await other.sign(9)).bytes]),
    answers([new Uint8Array(100)]),
    answers('nonsense'),
    answers({ length: 1e9 }),
    answers([(await owner.sign(4)).bytes]),
    answers([]),
    answers(),
    // oxlint-disable-next-line require-yield
    async function* () {
      throw new Error('broken')
    }
  ]
  const peers = await Promise.all(liars.map(liar => createImpostor(network, liar)))
  for (const peer of peers) await alice.peer.dial(peer.addresses()[0]!)
  const { head, fresh } = await alice.exchange.newest(owner.volume)
  assert.equal(head?.sequence, 5)
  assert.equal(fresh, true)
  assert.deepEqual(await alice.heads.volumes(), [owner.volume])
  await Promise.all(peers.map(peer => peer.stop()))
})

test('does not wait for the silent once somebody has answered, and never beyond its deadline', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  const cancelled = Promise.withResolvers<void>()
  const silent = await createImpostor(network, async function* (_request, { signal }) {
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    cancelled.resolve()
    yield { body: [] }
  })
  await alice.peer.dial(silent.addresses()[0]!)

  let startMs = performance.now()
  assert.equal((await alice.exchange.newest(volume, { timeoutMs: 100 })).fresh, false)
  assert.ok(performance.now() - startMs < NEWEST_TIMEOUT_MS)
  await cancelled.promise

  await bob.commit(await sign(1))
  await connect(alice, bob)
  startMs = performance.now()
  assert.equal((await alice.exchange.newest(volume, { timeoutMs: 60_000 })).fresh, true)
  assert.ok(performance.now() - startMs < 30_000)

  const signal = AbortSignal.timeout(50)
  const nobodyKnows = (await createOwner()).volume
  await assert.rejects(alice.exchange.newest(nobodyKnows, { signal }), { name: 'TimeoutError' })
  await assert.rejects(alice.exchange.newest(nobodyKnows, { signal }), { name: 'TimeoutError' })
  await silent.stop()
})

test('tells a follower the newest head at once and each newer one', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  await alice.commit(await sign(1))
  await connect(bob, alice)
  const { heard, hears, stop } = listen(bob, volume)
  for (let sequence = 1; sequence <= 5; sequence++) {
    await hears(sequence)
    assert.equal(await bob.sequence(volume), sequence)
    await alice.commit(await sign(sequence + 1))
  }
  await hears(6)
  assert.deepEqual(heard, [1, 2, 3, 4, 5, 6])
  stop()
  stop()
  await alice.commit(await sign(7))
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.equal(heard.at(-1), 6)
})

test('carries news along a chain of peers, both ways', async () => {
  const network = createMemoryNetwork()
  const holders: Holder[] = []
  for (let index = 0; index < 4; index++) holders.push(await createHolder(network))
  const [alice, , , dave] = holders
  for (let index = 1; index < 4; index++) await connect(holders[index]!, holders[index - 1]!)
  const [one, two] = [await createOwner(), await createOwner()]
  const listeners = holders.map(holder => [listen(holder, one.volume), listen(holder, two.volume)])
  await alice!.commit(await one.sign(1))
  await dave!.commit(await two.sign(1))
  for (const pair of listeners) for (const { hears } of pair) await hears(1)
  await alice!.commit(await one.sign(2))
  await dave!.commit(await two.sign(2))
  for (const pair of listeners) for (const { hears } of pair) await hears(2)
  for (const [first] of listeners) assert.deepEqual(first!.heard, [1, 2])
  for (const holder of holders) await holder[Symbol.asyncDispose]()
})

test('hears from a peer that connects later, and from a hinted source without being asked to dial', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  await using carol = await createHolder(network)
  const { volume, sign } = await createOwner()
  await alice.commit(await sign(1))
  const late = listen(bob, volume)
  await connect(alice, bob)
  await late.hears(1)
  await carol.peer.remember(alice.peer.id, alice.peer.addresses())
  const hinted = listen(carol, volume, [alice.peer.id])
  await hinted.hears(1)
  await alice.commit(await sign(2))
  await Promise.all([late.hears(2), hinted.hears(2)])
})

test('hears what it missed after a lost connection is back', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  await alice.commit(await sign(1))
  await connect(bob, alice)
  const { hears, heard } = listen(bob, volume)
  await hears(1)
  network.cut(alice.peer.id, bob.peer.id)
  await alice.commit(await sign(2))
  await alice.commit(await sign(3))
  network.mend(alice.peer.id, bob.peer.id)
  await connect(bob, alice)
  await hears(3)
  assert.deepEqual(heard, [1, 3])
})

test('says nothing of a volume that the asker may not read, from the moment it may not', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const [open, secret] = [await createOwner(), await createOwner()]
  await alice.commit(await open.sign(1))
  await alice.commit(await secret.sign(1))
  await connect(bob, alice)
  const { hears } = listen(bob, secret.volume)
  const control = listen(bob, open.volume)
  await hears(1)
  alice.secrets.add(secret.volume)
  await alice.commit(await secret.sign(2))
  await alice.commit(await open.sign(2))
  await control.hears(2)
  assert.equal(await bob.sequence(secret.volume), 1)
  assert.equal((await bob.exchange.newest(secret.volume)).fresh, false)
  assert.equal((await bob.exchange.newest(open.volume)).fresh, true)
})

test('reports a fork, and every peer keeps the same branch', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  const [kept, dropped] = [await sign(5, rootOf(1)), await sign(5, rootOf(2))]
  await alice.commit(kept)
  await bob.commit(dropped)
  await connect(alice, bob)
  const listeners = [listen(alice, volume), listen(bob, volume)]
  await listeners[1]!.hears(5)
  await Promise.all([alice.exchange.newest(volume), bob.exchange.newest(volume)])
  assert.deepEqual(await alice.heads.get(volume), kept)
  assert.deepEqual(await bob.heads.get(volume), kept)
  assert.deepEqual(bob.forks, [{ kept, dropped }])
  await bob.commit(await sign(6))
  await listeners[0]!.hears(6)
})

test('does not take a forged fork for one', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  const { volume, sign } = await createOwner()
  const kept = await sign(5, rootOf(7))
  await alice.commit(kept)
  const forged = forge(await sign(5, rootOf(1)))
  const mallory = await createImpostor(network, answers([forged]))
  await alice.peer.dial(mallory.addresses()[0]!)
  listen(alice, volume)
  await alice.exchange.newest(volume)
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.deepEqual(alice.forks, [])
  assert.deepEqual(await alice.heads.get(volume), kept)
  await mallory.stop()
})

test('ends at the same head whatever order many come in at once', async () => {
  const network = createMemoryNetwork()
  const { volume, sign } = await createOwner()
  const heads: SignedHead[] = []
  for (let index = 0; index < 30; index++) heads.push(await sign(index % 3, rootOf(index)))
  for (let round = 0; round < 5; round++) {
    await using alice = await createHolder(network)
    const peers: Peer[] = []
    for (const head of heads.toSorted(() => Math.random() - 0.5)) {
      peers.push(await createImpostor(network, answers([head.bytes])))
      await alice.peer.dial(peers.at(-1)!.addresses()[0]!)
    }
    listen(alice, volume)
    await alice.exchange.newest(volume)
    assert.deepEqual(await alice.heads.get(volume), await sign(2, rootOf(2)))
    await Promise.all(peers.map(peer => peer.stop()))
  }
})

test('takes no head of a volume that it did not ask for', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  const [asked, pushed] = [await createOwner(), await createOwner()]
  const told = Promise.withResolvers<void>()
  const bodies = [[(await asked.sign(1)).bytes], [(await pushed.sign(1)).bytes]]
  const mallory = await createImpostor(network, async function* () {
    for (const body of bodies) yield { body }
    told.resolve()
  })
  await alice.peer.dial(mallory.addresses()[0]!)
  await listen(alice, asked.volume).hears(1)
  await told.promise
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.deepEqual(await alice.heads.volumes(), [asked.volume])
  await mallory.stop()
})

test('follows more volumes than one request holds', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  await connect(bob, alice)
  const owners = await Promise.all(Array.from({ length: 600 }, createOwner))
  const listeners = owners.map(({ volume }) => listen(bob, volume))
  await Promise.all(owners.map(async ({ sign }) => alice.commit(await sign(1))))
  await Promise.all(listeners.map(({ hears }) => hears(1)))
  // Fewer now, in other groups than before.
  for (const [index, { stop }] of listeners.entries()) if (index % 2 === 0) stop()
  await Promise.all(owners.map(async ({ sign }) => alice.commit(await sign(2))))
  await Promise.all(listeners.filter((_, index) => index % 2 === 1).map(({ hears }) => hears(2)))
})

test('starts and stops twice, and says nothing when stopped', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  const { volume, sign } = await createOwner()
  await alice.commit(await sign(1))
  await connect(bob, alice)
  await alice.exchange.start()
  await alice.exchange.stop()
  await alice.exchange.stop()
  assert.equal((await bob.exchange.newest(volume)).fresh, false)
  await alice.exchange.start()
  assert.equal((await bob.exchange.newest(volume)).fresh, true)
})

test.run()
