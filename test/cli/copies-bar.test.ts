import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { alignColumns } from '../../src/cli/columns.ts'
import { copiesBar } from '../../src/cli/copies-bar.ts'

const test = suite('copies bar')

test('shows the share of bytes by copies', () => {
  assert.equal(copiesBar([0, 0, 0, 100]), '[33333333333333333333]')
  assert.equal(copiesBar([25, 25, 25, 25]), '[33333222221111100000]')
  assert.equal(copiesBar([]), '[                    ]')
  assert.equal(copiesBar([0, 0]), '[                    ]')
})

test('shows the little that is in danger', () => {
  assert.equal(copiesBar([1, 0, 0, 1e12]), '[33333333333333333330]')
  assert.equal(copiesBar([1, 1, 1, 1e12]), '[33333333333333333210]')
})

test('is as wide with any number of copies', () => {
  assert.equal(copiesBar([...Array.from({ length: 12 }, () => 0), 5, 5]), '[++++++++++++++++++++]')
  for (let length = 1; length < 200; length++) {
    const bar = copiesBar(Array.from({ length }, (_, index) => index + 1))
    assert.match(bar, /^\[\+*9*8*7*6*5*4*3*2*1*0+\]$/)
    assert.equal(bar.length, 22, bar)
  }
})

test('keeps its width beside many small shares', () => {
  const small = Array.from({ length: 18 }, () => 1)
  assert.equal(copiesBar([...small, 1e6, 1e6]).length, 22)
})

test('columns line up', () => {
  const rows = [['name', 'bytes'], ['a', '1,000'], ['longer']]
  assert.deepEqual(alignColumns(rows, ['left', 'right']), [
    'name    bytes',
    'a       1,000',
    'longer'
  ])
  assert.deepEqual(alignColumns([], []), [])
})

test.run()
