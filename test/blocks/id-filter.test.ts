import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId } from '../../src/blocks/block-id.ts'
import { createBlockId } from '../../src/blocks/block-id.ts'
import { createIdFilter } from '../../src/blocks/id-filter.ts'

const test = suite('id filter')

test('has everything that was added', () => {
  const filter = createIdFilter({ idsMax: 10_000, salt: 1 })
  const ids = randomIds(10_000)
  for (const id of ids) filter.add(id)
  assert.ok(ids.every(id => filter.has(id)))
})

test('errs on about one in a hundred others, and on others with another salt', () => {
  const ids = randomIds(20_000)
  const others = randomIds(20_000)
  const wrong = [7, 8].map(salt => {
    const filter = createIdFilter({ idsMax: 20_000, salt })
    for (const id of ids) filter.add(id)
    return new Set(others.filter(id => filter.has(id)))
  })
  for (const set of wrong) assert.ok(set.size > 20 && set.size < 600, `${set.size} of 20,000`)
  const both = [...wrong[0]!].filter(id => wrong[1]!.has(id))
  assert.ok(both.length < wrong[0]!.size / 5, `${both.length} wrong with both salts`)
})

test('still has everything when it is given more than it was made for', () => {
  const filter = createIdFilter({ idsMax: 0, salt: 0xffffffff })
  const ids = randomIds(100)
  for (const id of ids) filter.add(id)
  assert.ok(ids.every(id => filter.has(id)))
})

test.run()

function randomIds(count: number): BlockId[] {
  return Array.from({ length: count }, () =>
    createBlockId('raw', crypto.getRandomValues(new Uint8Array(32)))
  )
}
