/** A peer reads its blocks again, in an hour or a week of simulated time. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { Block, BlockId, BlockStore } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import { createScrubber } from '../../../src/replication/index.ts'
import type {
  ScrubPass,
  ScrubRecord,
  ScrubStore,
  Scrubber,
  ScrubberOptions
} from '../../../src/replication/index.ts'
import {
  SAVE_MS,
  SCRUB_PERIOD_MS,
  SCRUB_READS_AT_ONCE,
  SCRUB_RETRY_MS,
  SLICE_BYTES,
  SMALL_BLOCK_BYTES,
  START_DELAY_MS
} from '../../../src/replication/scrub/scrub-limits.ts'
import { makeBlocks } from '../../blocks/exchange/exchange-fixtures.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import type { ManualClock } from '../../peer/manual-clock.ts'

const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND

/** A store in memory some of whose blocks are damaged: listed, and never handed out. */
class DamagedStore {
  readonly inner: BlockStore = createMemoryBlockStore()
  readonly damaged = new Set<BlockId>()
  readonly read: BlockId[] = []
  failure: Error | undefined

  ids(): AsyncIterable<BlockId> {
    return this.inner.ids()
  }

  has(id: BlockId): Promise<boolean> {
    return this.inner.has(id)
  }

  async get(id: BlockId): Promise<Uint8Array | undefined> {
    if (this.failure !== undefined) throw this.failure
    this.read.push(id)
    return this.damaged.has(id) ? undefined : this.inner.get(id)
  }
}

class MemoryScrubStore implements ScrubStore {
  record: ScrubRecord | undefined
  saves = 0

  async load(): Promise<ScrubRecord | undefined> {
    return this.record
  }

  async save(record: ScrubRecord): Promise<void> {
    this.record = record
    this.saves++
  }
}

interface Context {
  clock: ManualClock
  store: DamagedStore
  places: MemoryScrubStore
  blocks: Block[]
  told: BlockId[]
  passes: ScrubPass[]
  scrubber: Scrubber
  make(options?: ScrubberOptions): Scrubber
}

const test = suite<Context>('scrubber')

test.before.each(async context => {
  const clock = createManualClock()
  const store = new DamagedStore()
  const places = new MemoryScrubStore()
  const told: BlockId[] = []
  const passes: ScrubPass[] = []
  const blocks = await makeBlocks(100, SMALL_BLOCK_BYTES)
  await store.inner.putMany(blocks)
  const make = (options?: ScrubberOptions): Scrubber => {
    const onDamaged = (ids: readonly BlockId[]): void => void told.push(...ids)
    const made = createScrubber({ store, clock, onDamaged, scrubStore: places }, options)
    made.events.addEventListener('pass', ({ detail }) => passes.push(detail))
    context.scrubber = made
    return made
  }
  Object.assign(context, { clock, store, places, blocks, told, passes, make })
})
test.after.each(({ scrubber }) => scrubber?.stop())

test('finds what is damaged, and tells it once a pass', async context => {
  const { clock, store, blocks, told, passes } = context
  const bad = [blocks[3]!.id, blocks[77]!.id]
  for (const id of bad) store.damaged.add(id)
  const scrubber = context.make()
  const events: BlockId[] = []
  scrubber.events.addEventListener('damaged', ({ detail }) => events.push(...detail.ids))
  scrubber.start()
  scrubber.start()
  await clock.advance(DAY)
  assert.deepEqual(told, bad)
  assert.deepEqual(events, bad)
  const bytes = 98 * SMALL_BLOCK_BYTES
  assert.deepEqual(passes, [
    { beganMs: START_DELAY_MS, blocks: 100, bytes, damaged: 2, unreadable: 0 }
  ])
  assert.equal(scrubber.pass, undefined)
  store.damaged.clear()
  await clock.advance(SCRUB_PERIOD_MS)
  assert.equal(passes.length, 2)
  assert.equal(store.read.length, 200)
  assert.equal(told.length, 2)
})

