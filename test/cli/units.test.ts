import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { formatAmount, formatBytes, formatDuration } from '../../src/cli/units.ts'

const test = suite('units')

test('writes bytes', () => {
  assert.equal(formatBytes(0), '0 B')
  assert.equal(formatBytes(1023), '1023 B')
  assert.equal(formatBytes(1536), '1.5 KiB')
  assert.equal(formatBytes(2 ** 60), '1024.0 PiB')
})

test('writes durations', () => {
  assert.equal(formatDuration(0), '0:00')
  assert.equal(formatDuration(7_400), '0:07')
  assert.equal(formatDuration(754_000), '12:34')
  assert.equal(formatDuration(7_384_000), '2:03:04')
})

test('writes amounts', () => {
  assert.equal(formatAmount(1, 'file'), '1 file')
  assert.equal(formatAmount(12_345, 'file'), '12,345 files')
})

test.run()
