import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { PeerId } from '../../src/peer/peer.ts'
import { Redial } from '../../src/peer/redial.ts'
import { createManualClock } from './manual-clock.ts'
import type { ManualClock } from './manual-clock.ts'

const test = suite('redial')

const BOB = 'bob' as PeerId

interface Fixture {
  readonly clock: ManualClock
  readonly redial: Redial
  /** When each dial happened. */
  readonly dials: number[]
  reachable: boolean
  connected: boolean
}

function setUp(random = 0.999_999): Fixture {
  const clock = createManualClock()
  const fixture: Fixture = {
    clock,
    dials: [],
    reachable: false,
    connected: false,
    redial: new Redial({
      clock,
      random: () => random,
      isConnected: () => fixture.connected,
      dial: async () => {
        fixture.dials.push(Math.round(clock.now() / 1000))
        if (!fixture.reachable) throw new Error('away')
        fixture.connected = true
      }
    })
  }
  return fixture
}

test('dials at once, then with pauses that double up to a minute', async () => {
  const { clock, redial, dials } = setUp()
  redial.start()
  redial.keep(BOB)
  await clock.advance(250_000)
  assert.deepEqual(dials, [0, 2, 6, 14, 30, 62, 122, 182, 242])
})

test('spreads its pauses', async () => {
  const { clock, redial, dials } = setUp(0)
  redial.start()
  redial.keep(BOB)
  await clock.advance(20_000)
  assert.deepEqual(dials, [0, 1, 3, 7, 15])
})

test('dials soon after a connection was lost, and not while there is one', async () => {
  const fixture = setUp()
  const { clock, redial, dials } = fixture
  fixture.reachable = true
  redial.start()
  redial.keep(BOB)
  await clock.advance(100_000)
  assert.deepEqual(dials, [0])
  fixture.connected = false
  redial.disconnected(BOB)
  await clock.advance(100_000)
  assert.deepEqual(dials, [0, 101])
})

test('starts from short pauses again after it has been connected', async () => {
  const fixture = setUp()
  const { clock, redial, dials } = fixture
  redial.start()
  redial.keep(BOB)
  await clock.advance(20_000)
  fixture.reachable = true
  await clock.advance(20_000)
  assert.deepEqual(dials, [0, 2, 6, 14, 30])
  fixture.reachable = false
  fixture.connected = false
  redial.disconnected(BOB)
  await clock.advance(5_000)
  assert.deepEqual(dials.slice(5), [41, 43])
})

test('dials nobody it was not told to keep, or that was released', async () => {
  const { clock, redial, dials } = setUp()
  redial.start()
  redial.disconnected(BOB)
  redial.keep(BOB)
  redial.keep(BOB)
  await clock.advance(3_000)
  assert.deepEqual(dials, [0, 2])
  redial.release(BOB)
  await clock.advance(100_000)
  assert.deepEqual(dials, [0, 2])
})

test('rests while it is stopped, and remembers', async () => {
  const { clock, redial, dials } = setUp()
  redial.keep(BOB)
  await clock.advance(10_000)
  assert.deepEqual(dials, [])
  redial.start()
  await clock.advance(1_000)
  redial.stop()
  await clock.advance(100_000)
  assert.deepEqual(dials, [10])
  redial.start()
  await clock.advance(0)
  assert.deepEqual(dials, [10, 111])
})

test.run()
