/** How much each peer may cause, in bursts and in the long run. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { PeerId } from '../../src/peer/index.ts'
import { ALLOWANCES_MAX, Allowances } from '../../src/replication/allowances.ts'

const test = suite('allowances')
const [alice, bob] = ['alice', 'bob'] as PeerId[]

test('a burst, then as much as comes back, for each peer by itself', () => {
  let now = 0
  const allowances = new Allowances({ now: () => now }, { burst: 10, perSecond: 2 })
  assert.equal(allowances.take(alice!, 11), false)
  assert.equal(allowances.take(alice!, 10), true)
  assert.equal(allowances.take(alice!, 1), false)
  assert.equal(allowances.take(bob!, 10), true)
  now += 1500
  assert.equal(allowances.take(alice!, 4), false)
  assert.equal(allowances.take(alice!, 3), true)
  now += 1e9
  assert.equal(allowances.take(alice!, 11), false)
  assert.equal(allowances.take(alice!, 10), true)
  now -= 5000
  assert.equal(allowances.take(alice!, 1), false)
})

test('remembers so many peers and forgets the one that asked longest ago', () => {
  const allowances = new Allowances({ now: () => 0 }, { burst: 1, perSecond: 0 })
  const peerOf = (index: number): PeerId => `peer ${index}` as PeerId
  for (let index = 0; index < ALLOWANCES_MAX; index++) allowances.take(peerOf(index), 1)
  assert.equal(allowances.take(peerOf(0), 1), false)
  assert.equal(allowances.take(peerOf(ALLOWANCES_MAX), 1), true)
  assert.equal(allowances.take(peerOf(0), 1), false)
  assert.equal(allowances.take(peerOf(1), 1), true)
})

test.run()
