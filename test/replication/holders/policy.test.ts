import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { policyFor, strongerPolicy } from '../../../src/replication/index.ts'
import type { Policy } from '../../../src/replication/index.ts'
import { THREE_COPIES, fieldsFor, inode, peerFor } from '../fixtures.ts'

const test = suite('policy')
const photos: Policy = { replicas: 5, minimum: 3, on: [] }
const everywhere: Policy = { replicas: 'all', minimum: 1, on: [] }

test('the override nearest to a directory counts, and the default where there is none', () => {
  const fields = fieldsFor({
    overrides: new Map([
      [inode(10), photos],
      [inode(20), everywhere]
    ])
  })
  assert.equal(policyFor(fields, [inode(20), inode(10), inode(1)]), everywhere)
  assert.equal(policyFor(fields, [inode(30), inode(10), inode(1)]), photos)
  assert.equal(policyFor(fields, [inode(30), inode(1)]), THREE_COPIES)
  assert.equal(policyFor(fields, []), THREE_COPIES)
})

test('a block that two directories share gets what the more careful one wants', () => {
  assert.deepEqual(strongerPolicy(THREE_COPIES, photos), photos)
  assert.deepEqual(strongerPolicy(photos, everywhere), { replicas: 'all', minimum: 3, on: [] })
  assert.deepEqual(strongerPolicy(everywhere, THREE_COPIES), {
    replicas: 'all',
    minimum: 2,
    on: []
  })
})

test('a block that two directories share is at everybody whom one of them names', () => {
  const [one, two, three] = [1, 2, 3].map(peerFor).toSorted()
  const left: Policy = { ...photos, on: [one!, three!] }
  const right: Policy = { ...photos, on: [two!, three!] }
  assert.deepEqual(strongerPolicy(left, right).on, [one, two, three])
  assert.deepEqual(strongerPolicy(left, photos), left)
  assert.deepEqual(strongerPolicy(photos, left), left)
})

test.run()
