import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { shareCalls } from '../../../src/blocks/disk/shared-call.ts'

const test = suite('shared call')

test('runs once for all who ask at the same time, and again for who asks later', async () => {
  const runs: PromiseWithResolvers<void>[] = []
  const call = shareCalls(() => {
    runs.push(Promise.withResolvers())
    return runs.at(-1)!.promise
  })
  const early = [call(), call()]
  await settle()
  assert.equal(runs.length, 1)
  // These come during a run, which may not see what they want: they share the next.
  const late = [call(), call(), call()]
  await settle()
  assert.equal(runs.length, 1)
  runs[0]!.resolve()
  await Promise.all(early)
  await settle()
  assert.equal(runs.length, 2)
  runs[1]!.resolve()
  await Promise.all(late)
})

test('tells a failure to those whose run it was, and to nobody else', async () => {
  let isFailing = true
  const call = shareCalls(async () => {
    if (isFailing) throw new Error('failed')
  })
  await assert.rejects(Promise.all([call(), call()]), /failed/)
  isFailing = false
  await call()
})

async function settle(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
}

test.run()
