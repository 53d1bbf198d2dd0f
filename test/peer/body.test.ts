import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { encode } from 'cborg'
import { decodeBody, encodeBody } from '../../src/peer/body.ts'
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from '../../src/peer/limits.ts'

const test = suite('message body')

const EPROTO = { code: 'EPROTO' }

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}

function nested(depth: number): Uint8Array {
  return new Uint8Array(depth + 1).fill(0x81, 0, depth)
}

test('gives back plain values', () => {
  const values = [null, true, 0, -1, 2 ** 40, 1.5, '', 'ü', [], [1, [2]], {}, { a: { b: [] } }]
  for (const value of values) assert.deepEqual(decodeBody(encodeBody(value)), value)
  assert.deepEqual(decodeBody(encodeBody(2n ** 63n)), 2n ** 63n)
  assert.deepEqual(decodeBody(encodeBody(Uint8Array.of(1, 2))), Uint8Array.of(1, 2))
})

test('leaves out properties that are undefined', () => {
  assert.deepEqual(decodeBody(encodeBody({ a: undefined, b: 1 })), { b: 1 })
})

test('decodes byte strings into arrays of their own', () => {
  const encoded = encodeBody({ id: Uint8Array.of(1, 2, 3) })
  const { id } = decodeBody(encoded) as { id: Uint8Array }
  encoded.fill(0)
  assert.deepEqual(id, Uint8Array.of(1, 2, 3))
})

test('refuses what is not one strictly encoded value', () => {
  const hostile = {
    nothing: '',
    'two values': '0101',
    'a truncated array': '8201',
    'a truncated string': '6261',
    'a longer integer than needed': '1801',
    'an indefinite array': '9f01ff',
    'an indefinite string': '7f6161ff',
    'a break alone': 'ff',
    'a tag': 'c11a00000000',
    'a repeated key': 'a2616101616102',
    'a key that is no string': 'a10102',
    'a huge array': '9bffffffffffffffff',
    'a huge map': 'bbffffffffffffffff',
    'a huge string': '7b00ffffffffffffff',
    'a reserved code': '1c',
    NaN: 'f97e00',
    infinity: 'f97c00'
  }
  for (const [name, hex] of Object.entries(hostile)) {
    assert.throws(() => decodeBody(bytes(hex)), EPROTO, name)
  }
})

test('does not let a key reach the prototype', () => {
  const body = decodeBody(bytes('a1695f5f70726f746f5f5fa1616101')) as Record<string, unknown>
  assert.equal(Object.getPrototypeOf(body), Object.prototype)
  assert.equal(body.a, undefined)
})

test('refuses nesting below the limit, however deep', () => {
  decodeBody(nested(BODY_DEPTH_MAX))
  assert.throws(() => decodeBody(nested(BODY_DEPTH_MAX + 1)), EPROTO)
  assert.throws(() => decodeBody(nested(BODY_BYTES_MAX - 1)), EPROTO)
  // Breadth is no depth: closed values do not count.
  const wide = Array.from({ length: 1000 }, () => [[], { a: [] }])
  assert.deepEqual(decodeBody(encodeBody(wide)), wide)
})

test('refuses to encode more than the limit, and what CBOR cannot hold', () => {
  const fits = new Uint8Array(BODY_BYTES_MAX - 5)
  assert.equal(encodeBody(fits).length, BODY_BYTES_MAX)
  assert.throws(() => encodeBody(new Uint8Array(BODY_BYTES_MAX - 4)), { code: 'EINVAL' })
  assert.throws(() => encodeBody(Symbol('no')), { code: 'EINVAL' })
  const circle: unknown[] = []
  circle.push(circle)
  assert.throws(() => encodeBody(circle), { code: 'EINVAL' })
})

test('survives random bytes', () => {
  for (let round = 0; round < 20_000; round++) {
    const junk = crypto.getRandomValues(new Uint8Array(round % 40))
    try {
      decodeBody(junk)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'EPROTO')
    }
  }
})

test('survives every change of one byte of a valid body', () => {
  const valid = encode({ list: [1, 'two', Uint8Array.of(3)], map: { deep: { deeper: null } } })
  for (let index = 0; index < valid.length; index++) {
    for (let value = 0; value < 256; value++) {
      const changed = valid.slice()
      changed[index] = value
      try {
        decodeBody(changed)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'EPROTO')
      }
    }
  }
})

test.run()
