/** What takes how long, on a clock moved by hand. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import type { Block } from '../../../src/blocks/block.ts'
import {
  DEADLINE_MS,
  LACK_MS,
  PATIENCE_MS,
  SHUN_MS_MIN,
  STALL_MS,
  TICK_MS
} from '../../../src/blocks/exchange/limits.ts'
import { decodeWant, encodeAnswer } from '../../../src/blocks/exchange/messages.ts'
import type { CallHandler } from '../../../src/peer/index.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import type { ManualClock } from '../../peer/manual-clock.ts'
import { Neighbourhood, collect, makeBlocks } from './exchange-fixtures.ts'

interface Context {
  clock: ManualClock
  hood: Neighbourhood
  blocks: Block[]
}

const test = suite<Context>('block exchange: time')
test.before(async context => {
  context.blocks = await makeBlocks(120, 30_000)
})
test.before.each(context => {
  context.clock = createManualClock()
  context.hood = new Neighbourhood(context.clock)
})
test.after.each(async ({ clock, hood }) => {
  const stopped = hood.stop()
  await clock.advance(1000)
  await stopped
})

/** Moves the clock until the promise settles; when that was. */
async function settledAt(clock: ManualClock, promise: Promise<unknown>): Promise<number> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  for (let step = 0; !settled; step++) {
    assert.ok(step < 100_000, 'it never settles')
    await clock.advance(10)
  }
  return clock.now()
}

const silence: CallHandler = async function* (_, { signal }) {
  await new Promise(resolve => signal.addEventListener('abort', resolve))
  yield encodeAnswer([0], { payload: [] })
}

test('others are asked once a source was silent for the stall time', async ({
  clock,
  hood,
  blocks
}) => {
  const silent = await hood.addLiar(silence)
  const [alice, bob] = [await hood.add(blocks), await hood.add()]
  await hood.introduce(bob.peer, alice.peer, silent)
  // Named sources come first, so that alice is asked only when there is a reason.
  await bob.peer.dial(alice.id)
  const reader = bob.exchange.reader({ sources: () => [silent.id] })
  const wanted = reader.get(blocks[0]!.id)
  const ms = await settledAt(clock, wanted)
  assert.deepEqual(await wanted, blocks[0]!.bytes)
  assert.ok(ms >= STALL_MS && ms <= STALL_MS + 2 * TICK_MS, `${ms} ms`)
})

test('the deadline is kept when the only source is silent', async ({ clock, hood, blocks }) => {
  const silent = await hood.addLiar(silence)
  const bob = await hood.add()
  await hood.introduce(bob.peer, silent)
  const wanted = bob.exchange.reader({ sources: () => [silent.id] }).get(blocks[0]!.id)
  const ms = await settledAt(clock, wanted)
  await assert.rejects(wanted, error => isWarrenError(error, 'EHOSTUNREACH'))
  assert.ok(ms >= DEADLINE_MS && ms <= DEADLINE_MS + 2 * TICK_MS, `${ms} ms`)
})

test('a source that is not there is waited for as long as our patience', async ({
  clock,
  hood,
  blocks
}) => {
  const bob = await hood.add()
  const gone = hood.network.createPeer({ discovery: false })
  const wanted = bob.exchange.reader({ sources: () => [gone.id] }).get(blocks[0]!.id)
  const ms = await settledAt(clock, wanted)
  await assert.rejects(wanted, error => isWarrenError(error, 'EHOSTUNREACH'))
  assert.ok(ms >= PATIENCE_MS && ms <= 3 * PATIENCE_MS, `${ms} ms`)
})

