/**
 * A cluster in one process, with faults: 10,000 steps in all, from seeds that stay the same so that
 * a run that was good stays good. `npm run simulate` tries others, and replays these:
 * `npm run simulate -- --seed 1 --steps 2000`.
 *
 * time limit: 300 s
 */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { simulate } from './simulation.ts'

const SEEDS = [1, 2, 3, 4, 5]
const STEPS = 2_000

/** Each of these ended well at least once. */
const EXPECTED =
  'write append remove rename sync other-read collect durable status policy invite leave'.split(' ')

const test = suite('simulation')

for (const seed of SEEDS) {
  test(`everything is as it must be after each of ${STEPS} steps from seed ${seed}`, async () => {
    const { outcomes, simulatedMs } = await simulate({ seed, steps: STEPS })
    const counts = new Map(outcomes)
    for (const what of EXPECTED) {
      assert.ok((counts.get(what) ?? 0) > 0, `not once ended well: ${what}`)
    }
    assert.ok(simulatedMs > 600_000, `${simulatedMs} ms passed`)
  })
}

test('a holder that lies is found out by everybody, and what it dropped is elsewhere', async () => {
  const { outcomes } = await simulate({ seed: 6, steps: 1_000, liar: true })
  assert.ok(outcomes.length > 0)
})

test('finds out that disks lie about what they have synced', async () => {
  await assert.rejects(simulate({ seed: 1, steps: 2_000, disksLie: true }), /seed 1 failed/)
})

test.run()
