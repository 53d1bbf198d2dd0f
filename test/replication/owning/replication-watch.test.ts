/** What apps are told of the copies of their volume, and how long it will take. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { SignedHead } from '../../../src/namespace/index.ts'
import { Changes } from '../../../src/replication/changes.ts'
import { ReplicationWatch } from '../../../src/replication/owning/replication-watch.ts'
import { SignedList } from '../../../src/replication/owning/signed-list.ts'
import type { OwnedVolume } from '../../../src/replication/owning/owned-volume.ts'
import { createListOwner, holderFor, peerFor } from '../fixtures.ts'
import { ToldCircle } from './fixtures.ts'

const test = suite('watching the copies')

async function create() {
  const owner = await createListOwner()
  const circle = new ToldCircle(owner.volume)
  const list = new SignedList({ key: owner.key, owner: peerFor(0), zone: () => '', circle })
  const own: { head: SignedHead | undefined } = { head: headFor(1) }
  const told: string[] = []
  const time = { now: 0 }
  const watch = new ReplicationWatch({
    self: peerFor(0),
    clock: { now: () => time.now, after: () => () => {} },
    own,
    owned: { circle, list, changes: new Changes() } as unknown as OwnedVolume,
    on: {
      underReplicated: holders => told.push(`under ${holders}`),
      replicated: version => told.push(`replicated ${version}`),
      full: peer => told.push(`full ${peer === peerFor(1)}`)
    }
  })
  return { circle, list, own, told, time, watch }
}

function headFor(sequence: number): SignedHead {
  return { sequence } as SignedHead
}

test('each version is told once when all have it, and again after somebody was lost', async () => {
  const { circle, list, own, told, watch } = await create()
  await list.change(async fields => ({
    ...fields,
    policy: { replicas: 2, minimum: 1, on: [] },
    holders: [holderFor(1), holderFor(2)]
  }))
  assert.deepEqual(told, [])
  circle.say(peerFor(1))
  circle.say(peerFor(2), { holds: 0 })
  assert.deepEqual(told, [])
  circle.say(peerFor(2))
  circle.say(peerFor(2), { usedBytes: 7 })
  assert.deepEqual(told.splice(0), ['replicated 1'])
  own.head = headFor(2)
  watch.committed()
  circle.say(peerFor(1), { holds: 2 })
  assert.deepEqual(told, [])
  circle.say(peerFor(2), { holds: 2 })
  assert.deepEqual(told.splice(0), ['replicated 2'])

  circle.see(peerFor(2), 'absent')
  assert.deepEqual(told, [])
  circle.see(peerFor(2), 'gone')
  assert.deepEqual(told.splice(0), ['under 2'])
  circle.say(peerFor(1), { holds: 2 })
  assert.deepEqual(told, [])
  circle.say(peerFor(1), { holds: 2, gone: [peerFor(2)] })
  assert.deepEqual(told.splice(0), ['replicated 2'])
  circle.see(peerFor(1), 'gone')
  assert.deepEqual(told.splice(0), ['under 1'])
})

test('a holder without room is told once each time', async () => {
  const { circle, list, told } = await create()
  await list.change(async fields => ({
    ...fields,
    policy: { replicas: 2, minimum: 1, on: [] },
    holders: [holderFor(1)]
  }))
  circle.say(peerFor(1), { progress: 'full', holds: 0 })
  circle.say(peerFor(1), { progress: 'full', holds: 0, usedBytes: 1 })
  assert.deepEqual(told.splice(0), ['full true', 'under 2'])
  circle.say(peerFor(1))
  assert.deepEqual(told.splice(0), ['replicated 1'])
  circle.say(peerFor(1), { progress: 'full', holds: 0 })
  assert.deepEqual(told.splice(0), ['full true', 'under 2'])
})

test('how long it takes is told by how fast it went in the last minute', async () => {
  const { circle, list, time, watch } = await create()
  await list.change(async fields => ({ ...fields, holders: [holderFor(1), holderFor(2)] }))
  assert.deepEqual(watch.repairing(), { blocks: 0 })
  circle.say(peerFor(1), { missingBlocks: 1_000 })
  assert.deepEqual(watch.repairing(), { blocks: 1_000 })
  time.now = 10_000
  circle.say(peerFor(1), { missingBlocks: 900 })
  circle.say(peerFor(2), { missingBlocks: 50 })
  assert.deepEqual(watch.repairing(), { blocks: 950, estimatedMs: 90_000 })
  // A new version is more to do, and no blocks lost again.
  time.now = 20_000
  circle.say(peerFor(1), { missingBlocks: 2_000 })
  assert.deepEqual(watch.repairing(), { blocks: 2_050, estimatedMs: 400_000 })
  time.now = 200_000
  assert.deepEqual(watch.repairing(), { blocks: 2_050 })
})

test.run()
