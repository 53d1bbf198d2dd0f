import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { base32upper } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import {
  blockIdFromBytes,
  blockIdToBytes,
  codecOf,
  createBlockId,
  digestOf,
  FOREIGN_ID_LENGTH_MAX,
  parseBlockId
} from '../../src/blocks/block-id.ts'
import type { BlockId } from '../../src/blocks/block-id.ts'

const test = suite('block id')

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 })
const EMPTY = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

test('is the CID that multiformats makes, both ways', () => {
  const codecs = fc.constantFrom(['raw', 0x55] as const, ['dag-cbor', 0x71] as const)
  fc.assert(
    fc.property(digests, codecs, (digest, [codec, number]) => {
      const cid = CID.createV1(number, createDigest(0x12, digest))
      const id = createBlockId(codec, digest)
      assert.equal(id, cid.toString())
      assert.deepEqual(blockIdToBytes(id), cid.bytes)
      assert.equal(blockIdFromBytes(cid.bytes), id)
      assert.equal(parseBlockId(cid.toString()), id)
      assert.deepEqual(digestOf(id), digest)
      assert.equal(codecOf(id), codec)
    }),
    { numRuns: 1000 }
  )
})

test('gives bytes of its own each time', () => {
  const id = EMPTY as BlockId
  blockIdToBytes(id).fill(0)
  digestOf(id).fill(0)
  assert.equal(blockIdFromBytes(blockIdToBytes(id)), id)
})

test('reads an id from the middle of a larger buffer', () => {
  const bytes = new Uint8Array(100)
  bytes.set(blockIdToBytes(EMPTY as BlockId), 17)
  assert.equal(blockIdFromBytes(bytes.subarray(17, 53)), EMPTY)
})

test('parses other text forms of the same id', () => {
  const cid = CID.parse(EMPTY)
  assert.equal(parseBlockId(cid.toString(base58btc)), EMPTY)
  assert.equal(parseBlockId(cid.toString(base36)), EMPTY)
})

test('parses upper case, which multiformats allows, to the one canonical form', () => {
  assert.equal(parseBlockId(`b${EMPTY.slice(1).toUpperCase()}`), EMPTY)
})

test('refuses every text that is no id of ours', () => {
  const cid = CID.parse(EMPTY)
  const hostile = [
    '',
    'b',
    EMPTY.slice(0, -1),
    `${EMPTY}a`,
    EMPTY.toUpperCase(),
    cid.toString(base32upper),
    `${EMPTY.slice(0, -1)}v`,
    EMPTY.replace('w', '1'),
    EMPTY.replace('w', 'é'),
    EMPTY.replace('w', '\u{1F600}'),
    `z${EMPTY.slice(1)}`,
    'QmY7Yh4UquoXHLPFo2XbhXkhBvFoPwmQUSa92pxnxjQuPU',
    CID.createV1(0x70, cid.multihash).toString(),
    CID.createV1(0x55, createDigest(0x13, cid.multihash.digest)).toString(),
    'z'.repeat(FOREIGN_ID_LENGTH_MAX + 1),
    'z'.repeat(10_000_000)
  ]
  for (const text of hostile) assert.throws(() => parseBlockId(text), { code: 'EINVAL' })
})

test('refuses any one character changed to one outside the alphabet', () => {
  for (let index = 0; index < EMPTY.length; index++) {
    for (const wrong of ['0', '8', '=', '\0', 'ÿ', 'Ā']) {
      const text = EMPTY.slice(0, index) + wrong + EMPTY.slice(index + 1)
      assert.throws(() => parseBlockId(text), { code: 'EINVAL' }, text)
      assert.throws(() => blockIdToBytes(text as BlockId), TypeError, text)
    }
  }
})

test('refuses bytes that are not exactly one id of ours', () => {
  const good = blockIdToBytes(EMPTY as BlockId)
  assert.throws(() => blockIdFromBytes(good.subarray(0, 35)), { code: 'EPROTO' })
  assert.throws(() => blockIdFromBytes(new Uint8Array([...good, 0])), { code: 'EPROTO' })
  assert.throws(() => blockIdFromBytes(new Uint8Array(0)), { code: 'EPROTO' })
  for (let index = 0; index < 4; index++) {
    for (let value = 0; value < 256; value++) {
      if (value === good[index] || (index === 1 && value === 0x71)) continue
      const bytes = good.slice()
      bytes[index] = value
      assert.throws(() => blockIdFromBytes(bytes), { code: 'EPROTO' })
    }
  }
})

test('is made of 32 bytes of digest and no other number', () => {
  for (const length of [0, 31, 33, 36]) {
    assert.throws(() => createBlockId('raw', new Uint8Array(length)), TypeError)
  }
})

test.run()