test('no one is asked again for what they lack, until a while has passed', async ({
  clock,
  hood,
  blocks
}) => {
  let asked = 0
  const ids = blocks.slice(0, 3).map(({ id }) => id)
  const poor = await hood.addLiar(async function* (request) {
    asked++
    const want = decodeWant(request)
    assert.ok(want.kind === 'blocks')
    yield encodeAnswer(
      want.ids.map(() => 0xffff_ffff),
      { payload: [] }
    )
  })
  const bob = await hood.add()
  await hood.introduce(bob.peer, poor)
  const reader = bob.exchange.reader({ sources: () => [poor.id] })
  const unreachable = (error: unknown): boolean => isWarrenError(error, 'EHOSTUNREACH')
  for (let round = 0; round < 3; round++) {
    const wanted = collect(reader.getMany(ids))
    const began = clock.now()
    assert.ok((await settledAt(clock, wanted)) - began <= TICK_MS)
    await assert.rejects(wanted, unreachable)
  }
  assert.equal(asked, 1)
  await clock.advance(LACK_MS)
  const wanted = collect(reader.getMany(ids))
  await settledAt(clock, wanted)
  await assert.rejects(wanted, unreachable)
  assert.equal(asked, 2)
})

test('a source that lied is left alone, for longer each time', async ({ clock, hood, blocks }) => {
  let asked = 0
  const liar = await hood.addLiar(async function* () {
    asked++
    yield encodeAnswer([1], { payload: [Uint8Array.of(1)] })
  })
  const bob = await hood.add()
  await hood.introduce(bob.peer, liar)
  const reader = bob.exchange.reader({ sources: () => [liar.id] })
  const ask = async (): Promise<void> => {
    const wanted = reader.get(blocks[0]!.id)
    await settledAt(clock, wanted)
    await assert.rejects(wanted, error => isWarrenError(error, 'EHOSTUNREACH'))
  }
  await ask()
  await ask()
  assert.equal(asked, 1)
  await clock.advance(SHUN_MS_MIN)
  await ask()
  assert.equal(asked, 2)
  await clock.advance(SHUN_MS_MIN)
  await ask()
  assert.equal(asked, 2)
  await clock.advance(SHUN_MS_MIN)
  await ask()
  assert.equal(asked, 3)
})

for (const bytesPerSecond of [40_000, 100_000, 1_000_000]) {
  test(`links of ${bytesPerSecond} bytes/s are used to the full, for little asked twice`, async ({
    clock,
    hood,
    blocks
  }) => {
    const [alice, carol, bob] = [await hood.add(blocks), await hood.add(blocks), await hood.add()]
    await hood.introduce(alice.peer, bob.peer, carol.peer)
    hood.network.shape(alice.id, bob.id, { bytesPerSecond, delayMs: 20 })
    hood.network.shape(carol.id, bob.id, { bytesPerSecond, delayMs: 20 })
    const reader = bob.exchange.reader({ sources: () => [alice.id, carol.id] })
    const all = collect(reader.getMany(blocks.map(({ id }) => id)))
    const ms = await settledAt(clock, all)
    assert.equal((await all).length, blocks.length)
    const bytes = blocks.length * 30_000
    const bestMs = (bytes / (2 * bytesPerSecond)) * 1000
    const carried = hood.network.bytesCarried()
    assert.ok(ms < 1.25 * bestMs, `${ms} ms, ${bestMs} at best`)
    assert.ok(carried < 1.1 * bytes, `${carried} bytes for ${bytes}`)
  })
}

test('a source that slows down loses its work to one that does not', async ({
  clock,
  hood,
  blocks
}) => {
  const [alice, carol, bob] = [await hood.add(blocks), await hood.add(blocks), await hood.add()]
  await hood.introduce(alice.peer, bob.peer, carol.peer)
  hood.network.shape(alice.id, bob.id, { bytesPerSecond: 2_000_000, delayMs: 1 })
  hood.network.shape(carol.id, bob.id, { bytesPerSecond: 2_000_000, delayMs: 1 })
  const reader = bob.exchange.reader({ sources: () => [alice.id, carol.id] })
  const all = collect(reader.getMany(blocks.map(({ id }) => id)))
  await clock.advance(300)
  hood.network.shape(alice.id, bob.id, { bytesPerSecond: 10_000, delayMs: 1 })
  const ms = await settledAt(clock, all)
  assert.ok(ms < 2500, `${ms} ms`)
})

test.run()
