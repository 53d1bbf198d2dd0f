import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { KnownPeers } from '../../src/peer/known-peers.ts'
import { ADDRESSES_MAX, KNOWN_PEERS_MAX } from '../../src/peer/limits.ts'
import type { PeerId } from '../../src/peer/peer.ts'

const test = suite('known peers')

const BOB = 'bob' as PeerId

test('adds to what it knows', () => {
  const known = new KnownPeers()
  known.remember(BOB, ['/one'], { local: true })
  known.remember(BOB, ['/two', '/one'])
  assert.deepEqual(
    known.list(() => true),
    [{ id: BOB, addresses: ['/two', '/one'], connected: true, local: true }]
  )
  assert.deepEqual(known.addresses('carol' as PeerId), [])
})

test('forgets the oldest address beyond its limit', () => {
  const known = new KnownPeers()
  for (let index = 0; index <= ADDRESSES_MAX; index++) known.remember(BOB, [`/${index}`])
  const addresses = known.addresses(BOB)
  assert.equal(addresses.length, ADDRESSES_MAX)
  assert.equal(addresses[0], '/1')
})

test('forgets the peer not seen for longest beyond its limit', () => {
  const known = new KnownPeers()
  for (let index = 0; index < KNOWN_PEERS_MAX; index++) known.remember(`${index}` as PeerId, [])
  known.remember('0' as PeerId, [])
  known.remember(BOB, [])
  assert.equal(known.list(() => false).length, KNOWN_PEERS_MAX)
  assert.equal(known.has('0' as PeerId), true)
  assert.equal(known.has('1' as PeerId), false)
})

test.run()