test('keeps to its rate, whatever the size of blocks', async context => {
  const { clock, store } = context
  await store.inner.putMany(await makeBlocks(1000, 64, 2))
  const bytesPerSecond = 100 * SMALL_BLOCK_BYTES
  context.make({ bytesPerSecond }).start()
  await clock.advance(START_DELAY_MS)
  const slack = Math.min(SLICE_BYTES, bytesPerSecond / 2) / SMALL_BLOCK_BYTES + SCRUB_READS_AT_ONCE
  for (let second = 1; second <= 10; second++) {
    await clock.advance(SECOND)
    const most = 100 * second
    assert.ok(store.read.length <= most + slack, `${store.read.length} after ${second} s`)
    assert.ok(store.read.length >= most - slack, `${store.read.length} after ${second} s`)
  }
})

test('nothing is made up for after the machine slept', async context => {
  const { clock, store } = context
  context.make({ bytesPerSecond: 10 * SMALL_BLOCK_BYTES }).start()
  await clock.advance(START_DELAY_MS + SECOND)
  const scrubber = context.scrubber
  scrubber.pause()
  assert.ok(scrubber.paused)
  await clock.advance(DAY)
  const before = store.read.length
  assert.ok(before <= 16, `${before} blocks`)
  scrubber.resume()
  scrubber.resume()
  await clock.advance(SECOND)
  assert.ok(store.read.length > before && store.read.length <= before + 16)
})

test('goes on after a restart where it was', async context => {
  const { clock, store, blocks, places, passes } = context
  const options = { bytesPerSecond: 10 * SMALL_BLOCK_BYTES }
  context.make(options).start()
  await clock.advance(START_DELAY_MS + 4 * SECOND)
  await context.scrubber.stop()
  await context.scrubber.stop()
  const before = store.read.length
  assert.ok(before > 30 && before < 50, `${before} blocks`)
  assert.equal(places.record?.listed, before)
  await clock.advance(DAY)
  assert.equal(store.read.length, before)
  context.make(options).start()
  await clock.advance(DAY)
  assert.deepEqual(
    store.read,
    blocks.map(({ id }) => id)
  )
  assert.deepEqual([passes.length, passes[0]?.blocks], [1, 100 - before])
  await context.scrubber.stop()
  context.make(options).start()
  await clock.advance(4 * DAY)
  assert.equal(store.read.length, 100, 'a pass that ended is not begun again before its time')
  await clock.advance(2 * DAY)
  assert.equal(store.read.length, 200)
})

test('the place is saved now and then, and may be lost', async context => {
  const { clock, store, places } = context
  context.make({ bytesPerSecond: SMALL_BLOCK_BYTES / 60 }).start()
  await clock.advance(START_DELAY_MS + 4 * SAVE_MS)
  assert.ok(places.saves >= 2 && places.saves <= 5, `${places.saves} times`)
  places.load = () => Promise.reject(new Error('no disk'))
  places.save = () => Promise.reject(new Error('no disk'))
  await context.scrubber.stop()
  store.read.length = 0
  context.make().start()
  await clock.advance(DAY)
  assert.equal(store.read.length, 100)
})

test('what cannot be read just now is not damaged', async context => {
  const { clock, store, told, passes } = context
  store.failure = new WarrenError('EIO')
  context.make().start()
  await clock.advance(DAY)
  assert.deepEqual([told, passes[0]?.unreadable], [[], 100])
})

test('what is removed meanwhile is not damaged, and a list that fails is begun again', async context => {
  const { clock, store, blocks, told, passes } = context
  let lists = 0
  store.ids = async function* () {
    lists++
    for (const { id } of blocks) {
      if (lists === 1 && id === blocks[52]!.id) throw new WarrenError('EIO')
      yield id
    }
  }
  await store.inner.deleteMany([blocks[60]!.id])
  context.make().start()
  await clock.advance(START_DELAY_MS + SECOND)
  assert.equal(store.read.length, 52)
  await clock.advance(SCRUB_RETRY_MS + 10 * SECOND)
  assert.deepEqual([lists, store.read.length, told, passes.length], [2, 99, [], 1])
})

test('nonsense is refused', () => {
  const components = { store: new DamagedStore(), clock: createManualClock(), onDamaged() {} }
  for (const bytesPerSecond of [0, -1, Number.NaN]) {
    assert.throws(() => createScrubber(components, { bytesPerSecond }), TypeError)
  }
  assert.throws(() => createScrubber(components, { periodMs: 0 }), TypeError)
})

test.run()
