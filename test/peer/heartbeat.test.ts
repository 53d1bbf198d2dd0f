import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../src/errors.ts'
import { Heartbeat } from '../../src/peer/heartbeat.ts'
import { HEARTBEATS_MISSED_MAX, HEARTBEAT_MS } from '../../src/peer/limits.ts'
import type { PeerId } from '../../src/peer/peer.ts'
import { createManualClock } from './manual-clock.ts'
import type { ManualClock } from './manual-clock.ts'

const test = suite('heartbeat')

const BOB = 'bob' as PeerId

interface Fixture {
  readonly clock: ManualClock
  readonly heartbeat: Heartbeat
  asked: number
  gaveUp: number
  answer: () => Promise<void>
}

function setUp(): Fixture {
  const clock = createManualClock()
  const fixture: Fixture = {
    clock,
    asked: 0,
    gaveUp: 0,
    answer: async () => {},
    heartbeat: new Heartbeat({
      clock,
      connected: () => [BOB],
      ask: () => {
        fixture.asked++
        return fixture.answer()
      },
      giveUp: () => fixture.gaveUp++
    })
  }
  fixture.heartbeat.start()
  return fixture
}

const silence = async (): Promise<void> => {
  throw new WarrenError('ETIMEDOUT')
}

test('asks an idle peer, and leaves one alone that was heard', async () => {
  const fixture = setUp()
  await fixture.clock.advance(HEARTBEAT_MS)
  assert.equal(fixture.asked, 1)
  fixture.heartbeat.heard(BOB)
  await fixture.clock.advance(HEARTBEAT_MS)
  assert.equal(fixture.asked, 1)
  await fixture.clock.advance(HEARTBEAT_MS)
  assert.equal(fixture.asked, 2)
  fixture.heartbeat.stop()
})

test('gives up when its limit was missed in a row, not before', async () => {
  const fixture = setUp()
  fixture.answer = silence
  await fixture.clock.advance(HEARTBEAT_MS * (HEARTBEATS_MISSED_MAX - 1))
  fixture.answer = async () => {}
  await fixture.clock.advance(HEARTBEAT_MS)
  fixture.answer = silence
  await fixture.clock.advance(HEARTBEAT_MS * (HEARTBEATS_MISSED_MAX - 1))
  assert.equal(fixture.gaveUp, 0)
  await fixture.clock.advance(HEARTBEAT_MS)
  assert.equal(fixture.gaveUp, 1)
  fixture.heartbeat.stop()
})

test('takes a refusal for a sign of life', async () => {
  const fixture = setUp()
  fixture.answer = async () => {
    throw new WarrenError('ENOTSUP')
  }
  await fixture.clock.advance(HEARTBEAT_MS * 10)
  assert.equal(fixture.gaveUp, 0)
  fixture.heartbeat.stop()
})

test('asks nobody when it is stopped', async () => {
  const fixture = setUp()
  fixture.heartbeat.stop()
  await fixture.clock.advance(HEARTBEAT_MS * 10)
  assert.equal(fixture.asked, 0)
})

test.run()
