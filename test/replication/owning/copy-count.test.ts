/** What holders say, and what it means for each block. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createPlacement } from '../../../src/replication/index.ts'
import type { HolderList, HolderReport } from '../../../src/replication/index.ts'
import type { PeerId } from '../../../src/peer/index.ts'
import { CopyCount } from '../../../src/replication/owning/copy-count.ts'
import type { CopyCountComponents } from '../../../src/replication/owning/copy-count.ts'
import { blockFor, createListOwner, holderFor, inode, peerFor } from '../fixtures.ts'
import { reportFor } from './fixtures.ts'

const test = suite('counting copies')

const OWNER = peerFor(0)
const TWO = { replicas: 2, minimum: 1, on: [] } as const
const owner = await createListOwner()
const list = await owner.sign({ policy: TWO, holders: [0, 1, 2, 3].map(n => holderFor(n)) })

function counting(
  reports: Record<number, Partial<HolderReport>>,
  fields: Partial<CopyCountComponents> = {}
): CopyCount {
  return new CopyCount({
    owner: OWNER,
    reports: new Map(
      Object.entries(reports).map(([n, report]) => [
        peerFor(Number(n)),
        reportFor(owner.volume, report)
      ])
    ),
    listOf: sequence => (sequence === list.sequence ? list : undefined),
    policies: list,
    version: 5,
    newSince: () => undefined,
    lacks: () => false,
    ...fields
  })
}

/** By placement alone, the owner beside. */
function expected(block: number, by: HolderList, without: readonly PeerId[] = []): number {
  const holders = by.holders.filter(({ peer }) => !without.includes(peer))
  const placed = createPlacement({ holders }).place(blockFor(block), TWO)
  return placed.filter(peer => peer !== OWNER).length + 1
}

const BLOCKS = Array.from({ length: 200 }, (_, index) => index)

test('whoever holds the version has what placement gives it, and the owner has everything', () => {
  const count = counting({ 1: { holds: 5 }, 2: { holds: 6 }, 3: { holds: 5 } })
  for (const block of BLOCKS)
    assert.equal(count.ofBlock(blockFor(block), TWO), expected(block, list))
  assert.equal(count.ofInode(inode(7)), 4)
  const nobody = counting({ 1: { holds: -1 } })
  assert.equal(nobody.ofInode(inode(7)), 1)
  assert.equal(nobody.ofBlock(blockFor(1), TWO), 1)
})

test('who has given somebody up has taken over its part', () => {
  const gone = [peerFor(3)]
  const count = counting({ 1: { holds: 5, gone }, 2: { holds: 5, gone } })
  for (const block of BLOCKS) {
    assert.equal(count.ofBlock(blockFor(block), TWO), expected(block, list, gone))
  }
  // One who has not is counted with its own part only.
  const mixed = counting({ 1: { holds: 5, gone }, 2: { holds: 5 } })
  for (const block of BLOCKS) {
    const most = expected(block, list, gone)
    assert.ok(mixed.ofBlock(blockFor(block), TWO) <= most)
  }
})

test('named holders have it beside those that placement gives, and nobody twice', () => {
  const on = [peerFor(1), peerFor(2), peerFor(3)].toSorted()
  const count = counting({ 1: { holds: 5 }, 2: { holds: 5 }, 3: { holds: 5 } })
  for (const block of BLOCKS) assert.equal(count.ofBlock(blockFor(block), { ...TWO, on }), 4)
})

test('of a holder that is behind what did not change counts', () => {
  const blocks = new Set([blockFor(1)])
  const newSince = (sequence: number) =>
    sequence === 4 ? { inodes: new Set([inode(7)]), blocks } : undefined
  const count = counting({ 1: { holds: 4 }, 2: { holds: 4 }, 3: { holds: 4 } }, { newSince })
  assert.equal(count.ofInode(inode(7)), 1)
  assert.equal(count.ofInode(inode(8)), 4)
  assert.equal(count.ofBlock(blockFor(1), TWO), 1)
  for (const block of BLOCKS.slice(2)) {
    assert.equal(count.ofBlock(blockFor(block), TWO), expected(block, list))
  }
  // Of an even older version nothing is known.
  assert.equal(counting({ 1: { holds: 3 } }, { newSince }).ofInode(inode(8)), 1)
})

test('a list with other policies, or one that is forgotten, tells of nodes only', async () => {
  const other = await owner.sign({
    sequence: 2,
    policy: { replicas: 'all', minimum: 1, on: [] },
    holders: list.holders
  })
  const listOf = (sequence: number): HolderList | undefined =>
    sequence === 2 ? other : sequence === 1 ? list : undefined
  const count = counting(
    { 1: { holds: 5, listSequence: 2 }, 2: { holds: 5, listSequence: 9 } },
    { listOf }
  )
  assert.equal(count.ofInode(inode(7)), 3)
  for (const block of BLOCKS) assert.equal(count.ofBlock(blockFor(block), TWO), 1)
})

test('what the owner lacks is no copy', () => {
  const reports = { 1: { holds: 5 }, 2: { holds: 5 }, 3: { holds: 5 } }
  const count = counting(reports, { lacks: id => id === blockFor(1) })
  assert.equal(count.ofBlock(blockFor(1), TWO), expected(1, list) - 1)
  const alone = counting({}, { lacks: id => id === blockFor(1) })
  assert.equal(alone.ofBlock(blockFor(1), TWO), 0)
  assert.equal(alone.ofBlock(blockFor(2), TWO), 1)
})

test.run()
