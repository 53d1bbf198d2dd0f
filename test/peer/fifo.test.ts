import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { Fifo } from '../../src/peer/fifo.ts'

const test = suite('fifo')

test('gives back in order, however pushes and shifts mix', () => {
  const fifo = new Fifo<number>()
  let pushed = 0
  let shifted = 0
  for (let round = 0; round < 300; round++) {
    for (let count = 0; count < round % 90; count++) fifo.push(pushed++)
    for (let count = 0; count < round % 70; count++) {
      if (fifo.length > 0) assert.equal(fifo.shift(), shifted++)
    }
    assert.equal(fifo.length, pushed - shifted)
  }
  while (fifo.length > 0) assert.equal(fifo.shift(), shifted++)
  assert.equal(shifted, pushed)
  assert.equal(fifo.shift(), undefined)
})

test('is empty when cleared', () => {
  const fifo = new Fifo<number>()
  fifo.push(1)
  fifo.clear()
  assert.equal(fifo.length, 0)
  fifo.push(2)
  assert.equal(fifo.shift(), 2)
})

test.run()
