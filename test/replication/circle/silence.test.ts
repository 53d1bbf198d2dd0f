/** A clock that jumps, a machine that sleeps, and those who are really gone. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { PeerId } from '../../../src/peer/index.ts'
import {
  ABSENT_MS,
  GRACE_MS,
  SIGN_OF_LIFE_MS
} from '../../../src/replication/circle/circle-limits.ts'
import { Silence } from '../../../src/replication/circle/silence.ts'
import { peerFor } from '../fixtures.ts'
import { createSteppingClock } from './stepping-clock.ts'
import type { SteppingClock } from './stepping-clock.ts'

interface Context {
  clock: SteppingClock
  silence: Silence
  changes: string[]
}

const [bob, carol] = [peerFor(1), peerFor(2)]
const HOUR_MS = 3_600_000

const test = suite<Context>('silence')
test.before.each(context => {
  context.clock = createSteppingClock()
  context.changes = []
  context.silence = new Silence(
    {
      clock: context.clock,
      changed: (holder, presence) => {
        context.changes.push(`${holder === bob ? 'bob' : 'carol'} ${presence}`)
      }
    },
    { absentMs: ABSENT_MS, graceMs: GRACE_MS, tickMs: SIGN_OF_LIFE_MS }
  )
  context.silence.track([bob, carol])
})
test.after.each(({ silence, clock }) => {
  silence.close()
  assert.equal(clock.waiting, 0)
})

/** So long only one of them is heard, every second. */
async function hearOnly({ clock, silence }: Context, holder: PeerId, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 1000) {
    silence.heard(holder)
    await clock.advance(1000)
  }
}

test('who is silent is absent, then gone, and whoever is heard is neither', async context => {
  await hearOnly(context, bob, ABSENT_MS - 1000)
  assert.deepEqual(context.changes, [])
  await hearOnly(context, bob, 1000 + SIGN_OF_LIFE_MS)
  assert.deepEqual(context.changes, ['carol absent'])
  await hearOnly(context, bob, GRACE_MS - ABSENT_MS)
  assert.deepEqual(context.changes, ['carol absent', 'carol gone'])
  assert.equal(context.silence.presenceOf(carol), 'gone')
  assert.ok(context.silence.silenceOf(carol) >= GRACE_MS)
  context.silence.heard(carol)
  assert.equal(context.silence.presenceOf(carol), 'present')
  assert.equal(context.silence.silenceOf(carol), 0)
})

test('a night of sleep makes nobody absent', async ({ clock, silence, changes }) => {
  await clock.advance(ABSENT_MS - SIGN_OF_LIFE_MS)
  clock.sleep(8 * HOUR_MS)
  await clock.advance(ABSENT_MS - SIGN_OF_LIFE_MS)
  assert.deepEqual(changes, [])
  await clock.advance(2 * SIGN_OF_LIFE_MS)
  assert.deepEqual(changes, ['bob absent', 'carol absent'])
  assert.equal(silence.presenceOf(bob), 'absent')
})

test('a clock that is set, forwards or backwards, makes nobody absent', async context => {
  const { clock, changes } = context
  for (const ms of [HOUR_MS, -HOUR_MS, -48 * HOUR_MS, 365 * 24 * HOUR_MS]) {
    await clock.advance(ABSENT_MS - 2 * SIGN_OF_LIFE_MS)
    clock.set(ms)
    await clock.advance(SIGN_OF_LIFE_MS)
  }
  assert.deepEqual(changes, [])
  await clock.advance(ABSENT_MS + SIGN_OF_LIFE_MS)
  assert.deepEqual(changes, ['bob absent', 'carol absent'])
})

test('who was absent before a jump has all of the grace again, and stays absent', async context => {
  const { clock, changes } = context
  await hearOnly(context, bob, GRACE_MS - 10_000)
  assert.deepEqual(changes, ['carol absent'])
  clock.sleep(HOUR_MS)
  await hearOnly(context, bob, GRACE_MS - ABSENT_MS - 10_000)
  assert.deepEqual(changes, ['carol absent'])
  await hearOnly(context, bob, 20_000)
  assert.deepEqual(changes, ['carol absent', 'carol gone'])
})

test('who was gone before a jump stays gone until it is heard', async context => {
  const { clock, changes } = context
  await hearOnly(context, bob, GRACE_MS + SIGN_OF_LIFE_MS)
  clock.set(-HOUR_MS)
  await hearOnly(context, bob, SIGN_OF_LIFE_MS)
  clock.sleep(HOUR_MS)
  await hearOnly(context, bob, SIGN_OF_LIFE_MS)
  assert.deepEqual(changes, ['carol absent', 'carol gone'])
  context.silence.heard(carol)
  assert.deepEqual(changes.at(-1), 'carol present')
})

test('what was heard some time ago counts from then', async ({ clock, silence, changes }) => {
  await clock.advance(20_000)
  silence.heard(bob, 10_000)
  silence.heard(carol, 25_000)
  assert.equal(silence.silenceOf(bob), 10_000)
  assert.equal(silence.silenceOf(carol), 20_000)
  await clock.advance(15_000)
  assert.deepEqual(changes, ['carol absent'])
  await clock.advance(10_000)
  assert.deepEqual(changes, ['carol absent', 'bob absent'])
})

test('only those who are tracked count', async ({ clock, silence, changes }) => {
  await clock.advance(20_000)
  silence.track([bob])
  silence.heard(carol)
  assert.equal(silence.presenceOf(carol), undefined)
  assert.equal(silence.silenceOf(carol), Infinity)
  silence.track([bob, carol])
  await clock.advance(15_000)
  assert.deepEqual(changes, ['bob absent'])
})

test.run()
