/** Whom audits found wanting, in the record that outlives a restart. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createVolumeId } from '../../src/namespace/index.ts'
import type { VolumeId } from '../../src/namespace/index.ts'
import { publicKeyOf } from '../../src/peer/index.ts'
import { createMemoryReplicationStore } from '../../src/replication/index.ts'
import type { Distrust } from '../../src/replication/index.ts'
import { KeptDistrust } from '../../src/replication/kept-distrust.ts'
import { KeptRecord } from '../../src/replication/kept-record.ts'
import { DISTRUSTED_MAX } from '../../src/replication/replication-record.ts'
import { peerFor } from './fixtures.ts'

const test = suite('kept distrust')

const OWN: VolumeId = createVolumeId(publicKeyOf(peerFor(1)))
const OTHER: VolumeId = createVolumeId(publicKeyOf(peerFor(2)))

function lacking(number: number, sinceMs = number): Distrust {
  return { holder: peerFor(number), reason: 'lacking', sinceMs }
}

test('what is remembered is there after a restart, for each volume by itself', async () => {
  const store = createMemoryReplicationStore()
  const kept = new KeptDistrust(await KeptRecord.open(store), OWN)
  await kept.remember(OWN, [lacking(3), { ...lacking(4), reason: 'unproven' }])
  const after = new KeptDistrust(await KeptRecord.open(store), OWN)
  assert.deepEqual(
    after.of(OWN).map(({ holder, reason }) => [holder, reason]),
    [
      [peerFor(3), 'lacking'],
      [peerFor(4), 'unproven']
    ]
  )
  assert.equal(after.find(OWN, peerFor(4))?.reason, 'unproven')
  assert.equal(after.find(OTHER, peerFor(4)), undefined)
  await after.remember(OWN, [lacking(3)])
  assert.deepEqual(after.of(OWN), [{ volume: OWN, ...lacking(3) }])
})

test('nothing is remembered of volumes that are not held', async () => {
  const store = createMemoryReplicationStore()
  const kept = new KeptDistrust(await KeptRecord.open(store), OWN)
  await kept.remember(OTHER, [lacking(3)])
  assert.deepEqual(kept.of(OTHER), [])
  assert.deepEqual((await store.load()).distrusted, [])
})

test('there are never too many to be read again', async () => {
  const store = createMemoryReplicationStore()
  const kept = new KeptDistrust(await KeptRecord.open(store), OWN)
  const many = Array.from({ length: DISTRUSTED_MAX + 1 }, (_, index) => lacking(5, index))
  await kept.remember(OWN, many)
  const { distrusted } = await store.load()
  assert.equal(distrusted.length, DISTRUSTED_MAX)
  assert.equal(distrusted[0]?.sinceMs, 1)
})

test.run()
