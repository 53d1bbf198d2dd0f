/** Holders that take less than placement gives them: the next in line take the rest. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createPlacement } from '../../../src/replication/index.ts'
import type { CountedHolder } from '../../../src/replication/holders/shares.ts'
import { blockFor, holderFor, peerFor } from '../fixtures.ts'

const test = suite('placement with shares')

const BLOCKS = 4_000
const ids = Array.from({ length: BLOCKS }, (_, index) => blockFor(index))
const TWO = { replicas: 2, minimum: 1, on: [] }

function holders(shares: Readonly<Record<number, number>>, zones = 1): CountedHolder[] {
  return [0, 1, 2, 3, 4, 5].map(n => {
    const share = shares[n]
    const holder = holderFor(n, { zone: `${n % zones}`, pledgeBytes: 1 + (n % 2) })
    return share === undefined ? holder : { ...holder, share }
  })
}

for (const zones of [1, 2, 4]) {
  test(`what one does not take others have, and nothing else moves: ${zones} zones`, () => {
    const before = createPlacement({ holders: holders({}, zones) })
    const after = createPlacement({ holders: holders({ 1: 64 }, zones) })
    let [given, taken] = [0, 0]
    for (const id of ids) {
      const [was, is] = [before.place(id, TWO), after.place(id, TWO)]
      assert.equal(is.length, 2)
      assert.deepEqual(is, after.rank(id).slice(0, 2))
      if (!was.includes(peerFor(1))) assert.deepEqual(is, was)
      else {
        given++
        if (is.includes(peerFor(1))) {
          taken++
          assert.deepEqual(is, was)
        }
      }
      for (const { peer } of holders({}, zones)) {
        assert.equal(after.assignmentOf(peer, TWO).has(id), is.includes(peer))
      }
    }
    assert.ok(Math.abs(taken / given - 0.25) < 0.05, `${taken} of ${given}`)
  })
}

test('a smaller share gives up blocks and takes on none; without any it has nothing', () => {
  const shares = [256, 200, 100, 1, 0]
  const parts = shares.map(share => {
    const part = createPlacement({ holders: holders({ 2: share }) }).assignmentOf(peerFor(2), TWO)
    return new Set(ids.filter(id => part.has(id)))
  })
  for (const [index, part] of parts.entries()) {
    for (const id of part) assert.ok(index === 0 || parts[index - 1]!.has(id))
  }
  assert.equal(parts.at(-1)!.size, 0)
})

test('nobody has what nobody takes, and who drains stands in only for a number of copies', () => {
  const none = createPlacement({ holders: holders({ 0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 }) })
  assert.deepEqual(none.place(ids[0]!, TWO), [])
  const draining = [...holders({ 0: 0 }), holderFor(9, { state: 'draining' })]
  const placement = createPlacement({ holders: draining })
  const all = { replicas: 'all' as const, minimum: 1, on: [] }
  assert.equal(placement.place(ids[0]!, all).length, 5)
  assert.equal(placement.place(ids[0]!, { ...all, replicas: 6 }).at(-1), peerFor(9))
})

test.run()
