import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { parseSize } from '../../src/cli/size.ts'

const test = suite('size')

test('reads what people write', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['4096', 4096],
    ['12B', 12],
    ['1kB', 1_000],
    ['1KB', 1_000],
    ['50GB', 50_000_000_000],
    ['50gb', 50_000_000_000],
    ['50 GB', 50_000_000_000],
    ['1.5TiB', 1.5 * 1024 ** 4],
    ['0.5MiB', 524_288],
    ['1.0001kB', 1_000],
    ['9007199254740991', Number.MAX_SAFE_INTEGER]
  ] as const) {
    assert.equal(parseSize(text, 'size'), bytes, text)
  }
})

test('says what is wrong with anything else', () => {
  for (const [text, expected] of [
    ['', /--bytes : not a size/],
    ['GB', /--bytes GB: not a size/],
    ['-1GB', /not a size/],
    ['1e9', /not a size/],
    ['1,5GB', /not a size/],
    ['.5GB', /not a size/],
    ['0x10', /not a size/],
    ['NaN', /not a size/],
    ['Infinity', /not a size/],
    ['50G', /'G' is none of B, kB/],
    ['50 lots', /'lots' is none of/],
    ['1.5', /not whole bytes/],
    ['9007199254740992', /more than any disk has/],
    ['9PiB', /more than any disk has/]
  ] as const) {
    assert.throws(() => parseSize(text, '--bytes'), { name: 'UsageError', message: expected }, text)
  }
})

test.run()
