/** Lists of numbers are read as a general decoder reads them, or left to it. */
import assert from 'node:assert/strict'
import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { suite } from 'uvu'
import { inPlace } from '../../../src/namespace/tree/entry-in-place.ts'
import { readNumbers } from '../../../src/namespace/volume/read-numbers.ts'

const test = suite('read numbers')

const key = new Uint8Array(0)

/** Undefined when it is left to others. */
function read(value: Uint8Array, length: number): number[] | undefined {
  const fields = new Float64Array(length)
  return readNumbers(inPlace({ key, value }), fields) ? [...fields] : undefined
}

test('integers from 0 and floats are read, wherever they stand', () => {
  const edges = [0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
  const number = fc.oneof(fc.maxSafeNat(), fc.constantFrom(...edges), fc.double())
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 23 }), numbers => {
      const value = encode(numbers.map(one => (one === 0 ? 0 : one)))
      const found = read(value, numbers.length)
      // Floats that fit into fewer bytes are left to the general decoder.
      if (found !== undefined) assert.deepEqual(found, decode(value))
      else assert.ok(numbers.some(one => !Number.isInteger(one) || one < 0 || one > 2 ** 53))
      const framed = Uint8Array.of(0xff, ...value, 0xff)
      const place = inPlace({ key, value: framed })
      place.valueFrom = 1
      place.valueTo = framed.length - 1
      assert.equal(readNumbers(place, new Float64Array(numbers.length)), found !== undefined)
    })
  )
})

test('times with fractions are read', () => {
  const times = [1763000000000.125, 0.1, -1.3]
  assert.deepEqual(read(encode(times), 3), times)
})

test('whatever is cut short, longer, or something else is left to others', () => {
  const value = encode([1, 24, 256, 65536, 2 ** 32, 0.1])
  assert.deepEqual(read(value, 6), [1, 24, 256, 65536, 2 ** 32, 0.1])
  for (let end = 0; end < value.length; end++)
    assert.equal(read(value.subarray(0, end), 6), undefined)
  assert.equal(read(Uint8Array.of(...value, 0), 6), undefined)
  assert.equal(read(value, 5), undefined)
  assert.equal(read(value, 7), undefined)
  for (const other of [[-1], ['a'], [null], [true], [[]], [{}], [new Uint8Array(1)], 1, 'a', {}]) {
    assert.equal(read(encode(other), 1), undefined, JSON.stringify(other))
  }
})

test('numbers that are not in their shortest form or too large are left to others', () => {
  const cases = [
    [0x18, 23],
    [0x19, 0, 255],
    [0x1a, 0, 0, 255, 255],
    [0x1b, 0, 0, 0, 0, 255, 255, 255, 255],
    [0x1b, 0, 32, 0, 0, 0, 0, 0, 0],
    [0x1b, 255, 255, 255, 255, 255, 255, 255, 255],
    [0x1c],
    [0x1f],
    [0xf9, 0, 0],
    [0xfa, 0, 0, 0, 0]
  ]
  for (const bytes of cases)
    assert.equal(read(Uint8Array.of(0x81, ...bytes), 1), undefined, bytes.join())
})

test.run()
