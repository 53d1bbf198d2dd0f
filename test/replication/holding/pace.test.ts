import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createPace } from '../../../src/replication/holding/pace.ts'
import { Retry } from '../../../src/replication/holding/retry.ts'
import { createManualClock } from '../../peer/manual-clock.ts'

const test = suite('pace')

const { signal } = new AbortController()

test('lets so many bytes a second through', async () => {
  const clock = createManualClock()
  const pace = createPace(clock, 1000)
  let through = 0
  const work = (async () => {
    for (let i = 0; i < 20; i++) {
      await pace(500, { signal })
      through += 500
    }
  })()
  await clock.advance(0)
  const atOnce = through
  assert.ok(atOnce <= 1500, `${atOnce} bytes at once`)
  await clock.advance(5000)
  assert.ok(Math.abs(through - atOnce - 5000) <= 500, `${through} bytes`)
  await clock.advance(60_000)
  await work
})

test('does not save up what was not used', async () => {
  const clock = createManualClock()
  const pace = createPace(clock, 1000)
  await clock.advance(3_600_000)
  let through = 0
  const work = (async () => {
    for (let i = 0; i < 10; i++) {
      await pace(1000, { signal })
      through++
    }
  })()
  await clock.advance(1)
  assert.ok(through <= 3, `${through} seconds' worth`)
  await clock.advance(20_000)
  await work
})

test('ends with the signal', async () => {
  const clock = createManualClock()
  const pace = createPace(clock, 1)
  const leaving = new AbortController()
  await pace(1000, leaving)
  const waiting = pace(1000, leaving)
  leaving.abort(new Error('enough'))
  await assert.rejects(waiting, { message: 'enough' })
  await assert.rejects(pace(1, leaving), { message: 'enough' })
})

test.run()

const retry = suite('retry')

retry('pauses grow, up to five minutes, and begin anew after a success', async () => {
  const clock = createManualClock()
  const at: number[] = []
  const trying = new Retry(
    clock,
    () => 0,
    () => at.push(clock.now())
  )
  for (let i = 0; i < 12; i++) {
    const began = clock.now()
    trying.failed(1000)
    await clock.advance(300_000)
    assert.equal(at.at(-1)! - began, Math.min(1000 * 2 ** i, 300_000))
  }
  trying.succeeded()
  const began = clock.now()
  trying.failed(1000)
  await clock.advance(1000)
  assert.equal(at.at(-1)! - began, 1000)
  trying.failed(1000)
  trying.stop()
  const { length } = at
  await clock.advance(1e6)
  assert.equal(at.length, length)
})

retry.run()
