import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { PeerId } from '../../../src/peer/index.ts'
import { WATCHED_MAX } from '../../../src/replication/circle/circle-limits.ts'
import { Ring } from '../../../src/replication/circle/ring.ts'
import { HOLDERS_MAX } from '../../../src/replication/index.ts'
import { holderFor, peerFor } from '../fixtures.ts'

const test = suite('ring')
const holders = Array.from({ length: HOLDERS_MAX }, (_, index) => holderFor(index))

function ringOf(size: number): Ring {
  return new Ring({ holders: holders.slice(0, size) })
}

test('in a small circle everybody watches everybody', () => {
  for (const size of [1, 2, 3, WATCHED_MAX, WATCHED_MAX + 1]) {
    const ring = ringOf(size)
    assert.ok(ring.isWhole)
    for (const { peer } of holders.slice(0, size)) {
      const watched = ring.watchedBy(peer)
      assert.equal(new Set(watched).size, size - 1)
      assert.ok(!watched.includes(peer))
    }
  }
  assert.deepEqual(ringOf(0).watchedBy(peerFor(0)), [])
})

test('in a large one each watches a bounded number, is watched by them, and hears all in few hops', () => {
  for (const size of [WATCHED_MAX + 2, 50, 64, 100, 513, HOLDERS_MAX]) {
    const ring = ringOf(size)
    const watched = new Map<PeerId, PeerId[]>()
    for (const { peer } of holders.slice(0, size)) watched.set(peer, ring.watchedBy(peer))
    assert.ok(!ring.isWhole)
    for (const [peer, others] of watched) {
      assert.equal(new Set(others).size, others.length)
      assert.ok(
        others.length <= WATCHED_MAX && others.length >= WATCHED_MAX - 1,
        `${others.length}`
      )
      for (const other of others) assert.ok(watched.get(other)!.includes(peer))
    }
    assert.ok(hopsFrom(peerFor(0), watched) <= Math.ceil(Math.log2(size)) / 2, `${size}`)
  }
})

test('who is not listed has no place and watches nobody', () => {
  const ring = ringOf(40)
  assert.deepEqual(ring.watchedBy(peerFor(40)), [])
  assert.equal(ring.has(peerFor(40)), false)
  assert.equal(ring.placeOf(peerFor(40)), undefined)
  assert.equal(ring.peerAt(40), undefined)
  assert.equal(ring.peerAt(ring.placeOf(peerFor(7))!), peerFor(7))
})

/** Hops until everybody has heard. */
function hopsFrom(start: PeerId, watched: ReadonlyMap<PeerId, readonly PeerId[]>): number {
  const reached = new Set([start])
  let last = [start]
  for (let hops = 0; last.length > 0; hops++) {
    if (reached.size === watched.size) return hops
    last = last.flatMap(peer => watched.get(peer)!).filter(peer => !reached.has(peer))
    for (const peer of last) reached.add(peer)
  }
  return Infinity
}

test.run()
