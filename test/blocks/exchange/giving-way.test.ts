/** What is wanted in the background is sent after what somebody waits for. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { GivingWay } from '../../../src/blocks/exchange/giving-way.ts'
import { createManualClock } from '../../peer/manual-clock.ts'

const test = suite('giving way')

function create() {
  const clock = createManualClock()
  const way = new GivingWay(clock)
  let passed = 0
  const begin = (bytes: number, signal = new AbortController().signal): Promise<void> =>
    way.wait(bytes, signal).then(() => void passed++)
  return { way, begin, advance: (ms: number) => clock.advance(ms), passed: () => passed }
}

test('waits for nothing while nobody else is served', async () => {
  const { way, begin, advance, passed } = create()
  await begin(1_000_000)
  way.sent(1)
  await advance(100)
  await begin(1_000_000)
  assert.equal(passed(), 2)
})

test('waits until fifteen times as much was sent to others', async () => {
  const { way, begin, advance, passed } = create()
  way.sent(1)
  void begin(1000)
  for (let sent = 0; sent < 14; sent++) {
    await advance(10)
    way.sent(1000)
  }
  await advance(10)
  assert.equal(passed(), 0)
  way.sent(1000)
  await advance(10)
  assert.equal(passed(), 1)
})

test('several share what they are let through with', async () => {
  const { way, begin, advance, passed } = create()
  way.sent(1)
  for (let index = 0; index < 8; index++) void begin(1000)
  await advance(10)
  way.sent(45_000)
  await advance(10)
  assert.equal(passed(), 3)
})

test('waits no longer than a quarter of a second, however busy the others are', async () => {
  const { way, begin, advance, passed } = create()
  void begin(1_000_000)
  await advance(10)
  assert.equal(passed(), 1)
  way.sent(1)
  void begin(1_000_000)
  for (let ms = 0; ms < 240; ms += 10) {
    await advance(10)
    way.sent(1)
  }
  assert.equal(passed(), 1)
  await advance(20)
  assert.equal(passed(), 2)
})

test('ends with its signal', async () => {
  const { way, begin, advance } = create()
  const controller = new AbortController()
  way.sent(1)
  const waiting = begin(1_000_000, controller.signal)
  controller.abort(new Error('gone'))
  void advance(20)
  await assert.rejects(waiting, { message: 'gone' })
})

test.run()
