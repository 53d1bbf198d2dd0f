import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createMemoryNetwork } from '../../../src/peer/index.ts'
import type { CallHandler } from '../../../src/peer/index.ts'
import {
  HEADS_PROTOCOL,
  OFFERS_MAX,
  OFFERS_PER_MESSAGE_MAX,
  encodeOffers
} from '../../../src/namespace/heads/head-messages.ts'
import type { Offer } from '../../../src/namespace/heads/head-messages.ts'
import { createHolder, connect } from './exchange-fixtures.ts'
import { createOwner } from './fixtures.ts'

const test = suite('offers')
const { volume } = await createOwner()

function offersNamed(count: number, start = 0): Offer[] {
  return Array.from({ length: count }, (_, index) => ({
    volume,
    name: `share ${start + index}`,
    path: '/'
  }))
}

test('are what the other peer shows, however many', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  await using bob = await createHolder(network)
  await connect(bob, alice)
  for (const count of [0, 1, OFFERS_PER_MESSAGE_MAX + 1, OFFERS_MAX]) {
    alice.offers.splice(0, OFFERS_MAX, ...offersNamed(count))
    assert.deepEqual(await bob.exchange.offersOf(alice.peer.id), alice.offers)
  }
  alice.offers.push(...offersNamed(1, OFFERS_MAX))
  assert.deepEqual(await bob.exchange.offersOf(alice.peer.id), offersNamed(OFFERS_MAX))
})

test('fail with a code when the peer lies, floods or is away', async () => {
  const network = createMemoryNetwork()
  await using alice = await createHolder(network)
  const liars: CallHandler[] = [
    async function* () {
      for (let start = 0; ; start += 128) yield encodeOffers(offersNamed(128, start))
    },
    async function* () {
      for (;;) yield encodeOffers([])
    },
    async function* () {
      yield encodeOffers(offersNamed(1))
      yield encodeOffers(offersNamed(1))
    },
    async function* () {
      yield { body: [{ volume: 'none', name: '../x', path: '' }] }
    }
  ]
  for (const liar of liars) {
    const mallory = network.createPeer()
    mallory.serve(HEADS_PROTOCOL, liar)
    await mallory.start()
    await alice.peer.dial(mallory.addresses()[0]!)
    await assert.rejects(alice.exchange.offersOf(mallory.id), { code: 'EPROTO' })
    await mallory.stop()
  }
  const stranger = network.createPeer()
  await assert.rejects(alice.exchange.offersOf(stranger.id), { code: 'EHOSTUNREACH' })
  await assert.rejects(alice.exchange.offersOf(stranger.id, { signal: AbortSignal.abort() }), {
    name: 'AbortError'
  })
})

test.run()
