/** Encodings without Buffer give what Buffer gives. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { TextEncoding } from '../../../src/namespace/fs/index.ts'
import { decodeText, encodeText } from '../../../src/namespace/fs/text.ts'

const test = suite('text encodings')

const ENCODINGS: readonly TextEncoding[] = [
  'utf8',
  'utf-8',
  'ascii',
  'latin1',
  'binary',
  'base64',
  'base64url',
  'hex',
  'utf16le',
  'utf-16le',
  'ucs2',
  'ucs-2'
]

for (const encoding of ENCODINGS) {
  test(`${encoding} decodes as Buffer does`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        assert.equal(decodeText(bytes, encoding), Buffer.from(bytes).toString(encoding))
      })
    )
  })

  test(`${encoding} encodes as Buffer does`, () => {
    // What is not ASCII in base64 or hex is garbage, and Buffer makes garbage of it: of a character
    // beyond it reads the low byte, which may be a digit.
    const isAscii = encoding.startsWith('base64') || encoding === 'hex'
    const unit = isAscii ? 'binary-ascii' : 'binary'
    const text = fc.oneof(
      fc.string({ unit }),
      fc.base64String(),
      fc.stringMatching(/^[0-9a-fA-F]*$/),
      fc.stringMatching(/^[\w=+/ -]*$/)
    )
    fc.assert(
      fc.property(text, text => {
        const expected = Buffer.from(text, encoding)
        assert.equal(Buffer.compare(encodeText(text, encoding), expected), 0)
      })
    )
  })
}

test('long text is not put on the stack', () => {
  const bytes = new Uint8Array(1_000_000).fill(65)
  assert.equal(decodeText(bytes, 'latin1').length, 1_000_000)
  assert.equal(decodeText(bytes, 'base64').length, Math.ceil(1_000_000 / 3) * 4)
})

test('an unknown encoding is misuse', () => {
  assert.throws(() => decodeText(new Uint8Array(1), 'nope' as TextEncoding), TypeError)
  assert.throws(() => encodeText('x', 'nope' as TextEncoding), { code: 'ERR_INVALID_ARG_VALUE' })
})

test.run()
