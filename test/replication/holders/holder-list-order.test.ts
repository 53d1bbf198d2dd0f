import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isHolderListFork, supersedesHolderList } from '../../../src/replication/index.ts'
import { createListOwner, holderFor } from '../fixtures.ts'

const test = suite('holder list order')

test('the larger sequence counts', async () => {
  const { sign } = await createListOwner()
  const [older, newer] = [await sign({ sequence: 8 }), await sign({ sequence: 9 })]
  assert.equal(supersedesHolderList(newer, older), true)
  assert.equal(supersedesHolderList(older, newer), false)
  assert.equal(supersedesHolderList(older, undefined), true)
  assert.equal(supersedesHolderList(older, older), false)
  assert.equal(isHolderListFork(newer, older), false)
  assert.equal(isHolderListFork(older, older), false)
})

test('of two lists with one sequence everybody keeps the same, and can tell', async () => {
  const { sign } = await createListOwner()
  const one = await sign({ sequence: 8, holders: [holderFor(1)] })
  const other = await sign({ sequence: 8, holders: [holderFor(2)] })
  assert.notEqual(supersedesHolderList(one, other), supersedesHolderList(other, one))
  assert.equal(isHolderListFork(one, other), true)
  assert.equal(isHolderListFork(other, one), true)
})

test('two signatures of the same content are no fork', async () => {
  const { sign } = await createListOwner()
  const one = await sign()
  const bytes = one.bytes.slice()
  bytes[bytes.length - 1]! ^= 1
  assert.equal(isHolderListFork(one, { ...one, bytes }), false)
  assert.notEqual(
    supersedesHolderList(one, { ...one, bytes }),
    supersedesHolderList({ ...one, bytes }, one)
  )
})

test('lists of two volumes are not compared', async () => {
  const [alice, bob] = [await createListOwner(), await createListOwner()]
  const [one, other] = [await alice.sign(), await bob.sign()]
  assert.throws(() => supersedesHolderList(one, other), TypeError)
  assert.throws(() => isHolderListFork(one, other), TypeError)
})

test.run()
