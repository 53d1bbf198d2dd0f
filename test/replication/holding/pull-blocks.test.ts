import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { pullBlocks } from '../../../src/replication/holding/pull-blocks.ts'
import type { Wanted } from '../../../src/replication/holding/pull-blocks.ts'
import { makeIds } from '../replicas-fixtures.ts'

const test = suite('pull blocks')

const MIB = 1024 * 1024

function wantedOf(count: number, bytes: number): Wanted[] {
  return makeIds(count).map((id, block) => ({ block, id, bytes }))
}

const nothing = async (): Promise<void> => {}

test('keeps within its window, and asks for many at a time', async () => {
  const wanted = wantedOf(200, MIB / 4)
  let underWay = 0
  let most = 0
  const batches: number[] = []
  const got: number[] = []
  await pullBlocks({
    next: () => wanted.shift(),
    prepare: async some => void batches.push(some.length),
    get: async () => {
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setTimeout(resolve, 1))
      underWay--
      return new Uint8Array(MIB / 4)
    },
    onBlock: ({ block }) => void got.push(block),
    onFailure: () => assert.fail()
  })
  assert.equal(new Set(got).size, 200)
  assert.ok(most <= 33, `${most} under way`)
  assert.ok(batches.length < 40, `${batches.length} batches`)
})

test('one that cannot be had does not stop the others', async () => {
  const wanted = wantedOf(100, 1)
  const failed: number[] = []
  let got = 0
  await pullBlocks({
    next: () => wanted.shift(),
    prepare: nothing,
    get: async ({ block }) => {
      if (block % 10 === 0) throw new Error('nobody has it')
      return new Uint8Array(1)
    },
    onBlock: () => void got++,
    onFailure: ({ block }) => void failed.push(block)
  })
  assert.equal(got, 90)
  assert.equal(failed.length, 10)
})

test('asks again for more when something has come', async () => {
  const [first, second] = wantedOf(2, 0)
  const waiting = [first]
  const got: number[] = []
  await pullBlocks({
    next: () => waiting.shift(),
    prepare: nothing,
    get: async () => new Uint8Array(0),
    onBlock: ({ block }) => {
      got.push(block)
      if (block === 0) waiting.push(second)
    },
    onFailure: () => assert.fail()
  })
  assert.deepEqual(got, [0, 1])
})

test('ends with the first error of who takes the blocks, when nothing is under way any more', async () => {
  for (const where of ['prepare', 'onBlock', 'onFailure'] as const) {
    const wanted = wantedOf(50, 1)
    let underWay = 0
    const boom = (): void => {
      throw new Error(where)
    }
    const pulling = pullBlocks({
      next: () => wanted.shift(),
      prepare: async () => (where === 'prepare' ? boom() : undefined),
      get: async ({ block }) => {
        underWay++
        await new Promise(resolve => setTimeout(resolve, block % 5))
        underWay--
        if (where === 'onFailure') throw new Error('lost')
        return new Uint8Array(1)
      },
      onBlock: () => (where === 'onBlock' ? boom() : undefined),
      onFailure: () => (where === 'onFailure' ? boom() : undefined)
    })
    await assert.rejects(pulling, { message: where })
    assert.equal(underWay, 0)
  }
})

test.run()
