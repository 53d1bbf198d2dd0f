import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createBlockId, digestOf } from '../../../src/blocks/index.ts'
import { peerIdOf } from '../../../src/peer/index.ts'
import { createPlacement, placeBlock } from '../../../src/replication/index.ts'
import type { Holder, Policy } from '../../../src/replication/index.ts'
import { THREE_COPIES, blockFor, createListOwner, holderFor, peerFor } from '../fixtures.ts'
import { rankPlainly } from './reference.ts'

const test = suite('placement')

const holder = fc.record({
  pledgeBytes: fc.oneof(
    fc.constantFrom(1, 1000, 1e9, Number.MAX_SAFE_INTEGER),
    fc.nat(9).map(n => n + 1)
  ),
  zone: fc.constantFrom('', 'a', 'b', 'c', 'd'),
  state: fc.constantFrom('active' as const, 'active' as const, 'draining' as const)
})
const holders = fc
  .oneof(
    fc.array(holder, { maxLength: 40, size: 'max' }),
    fc.array(fc.record({ zone: fc.constantFrom('a', 'b') }), { maxLength: 40, size: 'max' }),
    fc.array(fc.record({ zone: fc.nat(30).map(String) }), { maxLength: 40, size: 'max' })
  )
  .map(all => all.map((fields, index) => holderFor(index, fields)))
const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.integer({ min: 1, max: 45 }).map(replicas => ({ replicas, minimum: 1, on: [] })),
  fc.integer({ min: 1, max: 5 }).map(replicas => ({ replicas, minimum: 1, on: [] })),
  fc.integer({ min: 1, max: 45 }).map(minimum => ({ replicas: 'all' as const, minimum, on: [] }))
)
const block = fc.nat().map(blockFor)

function copiesOf({ replicas, minimum }: Policy, list: readonly Holder[]): number {
  const active = list.filter(({ state }) => state === 'active').length
  return replicas === 'all' ? Math.max(active, minimum) : replicas
}

test('is what its description says', () => {
  fc.assert(
    fc.property(holders, block, policy, (all, id, wanted) => {
      const placement = createPlacement({ holders: all })
      const expected = rankPlainly(id, all)
      assert.deepEqual(placement.rank(id), expected)
      const copies = copiesOf(wanted, all)
      assert.deepEqual(placement.place(id, wanted), expected.slice(0, copies))
      assert.deepEqual(placeBlock(id, { holders: all }, wanted), expected.slice(0, copies))
    }),
    { numRuns: 400 }
  )
})

test('the holders that say a block is theirs are those it is placed at', () => {
  fc.assert(
    fc.property(holders, fc.array(block, { minLength: 1, maxLength: 5 }), policy, (all, ids, p) => {
      const placement = createPlacement({ holders: all })
      const digests = new Uint8Array(ids.flatMap(id => [...digestOf(id)]))
      for (const { peer } of all) {
        const expected = ids.filter(id => placement.place(id, p).includes(peer))
        const assignment = placement.assignmentOf(peer, p)
        assert.deepEqual(assignment.select(ids), expected)
        const target = new Uint32Array(ids.length)
        const count = assignment.selectDigests(digests, target)
        assert.deepEqual(
          Array.from(target.subarray(0, count), index => ids[index]),
          expected
        )
        assert.equal(assignment.hasDigest(digests, 0), assignment.has(ids[0]!))
      }
      assert.deepEqual(placement.assignmentOf(peerFor(99), p).select(ids), [])
    }),
    { numRuns: 200 }
  )
})

test('no zone has a copy more than another that could have had it', () => {
  fc.assert(
    fc.property(holders, block, fc.integer({ min: 1, max: 12 }), (all, id, replicas) => {
      const active = all.filter(({ state }) => state === 'active')
      const placed = placeBlock(id, { holders: active }, { replicas, minimum: 1, on: [] })
      const chosen = active.filter(({ peer }) => placed.includes(peer))
      const left = active.filter(({ peer }) => !placed.includes(peer))
      const copiesIn = (zone: string): number => chosen.filter(one => one.zone === zone).length
      for (const one of chosen) {
        for (const other of left) assert.ok(copiesIn(one.zone) <= copiesIn(other.zone) + 1)
      }
    }),
    { numRuns: 300 }
  )
})

