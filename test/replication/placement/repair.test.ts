/** What moves when holders go: no more than they had, spread over all that are left. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { measureRepair } from '../../../bench/placement-repair-figures.ts'
import { createBlocks, createCluster } from '../../../bench/placement-figures.ts'

const test = suite('repair by placement')

const blocks = createBlocks(20_000)
const cluster = createCluster({ holders: 40, zones: 4, pledges: [1, 2], copies: 3 })

test('one that goes is replaced by all others alike, and by nobody twice', () => {
  const repair = measureRepair(cluster, blocks, (_, number) => number !== 5)
  assert.ok(repair.copiesGone > 0)
  assert.equal(repair.copiesMade, repair.copiesGone)
  assert.equal(repair.blocksLost, 0)
})

test('a zone that goes takes no block with it, and is made up for by all that are left', () => {
  const repair = measureRepair(cluster, blocks, ({ zone }) => zone !== 'zone 1')
  assert.equal(repair.copiesMade, repair.copiesGone)
  assert.equal(repair.blocksLost, 0)
  assert.ok(repair.pulledMost < 1.3, `${repair.pulledMost} of the mean pulled`)
  assert.ok(repair.sentMost < 1.3, `${repair.sentMost} of the mean sent`)
})

test('what all three holders of a block take with them is lost, and no more', () => {
  const repair = measureRepair(cluster, blocks, (_, number) => number >= 20)
  assert.ok(repair.blocksLost > 0)
  assert.equal(repair.copiesMade, repair.copiesGone - 3 * repair.blocksLost)
})

test.run()
