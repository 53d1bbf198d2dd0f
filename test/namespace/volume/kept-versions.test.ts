import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId } from '../../../src/blocks/index.ts'
import {
  KeptVersions,
  RETENTION_VERSIONS_MAX,
  VERSIONS_MAX
} from '../../../src/namespace/volume/kept-versions.ts'
import type { RetentionOptions } from '../../../src/namespace/volume/kept-versions.ts'
import { createMemoryVersionStore } from '../../../src/namespace/volume/version-store.ts'
import type { Version, VersionStore } from '../../../src/namespace/volume/version-store.ts'
import type { VolumeId } from '../../../src/namespace/heads/head.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import type { ManualClock } from '../../peer/manual-clock.ts'

const test = suite('kept versions')
const volume = 'k51-alice' as VolumeId

test('a version stays for a time after it was superseded, and not after it was made', async () => {
  const { kept, clock, add } = await createKept({ retentionMs: 1_000 })
  await add(1)
  await clock.advance(10_000)
  await add(2)
  assert.deepEqual(sequences(kept), [1])
  await clock.advance(999)
  assert.deepEqual(sequences(kept), [1])
  await clock.advance(1)
  assert.deepEqual(sequences(kept), [])
})

test('without retention nothing stays, and nothing is ever saved', async () => {
  const store = createMemoryVersionStore()
  let saves = 0
  const counting: VersionStore = {
    load: id => store.load(id),
    save: async (id, versions) => {
      saves++
      await store.save(id, versions)
    }
  }
  const { kept, clock, add } = await createKept({ retentionMs: 0 }, { store: counting })
  for (let sequence = 1; sequence <= 5; sequence++) await add(sequence)
  await clock.advance(10_000)
  await kept.save()
  assert.deepEqual(sequences(kept), [])
  assert.equal(saves, 0)
})

test('the last versions stay however old they are', async () => {
  const { kept, clock, add } = await createKept({ retentionMs: 0, retentionVersions: 3 })
  for (let sequence = 1; sequence <= 10; sequence++) {
    await add(sequence)
    await clock.advance(1_000_000)
  }
  assert.deepEqual(sequences(kept), [7, 8, 9])
})

test('what is kept is kept after a restart, for as long as it would have been', async () => {
  const parts = { store: createMemoryVersionStore(), clock: createManualClock() }
  const first = await createKept({ retentionMs: 5_000 }, parts)
  for (let sequence = 1; sequence <= 4; sequence++) {
    await first.add(sequence)
    await parts.clock.advance(1_000)
  }
  await first.kept.save()
  const again = await createKept({ retentionMs: 5_000 }, { ...parts, newest: first.newest })
  assert.deepEqual(sequences(again.kept), [1, 2, 3])
  await parts.clock.advance(2_000)
  assert.deepEqual(sequences(again.kept), [2, 3])
  await again.add(5)
  assert.deepEqual(sequences(again.kept), [2, 3, 4])
  await again.kept.save()
})

test('it saves by itself, and a crash before costs only the last moments', async () => {
  const parts = { store: createMemoryVersionStore(), clock: createManualClock() }
  const first = await createKept({}, parts)
  await first.add(1)
  await first.add(2)
  await parts.clock.advance(2_000)
  await first.add(3)
  await first.add(4)
  const again = await createKept({}, { ...parts, newest: first.newest })
  assert.deepEqual(sequences(again.kept), [1, 2])
})

test('a version whose head was lost by a crash does not outlive it', async () => {
  const parts = { store: createMemoryVersionStore(), clock: createManualClock() }
  await parts.store.save(volume, [version(1, 0), version(2, 0), version(9, 0)])
  const { kept } = await createKept({}, { ...parts, newest: version(3, 0) })
  assert.deepEqual(sequences(kept), [1, 2])
})

test('a store that fails is tried again, and fails nobody', async () => {
  const store = createMemoryVersionStore()
  let isFull = true
  const failing: VersionStore = {
    load: id => store.load(id),
    save: (id, versions) =>
      isFull ? Promise.reject(new Error('the disk is full')) : store.save(id, versions)
  }
  const { kept, clock, add } = await createKept({}, { store: failing })
  await add(1)
  await add(2)
  await clock.advance(2_000)
  assert.deepEqual(await store.load(volume), [])
  isFull = false
  await kept.save()
  assert.deepEqual(
    (await store.load(volume)).map(({ sequence }) => sequence),
    [1, 2]
  )
})

test('a version can be given up, the newest can not', async () => {
  const { kept, add } = await createKept({})
  for (let sequence = 1; sequence <= 3; sequence++) await add(sequence)
  kept.forget(rootOf(1))
  kept.forget(rootOf(3))
  assert.deepEqual(sequences(kept), [2])
  await add(4)
  assert.deepEqual(sequences(kept), [2, 3])
})

test('of too many versions the older ones are thinned out, and the last ones are not', async () => {
  let now = 0
  const clock = { now: () => now, after: () => () => {} }
  const options = { retentionMs: 1e12, retentionVersions: RETENTION_VERSIONS_MAX }
  const kept = new KeptVersions({ volume, clock }, options)
  const count = 50_000
  for (let sequence = 1; sequence <= count; sequence++) {
    now += 1_000
    kept.add(version(sequence, now))
  }
  const left = sequences(kept)
  assert.ok(left.length <= VERSIONS_MAX, `${left.length} are left`)
  assert.equal(left[0], 1, 'the oldest is there')
  const last = Array.from({ length: RETENTION_VERSIONS_MAX }, (_, index) => count - 1 - index)
  assert.deepEqual(left.slice(-RETENTION_VERSIONS_MAX).reverse(), last)
  for (const [index, sequence] of left.slice(1).entries()) {
    const age = count - sequence
    assert.ok(sequence - left[index]! <= age / 50 + 1, `${left[index]}, then ${sequence}`)
  }
})

test.run()

interface Parts {
  readonly store: VersionStore
  readonly clock: ManualClock
  readonly newest: Version | undefined
}

async function createKept(
  options: RetentionOptions,
  parts: Partial<Parts> = {}
): Promise<{
  kept: KeptVersions
  clock: ManualClock
  newest: Version | undefined
  add: (sequence: number) => Promise<void>
}> {
  const clock = parts.clock ?? createManualClock()
  const kept = new KeptVersions({ volume, clock, store: parts.store }, options)
  await kept.load(parts.newest)
  const fixture = {
    kept,
    clock,
    newest: parts.newest,
    add: async (sequence: number) => {
      fixture.newest = version(sequence, clock.now())
      kept.add(fixture.newest)
    }
  }
  return fixture
}

function version(sequence: number, timeMs: number): Version {
  return { sequence, root: rootOf(sequence), timeMs }
}

function rootOf(sequence: number): BlockId {
  return `root-${sequence}` as BlockId
}

function sequences(kept: KeptVersions): number[] {
  return kept.superseded().map(({ sequence }) => sequence)
}
