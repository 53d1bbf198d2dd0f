/** A peer is kept for as long as somebody needs it, and let go of by the last. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { KeptPeers } from '../../src/kept-peers.ts'
import type { PeerId } from '../../src/peer/index.ts'

const test = suite('kept peers')
const [self, alice, bob] = ['self', 'alice', 'bob'] as PeerId[] as [PeerId, PeerId, PeerId]

function createFixture(always: readonly PeerId[] = []): {
  readonly kept: KeptPeers
  readonly log: string[]
} {
  const log: string[] = []
  const peer = {
    id: self,
    keep: async (id: PeerId) => void log.push(`keep ${id}`),
    release: async (id: PeerId) => void log.push(`release ${id}`)
  }
  return { kept: new KeptPeers(peer, always), log }
}

test('the last one to let go releases', async () => {
  const { kept, log } = createFixture()
  await kept.hold(alice)
  await kept.hold(alice)
  await kept.hold(bob)
  await kept.letGo(alice)
  assert.deepEqual(log, ['keep alice', 'keep bob'])
  await kept.letGo(alice)
  assert.deepEqual(log, ['keep alice', 'keep bob', 'release alice'])
  await kept.letGo(alice)
  assert.equal(log.length, 3)
})

test('who was connected with on purpose, or by the options, is kept whoever lets go', async () => {
  const { kept, log } = createFixture([bob])
  await kept.hold(alice)
  await kept.holdAlways(alice)
  await kept.hold(bob)
  for (const id of [alice, alice, bob, bob]) await kept.letGo(id)
  assert.deepEqual(log, ['keep alice'])
})

test('nobody keeps himself', async () => {
  const { kept, log } = createFixture()
  await kept.hold(self)
  await kept.holdAlways(self)
  await kept.letGo(self)
  assert.deepEqual(log, [])
})

test.run()
