import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import {
  createReadKey,
  formatReadKey,
  parseReadKey,
  readKeyToBytes
} from '../../../src/blocks/encoding/read-key.ts'
import { noise } from './fixtures.ts'

const test = suite('read key')

test('is the same after a trip through text', () => {
  for (let seed = 1; seed < 50; seed++) {
    const bytes = noise(32, seed)
    const key = formatReadKey(bytes)
    assert.equal(key.length, 43)
    assert.equal(parseReadKey(key), key)
    assert.deepEqual(readKeyToBytes(key), bytes)
  }
})

test('is another one each time', () => {
  assert.notEqual(createReadKey(), createReadKey())
})

test('has one text only, and no other length', () => {
  const key = formatReadKey(noise(32))
  const refused = (error: unknown): boolean =>
    // What was given may be a secret with a slip in it.
    isWarrenError(error, 'EINVAL') && !error.message.includes(key.slice(0, 20))
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const texts = last.split('').map(character => key.slice(0, -1) + character)
  const accepted = texts.filter(text => {
    try {
      return parseReadKey(text) === text
    } catch (error) {
      assert.ok(refused(error))
      return false
    }
  })
  assert.equal(accepted.length, 16)
  for (const text of ['', key.slice(1), `${key}A`, `${key}=`, ` ${key}`, `${key}\n`]) {
    assert.throws(() => parseReadKey(text), refused)
  }
  assert.throws(() => formatReadKey(noise(31)), TypeError)
  assert.throws(() => formatReadKey(noise(33)), TypeError)
})

test.run()
