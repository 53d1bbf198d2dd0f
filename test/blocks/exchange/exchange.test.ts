import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import type { Block } from '../../../src/blocks/block.ts'
import { Neighbourhood, collect, makeBlocks } from './exchange-fixtures.ts'

const test = suite<{ hood: Neighbourhood }>('block exchange')
test.before.each(context => {
  context.hood = new Neighbourhood()
})
test.after.each(context => context.hood.stop())

function equalBlocks(actual: readonly Block[], expected: readonly Block[]): void {
  assert.equal(actual.length, expected.length)
  for (const [i, block] of actual.entries()) {
    assert.equal(block.id, expected[i]!.id)
    assert.ok(Buffer.compare(block.bytes, expected[i]!.bytes) === 0, `block ${i} differs`)
  }
}

test('fetches thousands of small blocks in order, few of them a call', async ({ hood }) => {
  const blocks = await makeBlocks(10_000, 4096)
  const alice = await hood.add(blocks)
  const bob = await hood.add()
  await hood.introduce(alice.peer, bob.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const began = performance.now()
  const fetched = await collect(reader.getMany(blocks.map(block => block.id)))
  console.log(`${(performance.now() - began).toFixed()} ms for 10,000 of 4 KiB`)
  equalBlocks(fetched, blocks)
  await reader.flush()
  assert.deepEqual(bob.store.usage(), alice.store.usage())
})

test('fetches hundreds of big blocks', async ({ hood }) => {
  const blocks = await makeBlocks(200, 1024 * 1024)
  const alice = await hood.add(blocks)
  const bob = await hood.add()
  await hood.introduce(alice.peer, bob.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const began = performance.now()
  let index = 0
  for await (const block of reader.getMany(blocks.map(({ id }) => id))) {
    assert.equal(block.id, blocks[index++]!.id)
  }
  console.log(`${(performance.now() - began).toFixed()} ms for 200 of 1 MiB`)
  assert.equal(index, 200)
})

test('a block nobody has is unreachable, soon', async ({ hood }) => {
  const [block] = await makeBlocks(1, 100)
  const alice = await hood.add()
  const bob = await hood.add()
  await hood.introduce(alice.peer, bob.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  const began = performance.now()
  await assert.rejects(reader.get(block!.id), error => isWarrenError(error, 'EHOSTUNREACH'))
  assert.ok(performance.now() - began < 1000)
})

test.run()
