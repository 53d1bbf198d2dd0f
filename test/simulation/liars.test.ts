/**
 * A cluster in which somebody lies: a holder about what it has, or disks about what they have
 * synced. The first is found out by the others, the second by the simulation.
 *
 * time limit: 300 s
 */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { simulate } from './simulation.ts'

const test = suite('simulation of liars')

test('a holder that lies is found out by everybody, and what it dropped is elsewhere', async () => {
  const { outcomes } = await simulate({ seed: 6, steps: 1_000, liar: true })
  assert.ok(outcomes.length > 0)
})

test('finds out that disks lie about what they have synced', async () => {
  await assert.rejects(simulate({ seed: 1, steps: 2_000, disksLie: true }), /seed 1 failed/)
})

test.run()
