/**
 * What the tests of a cluster in one process do, with faults: 10,000 steps in all, from seeds that stay the
 * same so that a run that was good stays good. Each seed has a file of its own, so that they are
 * run beside each other. `npm run simulate` tries others, and replays these:
 * `npm run simulate -- --seed 1 --steps 2000`.
 */
import assert from 'node:assert/strict'
import { simulate } from './simulation.ts'

const STEPS = 2_000

/** Each of these ended well at least once. */
const EXPECTED =
  'write append remove rename sync other-read collect durable status policy invite leave'.split(' ')

/** Rejects with what was not as it must be after one of the steps. */
export async function runSeed(seed: number): Promise<void> {
  const { outcomes, simulatedMs } = await simulate({ seed, steps: STEPS })
  const counts = new Map(outcomes)
  for (const what of EXPECTED) {
    assert.ok((counts.get(what) ?? 0) > 0, `not once ended well: ${what}`)
  }
  assert.ok(simulatedMs > 600_000, `${simulatedMs} ms passed`)
}
