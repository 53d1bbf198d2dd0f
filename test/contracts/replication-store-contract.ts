/** The suite every replication store passes. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createVolumeId } from '../../src/namespace/index.ts'
import type { ReplicationRecord, ReplicationStore } from '../../src/replication/index.ts'
import { blockFor, digestFor, peerFor } from '../replication/fixtures.ts'

export interface ReplicationStoreFixture {
  /** A new, empty store. */
  create(): Promise<ReplicationStore>
  /** Opens the store last created again. Absent for stores that forget. */
  readonly reopen?: () => Promise<ReplicationStore>
  destroy?(): Promise<void>
}

const EMPTY: ReplicationRecord = {
  pledge: { bytes: 0, zone: '', to: [] },
  held: [],
  invitations: [],
  distrusted: []
}

/** With something in every field. */
export function recordFor(bytes: number): ReplicationRecord {
  const held = {
    volume: createVolumeId(digestFor('volume')),
    owner: peerFor(2),
    addresses: [`/ip4/127.0.0.1/tcp/1/p2p/${peerFor(2)}`],
    pledgeBytes: bytes,
    zone: '',
    leaving: true
  }
  return {
    pledge: { bytes, zone: 'the attic', to: [peerFor(1), peerFor(2)] },
    held: [
      { ...held, holds: { sequence: 7, root: blockFor(1) } },
      { ...held, volume: createVolumeId(digestFor('other volume')), leaving: false }
    ],
    invitations: [{ token: 'abcdefghijklmnopqrstuvwx27', untilMs: 1_800_000_000_000 }],
    distrusted: [
      { volume: held.volume, holder: peerFor(3), reason: 'lacking', sinceMs: 1_700_000_000_000 },
      { volume: held.volume, holder: peerFor(4), reason: 'unproven', sinceMs: 0 }
    ]
  }
}

export function testReplicationStore(name: string, fixture: ReplicationStoreFixture): void {
  const test = suite<{ store: ReplicationStore }>(`replication store: ${name}`)
  test.before.each(async context => {
    context.store = await fixture.create()
  })
  test.after.each(() => fixture.destroy?.())

  test('has nothing at first', async ({ store }) => {
    assert.deepEqual(await store.load(), EMPTY)
  })

  test('gives what was saved last, every field of it', async ({ store }) => {
    await store.save(recordFor(1))
    await store.save(recordFor(2 ** 40))
    assert.deepEqual(await store.load(), recordFor(2 ** 40))
    await store.save(EMPTY)
    assert.deepEqual(await store.load(), EMPTY)
  })

  test('of several at once the last one called stays', async ({ store }) => {
    const all = Array.from({ length: 20 }, (_, index) => store.save(recordFor(index)))
    await Promise.all(all)
    assert.deepEqual(await store.load(), recordFor(19))
  })

  test('keeps what was saved, and not what became of it afterwards', async ({ store }) => {
    const to = [peerFor(1)]
    await store.save({ ...EMPTY, pledge: { bytes: 1, zone: '', to } })
    to.push(peerFor(2))
    assert.deepEqual((await store.load()).pledge.to, [peerFor(1)])
  })

  const { reopen } = fixture
  if (reopen !== undefined) {
    test('has everything after it was opened again', async ({ store }) => {
      await store.save(recordFor(3))
      assert.deepEqual(await (await reopen()).load(), recordFor(3))
    })
  }

  test.run()
}
