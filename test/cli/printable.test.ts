import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { printable, printableJson } from '../../src/cli/printable.ts'

const test = suite('printable')

test('leaves ordinary names of all languages alone', () => {
  const names = ['photo 1.jpg', 'Übung', '写真', 'עברית', '🙂', 'a\\b', "it's"]
  for (const name of names) assert.equal(printable(name), name)
})

test('escapes what a terminal obeys', () => {
  assert.equal(printable('a\u001b[31mred'), 'a\\u{1b}[31mred')
  assert.equal(printable('\u009b2J'), '\\u{9b}2J')
  assert.equal(printable('one\ntwo\r\tthree\u0007\u007f'), 'one\\ntwo\\r\\tthree\\u{7}\\u{7f}')
})

test('escapes what turns text around, hides it or breaks the line', () => {
  assert.equal(printable('gpj.\u202eexe'), 'gpj.\\u{202e}exe')
  assert.equal(
    printable('\u2066\u2069\u200b\u2028\ufeff'),
    '\\u{2066}\\u{2069}\\u{200b}\\u{2028}\\u{feff}'
  )
  assert.equal(printable('half \ud800'), 'half \\u{d800}')
  assert.equal(printable('\u{e0041}'), '\\u{e0041}')
})

test('escapes JSON without changing what it says', () => {
  const value = { name: '\u202e\u009b\u007f\u{e0041}\n\\n', list: [1] }
  const text = printableJson(value)
  assert.match(text, /^[\x20-\x7e]+$/)
  assert.deepEqual(JSON.parse(text), value)
})

test.run()