test('the order of the list does not matter, nor does it being signed', async () => {
  const { sign } = await createListOwner()
  const all = Array.from({ length: 12 }, (_, index) =>
    holderFor(index, { pledgeBytes: 1 + (index % 3), zone: `${index % 4}` })
  )
  const signed = await sign({ holders: all })
  for (let number = 0; number < 200; number++) {
    const expected = placeBlock(blockFor(number), { holders: all }, THREE_COPIES)
    const turned = { holders: all.toReversed() }
    assert.deepEqual(placeBlock(blockFor(number), turned, THREE_COPIES), expected)
    assert.deepEqual(placeBlock(blockFor(number), signed, THREE_COPIES), expected)
  }
})

test('keeps its format: these blocks are at these holders for ever', () => {
  const all = Array.from({ length: 9 }, (_, index) =>
    holderFor(index, { pledgeBytes: 1 + (index % 3), zone: 'abc'[index % 3]! })
  )
  const numbers = new Map(all.map(({ peer }, index) => [peer, index]))
  const placed = Array.from({ length: 8 }, (_, number) =>
    placeBlock(blockFor(number), { holders: all }, { replicas: 4, minimum: 1, on: [] })
      .map(peer => numbers.get(peer))
      .join('')
  )
  assert.deepEqual(placed, ['5312', '8102', '7238', '6453', '7531', '6785', '2075', '7654'])
})

test('draining holders keep what the active ones are too few for', () => {
  const all = [
    holderFor(1, { zone: 'a' }),
    holderFor(2, { zone: 'a' }),
    holderFor(3, { zone: 'b', state: 'draining', pledgeBytes: 1e15 })
  ]
  const list = { holders: all }
  const drained = peerFor(3)
  for (let number = 0; number < 50; number++) {
    const id = blockFor(number)
    assert.ok(!placeBlock(id, list, { replicas: 2, minimum: 1, on: [] }).includes(drained))
    assert.ok(!placeBlock(id, list, { replicas: 'all', minimum: 2, on: [] }).includes(drained))
    assert.equal(placeBlock(id, list, { replicas: 3, minimum: 1, on: [] })[2], drained)
    assert.equal(placeBlock(id, list, { replicas: 'all', minimum: 3, on: [] })[2], drained)
    assert.equal(createPlacement(list).rank(id)[2], drained)
  }
})

test('no holders, no copies', () => {
  assert.deepEqual(placeBlock(blockFor(1), { holders: [] }, THREE_COPIES), [])
  assert.deepEqual(createPlacement({ holders: [] }).rank(blockFor(1)), [])
  assert.equal(
    createPlacement({ holders: [] }).assignmentOf(peerFor(1), THREE_COPIES).has(blockFor(1)),
    false
  )
})

test('keys and digests that differ in few bits are placed apart all the same', () => {
  const all = Array.from({ length: 16 }, (_, index) => {
    const key = new Uint8Array(32)
    key[31] = index
    return holderFor(0, { peer: peerIdOf(key) })
  })
  const placement = createPlacement({ holders: all })
  const counts = new Map<string, number>()
  const blocks = 16_000
  for (let number = 0; number < blocks; number++) {
    const digest = new Uint8Array(32)
    new DataView(digest.buffer).setUint32(0, number)
    const [peer] = placement.place(createBlockId('raw', digest), {
      replicas: 1,
      minimum: 1,
      on: []
    })
    counts.set(peer!, (counts.get(peer!) ?? 0) + 1)
  }
  for (const { peer } of all) {
    const count = counts.get(peer) ?? 0
    assert.ok(count > 800 && count < 1200, `${count} of ${blocks} blocks`)
  }
})

test('digests out of range are refused', () => {
  const assignment = createPlacement({ holders: [holderFor(1)] }).assignmentOf(
    peerFor(1),
    THREE_COPIES
  )
  assert.throws(() => assignment.hasDigest(new Uint8Array(31)), RangeError)
  assert.throws(() => assignment.hasDigest(new Uint8Array(64), 33), RangeError)
  assert.throws(() => assignment.hasDigest(new Uint8Array(64), -1), RangeError)
  assert.throws(() => assignment.selectDigests(new Uint8Array(65), new Uint32Array(9)), RangeError)
  assert.throws(() => assignment.selectDigests(new Uint8Array(64), new Uint32Array(1)), RangeError)
})

test.run()
