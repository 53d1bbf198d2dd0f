/** What volumes have of a pledge that changes. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { dividePledge } from '../../src/replication/divide-pledge.ts'
import type { HeldRecord, PledgeRecord } from '../../src/replication/replication-store.ts'

const test = suite('a pledge that changes')

function pledge(bytes: number, zone = ''): PledgeRecord {
  return { bytes, zone, to: [] }
}

function held(pledgeBytes: number, zone = ''): HeldRecord {
  return { pledgeBytes, zone } as HeldRecord
}

function divided(before: PledgeRecord, parts: readonly number[], after: PledgeRecord): number[] {
  const records = parts.map(bytes => held(bytes, before.zone))
  return dividePledge({ pledge: before, held: records }, after).map(one => one.pledgeBytes)
}

test('volumes have as much more or less as the whole is', () => {
  assert.deepEqual(divided(pledge(100), [50, 20], pledge(200)), [100, 40])
  assert.deepEqual(divided(pledge(100), [50, 20], pledge(50)), [25, 10])
  assert.deepEqual(divided(pledge(1e15), [1e15], pledge(2 ** 53 - 1)), [2 ** 53 - 1])
})

test('together they never have more than the whole, and each has something', () => {
  assert.deepEqual(divided(pledge(0), [50, 50], pledge(10)), [5, 5])
  assert.deepEqual(divided(pledge(0), [50, 50], pledge(500)), [50, 50])
  assert.deepEqual(divided(pledge(10), [50, 50], pledge(20)), [10, 10])
  assert.deepEqual(divided(pledge(100), [99, 1], pledge(10)), [9, 1])
})

test('a pledge of nothing takes nothing from anybody', () => {
  assert.deepEqual(divided(pledge(100), [50, 20], pledge(0)), [50, 20])
})

test('those in the zone of before move, and the others stay', () => {
  const records = [held(1, 'attic'), held(1, 'office')]
  const after = dividePledge({ pledge: pledge(10, 'attic'), held: records }, pledge(10, 'cellar'))
  assert.deepEqual(
    after.map(({ zone }) => zone),
    ['cellar', 'office']
  )
})

test.run()
