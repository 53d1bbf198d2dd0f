/** Shares and movement, in the figures that the documents promise, with blocks enough to see them. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  createBlocks,
  createCluster,
  measureBalance,
  measureMovement,
  measureSpeed
} from '../../../bench/placement-figures.ts'
import type { Cluster, ClusterShape } from '../../../bench/placement-figures.ts'

const test = suite('placement: balance and movement')
const blocks = createBlocks(20_000)

function clusterOf(shape: Partial<ClusterShape>): Cluster {
  return createCluster({ holders: 10, zones: 1, pledges: [1], copies: 3, ...shape })
}

test('equal pledges get equal shares', () => {
  for (const zones of [1, 2, 5, 10]) {
    const { most, least } = measureBalance(clusterOf({ zones }), blocks)
    assert.ok(most < 1.06 && least > 0.94, `${zones} zones: ${least} to ${most}`)
  }
})

test('a single copy is shared out by pledge, however unequal', () => {
  const shape = { holders: 8, pledges: [1, 2, 4, 8], copies: 1 }
  const { most, least } = measureBalance(clusterOf(shape), createBlocks(60_000))
  assert.ok(most < 1.08 && least > 0.92, `${least} to ${most}`)
})

test('three copies among fifty are shared out nearly by pledge', () => {
  const { most, least } = measureBalance(clusterOf({ holders: 50, pledges: [1, 2] }), blocks)
  assert.ok(most < 1.1 && least > 0.9, `${least} to ${most}`)
})

test('in one zone only what must move does', () => {
  for (const pledges of [[1], [1, 2, 3]]) {
    const small = clusterOf({ holders: 20, pledges })
    const large = clusterOf({ holders: 21, pledges })
    for (const [before, after] of [
      [small, large],
      [large, small]
    ] as const) {
      const { moved, toUnavoidable, toProportional } = measureMovement(before, after, blocks)
      assert.ok(moved > 0)
      assert.equal(toUnavoidable, 1)
      assert.ok(toProportional < 1.1, `${toProportional}`)
    }
  }
})

test('a pledge that grows draws blocks to its holder and moves no others', () => {
  const before = clusterOf({ holders: 20 })
  const last = before.holders.at(-1)!
  const grown = { ...last, pledgeBytes: 2 * last.pledgeBytes }
  const after = { ...before, holders: [...before.holders.slice(0, -1), grown] }
  const { moved, toUnavoidable, toProportional } = measureMovement(before, after, blocks)
  assert.ok(moved > 0)
  assert.equal(toUnavoidable, 1)
  assert.ok(toProportional < 1.1, `${toProportional}`)
  assert.equal(measureMovement(after, before, blocks).toUnavoidable, 1)
})

test('with zones a holder that joins is the only one that gets anything', () => {
  for (const zones of [2, 3, 5]) {
    const before = clusterOf({ holders: 20, zones })
    const after = clusterOf({ holders: 21, zones })
    assert.equal(measureMovement(before, after, blocks).toUnavoidable, 1)
  }
})

test('one copy more leaves the others where they are', () => {
  for (const zones of [1, 2, 5]) {
    const three = clusterOf({ zones })
    const { moved } = measureMovement(three, { ...three, copies: 4 }, blocks)
    assert.equal(moved, blocks.ids.length)
  }
})

test('speed can be measured', () => {
  const { placementsPerSecond, questionsPerSecond } = measureSpeed(clusterOf({}), blocks)
  assert.ok(placementsPerSecond > 0 && questionsPerSecond > 0)
})

test.run()
