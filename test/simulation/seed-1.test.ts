/**
 * A cluster with faults, from one seed.
 *
 * time limit: 300 s
 */
import { suite } from 'uvu'
import { runSeed } from './run-seed.ts'

const test = suite('simulation from seed 1')

test('everything is as it must be after each step', () => runSeed(1))

test.run()
