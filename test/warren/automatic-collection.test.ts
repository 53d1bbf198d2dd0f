import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { AutomaticCollection } from '../../src/automatic-collection.ts'
import type { CollectOptions } from '../../src/blocks/index.ts'
import { createManualClock } from '../peer/manual-clock.ts'
import type { ManualClock } from '../peer/manual-clock.ts'

const test = suite('automatic collection')
const MIB = 2 ** 20
const HOUR_MS = 3_600_000

test('runs within seconds after much was written, in the background', async () => {
  const { collection, clock, store, runs } = createFixture()
  collection.start()
  store.writtenBytes += 64 * MIB
  await clock.advance(20_000)
  assert.equal(runs.length, 0)
  store.writtenBytes++
  await clock.advance(20_000)
  assert.equal(runs.length, 1)
  assert.ok(runs[0]!.restMs! > 0)
  await clock.advance(20_000)
  assert.equal(runs.length, 1, 'it was written before the run')
  await collection.stop()
})

test('much is a share of what is stored', async () => {
  const { collection, clock, store, runs } = createFixture()
  collection.start()
  store.bytes = 10_000 * MIB
  store.writtenBytes += 1_000 * MIB
  await clock.advance(20_000)
  assert.equal(runs.length, 0)
  store.writtenBytes += MIB
  await clock.advance(20_000)
  assert.equal(runs.length, 1)
  await collection.stop()
})

test('runs each hour while there may be garbage, and once more', async () => {
  const { collection, clock, store, runs } = createFixture()
  collection.start()
  await clock.advance(HOUR_MS - 1)
  assert.equal(runs.length, 0)
  await clock.advance(10_000)
  assert.equal(runs.length, 1, 'the process before may have left some')
  await clock.advance(5 * HOUR_MS)
  assert.equal(runs.length, 1, 'nothing happened')
  store.writtenBytes++
  await clock.advance(5 * HOUR_MS)
  assert.equal(runs.length, 3, 'what was replaced had to be kept at first')
  collection.expect()
  await clock.advance(5 * HOUR_MS)
  assert.equal(runs.length, 4)
  await collection.stop()
})

test('runs each hour while time alone makes garbage', async () => {
  const { collection, clock, state, runs } = createFixture()
  state.expires = true
  collection.start()
  await clock.advance(3 * HOUR_MS + 30_000)
  assert.equal(runs.length, 3)
  state.expires = false
  await clock.advance(5 * HOUR_MS)
  assert.equal(runs.length, 4)
  await collection.stop()
})

test('switched off it does nothing that was not asked for', async () => {
  const { collection, clock, store, runs } = createFixture({ intervalMs: 0 })
  collection.start()
  store.writtenBytes += 1_000 * MIB
  await clock.advance(5 * HOUR_MS)
  assert.equal(await collection.makeRoom(), false)
  assert.equal(runs.length, 0)
  assert.deepEqual(await collection.collect({}), { blocks: 0, bytes: 0 })
  await collection.stop()
})

test('who asks for a run does not wait for one in the background', async () => {
  const { collection, clock, store, runs, state } = createFixture()
  state.waits = true
  collection.start()
  store.writtenBytes += 100 * MIB
  await clock.advance(20_000)
  assert.equal(runs.length, 1)
  state.waits = false
  await collection.collect({})
  assert.equal(runs.length, 2)
  assert.ok(runs[0]!.signal!.aborted)
  assert.equal(runs[1]!.restMs, undefined)
  await collection.stop()
})

test('a run that fails is made again', async () => {
  const { collection, clock, state, runs } = createFixture()
  state.fails = true
  collection.start()
  await clock.advance(HOUR_MS + 10_000)
  state.fails = false
  await clock.advance(3 * HOUR_MS)
  assert.equal(runs.length, 2)
  await collection.stop()
})

test('stopping ends what runs, and what comes after', async () => {
  const { collection, clock, store, runs, state } = createFixture()
  state.waits = true
  collection.start()
  store.writtenBytes += 100 * MIB
  await clock.advance(20_000)
  await collection.stop()
  await collection.stop()
  assert.ok(runs[0]!.signal!.aborted)
  store.writtenBytes += 100 * MIB
  await clock.advance(2 * HOUR_MS)
  assert.equal(await collection.makeRoom(), false)
  assert.equal(runs.length, 1)
})

test('makes room at once and for all who want it, and pauses when there is none to make', async () => {
  const { collection, clock, runs, state } = createFixture()
  state.freed = 1_000
  const all = await Promise.all(Array.from({ length: 5 }, () => collection.makeRoom()))
  assert.deepEqual(all, [true, true, true, true, true])
  assert.equal(runs.length, 1)
  state.freed = 0
  assert.equal(await collection.makeRoom(), false)
  assert.equal(await collection.makeRoom(), false)
  assert.equal(runs.length, 2)
  await clock.advance(10_000)
  state.fails = true
  assert.equal(await collection.makeRoom(), false)
  assert.equal(runs.length, 3)
  await collection.stop()
})

test.run()

interface Fixture {
  readonly collection: AutomaticCollection
  readonly clock: ManualClock
  readonly store: { writtenBytes: number; bytes: number }
  readonly state: { expires: boolean; waits: boolean; fails: boolean; freed: number }
  readonly runs: CollectOptions[]
}

function createFixture(options: { readonly intervalMs?: number } = {}): Fixture {
  const clock = createManualClock()
  const state = { expires: false, waits: false, fails: false, freed: 0 }
  const runs: CollectOptions[] = []
  const store = {
    writtenBytes: 0,
    bytes: 0,
    usage: () => ({ blocks: 0, bytes: store.bytes })
  }
  const collect = async (run: CollectOptions): Promise<{ blocks: number; bytes: number }> => {
    runs.push(run)
    if (state.fails) throw new Error('it cannot')
    if (state.waits) {
      await new Promise((_, reject) =>
        run.signal!.addEventListener('abort', () => reject(run.signal!.reason as Error))
      )
    }
    return { blocks: state.freed > 0 ? 1 : 0, bytes: state.freed }
  }
  const components = { collect, store, clock, expires: () => state.expires }
  return { collection: new AutomaticCollection(components, options), clock, store, state, runs }
}
