/** Searching keys where they stand, held against a plain search. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { KeyIndex } from '../../../src/namespace/tree/key-index.ts'
import { compareKeys, separatorBetween } from '../../../src/namespace/tree/keys.ts'

const test = suite('tree: keys')

/** Few values, so that keys share beginnings, are beginnings of one another, and end in zeros. */
const byte = fc.constantFrom(0, 0, 1, 127, 128, 255)
const key = fc
  .tuple(fc.constantFrom([], [9, 9, 9], [9, 9, 9, 0, 0]), fc.array(byte, { maxLength: 8 }))
  .map(([start, end]) => Uint8Array.from([...start, ...end]))

function ascending(keys: readonly Uint8Array[]): Uint8Array[] {
  const distinct = new Map(keys.map(one => [Buffer.from(one).toString('hex'), one]))
  return [...distinct.values()].toSorted(compareKeys)
}

function indexOf(keys: readonly Uint8Array[]): KeyIndex {
  const bounds: number[] = []
  let at = 3
  for (const one of keys) {
    bounds.push(at, at + one.length)
    at += one.length + 2
  }
  const block = new Uint8Array(at).fill(77)
  for (const [index, one] of keys.entries()) block.set(one, bounds[2 * index])
  return new KeyIndex(block, Uint32Array.from(bounds), 2)
}

test('keys compare bytewise, unsigned, shorter first', () => {
  fc.assert(
    fc.property(key, key, (left, right) => {
      const expected = Buffer.compare(left, right)
      assert.equal(Math.sign(compareKeys(left, right)), expected)
    })
  )
})

test('a key is found where it is, or where it would be', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60, size: 'max' }), fc.array(key), (some, others) => {
      const keys = ascending(some)
      const index = indexOf(keys)
      for (const wanted of [...some, ...others]) {
        const expected = keys.findIndex(one => compareKeys(one, wanted) >= 0)
        assert.equal(index.position(wanted), expected < 0 ? keys.length : expected)
      }
      for (const [position, one] of keys.entries()) {
        assert.deepEqual(index.key(position), one)
        assert.equal(index.compare(position, one), 0)
      }
    }),
    { numRuns: 500 }
  )
})

test('a separator is after the one, not after the other, and no longer than it must be', () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      const [left, right] = ascending([one, other])
      if (left === undefined || right === undefined) return
      const separator = separatorBetween(left, right)
      assert.ok(compareKeys(left, separator) < 0)
      assert.ok(compareKeys(separator, right) <= 0)
      const shorter = separator.subarray(0, separator.length - 1)
      assert.ok(compareKeys(shorter, left) <= 0)
    })
  )
})

test.run()
