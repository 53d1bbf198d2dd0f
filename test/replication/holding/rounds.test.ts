import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { FINISH_MS, PROGRESS_MS } from '../../../src/replication/holding/limits.ts'
import { Rounds } from '../../../src/replication/holding/rounds.ts'
import { createManualClock } from '../../peer/manual-clock.ts'

const test = suite('rounds')

/** Rounds that last until they are let go or ended. */
function begin() {
  const clock = createManualClock()
  const story = { began: 0, ended: 0, aborted: 0, failures: 0, told: 0, superseded: false }
  let letGo: (() => void) | undefined
  let fail: ((error: Error) => void) | undefined
  const rounds = new Rounds({
    clock,
    work: signal => {
      story.began++
      return new Promise<void>((resolve, reject) => {
        letGo = resolve
        fail = reject
        signal.addEventListener('abort', () => {
          story.aborted++
          reject(signal.reason)
        })
      }).finally(() => story.ended++)
    },
    onFailure: () => story.failures++,
    onProgress: () => story.told++,
    isSuperseded: () => story.superseded
  })
  const end = (): void => letGo?.()
  return { clock, story, rounds, end, break: () => fail?.(new Error('it broke')) }
}

test('there is one at a time, and one more for all who asked meanwhile', async () => {
  const { clock, story, rounds, end } = begin()
  rounds.wake()
  await clock.advance(0)
  for (let i = 0; i < 5; i++) rounds.wake()
  await clock.advance(0)
  assert.equal(story.began, 1)
  const idle = rounds.untilIdle(undefined)
  end()
  await clock.advance(0)
  assert.equal(story.began, 2)
  end()
  await idle
  assert.equal(story.ended, 2)
})

test('what works for the newest is not ended, however much happens', async () => {
  const { clock, story, rounds, end } = begin()
  rounds.wake()
  await clock.advance(0)
  rounds.changed()
  await clock.advance(10 * FINISH_MS)
  assert.equal(story.aborted, 0)
  end()
  await clock.advance(0)
  end()
  await rounds.untilIdle(undefined)
})

test('what is in vain has a while to finish, and is no failure', async () => {
  const { clock, story, rounds, end } = begin()
  rounds.wake()
  await clock.advance(0)
  story.superseded = true
  rounds.changed()
  await clock.advance(FINISH_MS / 2)
  rounds.changed()
  assert.equal(story.aborted, 0)
  await clock.advance(FINISH_MS / 2)
  assert.deepEqual([story.aborted, story.began, story.failures], [1, 2, 0])
  end()
  await rounds.untilIdle(undefined)
})

test('tells how far it is while one takes long, and when it failed', async () => {
  const { clock, story, rounds, ...round } = begin()
  rounds.wake()
  await clock.advance(3 * PROGRESS_MS)
  assert.equal(story.told, 3)
  round.break()
  await rounds.untilIdle(undefined)
  assert.equal(story.told, 4)
  assert.equal(story.failures, 1)
})

test('closing ends the one under way, waits for its end, and there is none after', async () => {
  const { clock, story, rounds } = begin()
  rounds.wake()
  await clock.advance(0)
  const waiting = rounds.untilIdle(AbortSignal.abort(new Error('impatient')))
  await assert.rejects(waiting, { message: 'impatient' })
  rounds.wake()
  await rounds.close(new Error('closed'))
  assert.deepEqual([story.began, story.ended, story.failures], [1, 1, 0])
  rounds.wake()
  await clock.advance(10 * FINISH_MS)
  assert.equal(story.began, 1)
  assert.throws(() => rounds.throwIfClosed(), { message: 'closed' })
  await rounds.close(new Error('again'))
})

test.run()
