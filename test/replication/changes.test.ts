/** Waiting for what many things may bring about: nothing is missed, and nothing stays behind. */
import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { Changes, within } from '../../src/replication/changes.ts'
import { createManualClock } from '../peer/manual-clock.ts'

const test = suite('changes')

test('a change between looking and waiting is not missed', async () => {
  const changes = new Changes()
  let looks = 0
  await changes.until(async () => {
    if (++looks === 1) changes.changed()
    return looks === 2
  }, AbortSignal.timeout(5_000))
  assert.equal(looks, 2)
})

test('it looks again at each change, ends when it is aborted, and leaves no listener', async () => {
  const changes = new Changes()
  const ending = new AbortController()
  let looks = 0
  const waiting = changes.until(() => {
    looks++
    return false
  }, ending.signal)
  for (let round = 0; round < 50; round++) {
    await Promise.resolve()
    changes.changed()
    await new Promise(resolve => setTimeout(resolve, 0))
  }
  assert.equal(looks, 51)
  assert.equal(getEventListeners(ending.signal, 'abort').length, 1)
  ending.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  assert.equal(getEventListeners(ending.signal, 'abort').length, 0)
  await assert.rejects(changes.after(changes.count, ending.signal), /enough/)
})

test('time that is over says what was waited for; a caller that leaves is told its own reason', async () => {
  const clock = createManualClock()
  const changes = new Changes()
  const never = (signal: AbortSignal): Promise<void> => changes.until(() => false, signal)
  const late = assert.rejects(within(clock, { timeoutMs: 100, what: 'spring' }, never), {
    code: 'ETIMEDOUT',
    message: /spring within 100 ms/
  })
  await clock.advance(100)
  await late
  const caller = new AbortController()
  const { signal } = caller
  const left = assert.rejects(within(clock, { timeoutMs: 100, what: 'x', signal }, never), /gone/)
  caller.abort(new Error('gone'))
  await left
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.equal(await within(clock, { timeoutMs: 100, what: 'x' }, async () => 7), 7)
  await assert.rejects(within(clock, { timeoutMs: 100, what: 'x', signal }, never), /gone/)
})

test.run()
