/** The list of the own volume: every change is signed, after the one before. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { ONE_COPY, SignedList } from '../../../src/replication/owning/signed-list.ts'
import { createListOwner, holderFor, peerFor } from '../fixtures.ts'
import type { ListOwner } from '../fixtures.ts'
import { ToldCircle } from './fixtures.ts'

const test = suite('signed list')

const OWNER = peerFor(0)

async function create(): Promise<{ owner: ListOwner; circle: ToldCircle; list: SignedList }> {
  const owner = await createListOwner()
  const circle = new ToldCircle(owner.volume)
  const list = new SignedList({ key: owner.key, owner: OWNER, zone: () => 'home', circle })
  return { owner, circle, list }
}

test('the owner stands in it with the largest pledge of the others, and its own zone', async () => {
  const { list } = await create()
  assert.deepEqual(list.now.policy, ONE_COPY)
  assert.deepEqual(list.now.holders, [])
  const first = await list.change(async fields => ({
    ...fields,
    policy: { ...ONE_COPY, replicas: 2 }
  }))
  assert.equal(first.sequence, 1)
  assert.deepEqual(first.holders, [holderFor(0, { pledgeBytes: 1, zone: 'home' })])
  const holders = [holderFor(1, { pledgeBytes: 5 }), holderFor(2, { pledgeBytes: 7 })]
  const second = await list.change(async fields => ({ ...fields, holders }))
  assert.equal(second.sequence, 2)
  assert.equal(second.holders.length, 3)
  const own = second.holders.find(({ peer }) => peer === OWNER)
  assert.equal(own?.pledgeBytes, 7)
  assert.equal(second.policy.replicas, 2)
})

test('of changes at once none is lost', async () => {
  const { list } = await create()
  const adding = Array.from({ length: 10 }, (_, index) =>
    list.change(async fields => ({ ...fields, holders: [...fields.holders, holderFor(index + 1)] }))
  )
  await Promise.all(adding)
  assert.equal(list.now.holders.length, 11)
  assert.equal(list.now.sequence, 10)
})

test('a change that fails, or that is none, changes nothing', async () => {
  const { list, circle } = await create()
  await list.change(async fields => fields)
  const before = circle.list
  await assert.rejects(
    list.change(async () => {
      throw new Error('no')
    }),
    /no/
  )
  await assert.rejects(
    list.change(async fields => ({ ...fields, policy: { ...ONE_COPY, minimum: 2 } })),
    { code: 'EINVAL' }
  )
  await list.change(async () => undefined)
  assert.equal(circle.list, before)
})

test('a list that was signed elsewhere is gone on from, and who never wins gives up', async () => {
  const { list, circle, owner } = await create()
  const elsewhere = await owner.sign({ sequence: 7, holders: [holderFor(5)] })
  circle.refusals.push(() => {
    circle.list = elsewhere
  })
  const next = await list.change(async fields => ({
    ...fields,
    holders: [...fields.holders, holderFor(6)]
  }))
  assert.equal(next.sequence, 8)
  assert.equal(next.holders.length, 3)
  for (let tries = 0; tries < 3; tries++) circle.refusals.push(() => {})
  await assert.rejects(
    list.change(async fields => fields),
    { code: 'EBUSY' }
  )
})

test('lists of a while ago are still known', async () => {
  const { list } = await create()
  for (let round = 0; round < 20; round++) await list.change(async fields => ({ ...fields }))
  assert.equal(list.of(20)?.sequence, 20)
  assert.equal(list.of(5)?.sequence, 5)
  assert.equal(list.of(4), undefined)
  assert.equal(list.of(21), undefined)
})

test.run()
