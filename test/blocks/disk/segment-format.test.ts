import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  KIND,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  createSegmentHeader,
  decodeSegmentHeader,
  encodeSegmentHeader,
  readRecordHeader,
  writeRecordHeader
} from '../../../src/blocks/disk/segment-format.ts'
import { checksumWords } from '../../../src/blocks/disk/checksum.ts'
import { BLOCK_BYTES_MAX } from '../../../src/blocks/block.ts'
import { blockIdToBytes } from '../../../src/blocks/block-id.ts'
import { randomBlocks } from '../../contracts/block-store-contract.ts'

const test = suite('segment format')
const id = blockIdToBytes((await randomBlocks(1))[0]!.id)

function encodeRecord(length: number, segment = createSegmentHeader(1)): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES)
  const record = { kind: KIND.node, length, target: 7, id }
  writeRecordHeader(new DataView(bytes.buffer), 0, segment, record)
  return bytes
}

test('keeps the bytes it is specified to have', () => {
  const header = { number: 9, first: 3, last: 4, mark: 0x01020304, seed: 0x05060708 }
  const hex = Buffer.from(encodeSegmentHeader(header)).toString('hex')
  assert.equal(hex.slice(0, 56), '77617272656e53310403020108070605090000000300000004000000')
  assert.deepEqual(decodeSegmentHeader(Buffer.from(hex, 'hex')), header)
})

test('computes the published checksum', () => {
  const text = new TextEncoder().encode('test')
  // MurmurHash3_x86_32 of 'test' with two seeds, as its reference computes it.
  const view = new DataView(text.buffer)
  assert.equal(checksumWords(view, 0, 1, 0x9747b28c), 0x704b81dc)
  assert.equal(checksumWords(view, 0, 1, 0), 0xba6bd213)
})

test('reads back what it wrote', () => {
  const segment = createSegmentHeader(12, { first: 3, last: 5 })
  assert.deepEqual(decodeSegmentHeader(encodeSegmentHeader(segment)), segment)
  const bytes = encodeRecord(BLOCK_BYTES_MAX, segment)
  const expected = { kind: KIND.node, length: BLOCK_BYTES_MAX, target: 7 }
  assert.deepEqual(readRecordHeader(new DataView(bytes.buffer), 0, segment), expected)
})

test('reads no header with a damaged bit or cut short', () => {
  const segment = createSegmentHeader(12, { first: 3, last: 5 })
  const good = encodeSegmentHeader(segment)
  const record = encodeRecord(5, segment)
  for (let bit = 0; bit < SEGMENT_HEADER_BYTES * 8; bit++) {
    assert.equal(decodeSegmentHeader(withoutBit(good, bit)), undefined)
  }
  for (let bit = 0; bit < RECORD_HEADER_BYTES * 8; bit++) {
    const view = new DataView(withoutBit(record, bit).buffer)
    assert.equal(readRecordHeader(view, 0, segment), undefined)
  }
  assert.equal(decodeSegmentHeader(good.subarray(0, SEGMENT_HEADER_BYTES - 1)), undefined)
  const short = new DataView(record.buffer, 0, RECORD_HEADER_BYTES - 1)
  assert.equal(readRecordHeader(short, 0, segment), undefined)
})

test('reads no record of another segment, of no kind or too long', () => {
  const segment = createSegmentHeader(1)
  const read = (bytes: Uint8Array): unknown =>
    readRecordHeader(new DataView(bytes.buffer), 0, segment)
  assert.equal(read(encodeRecord(5, createSegmentHeader(1))), undefined)
  assert.equal(read(encodeRecord(BLOCK_BYTES_MAX + 1, segment)), undefined)
  for (const kind of [0, 6, 255]) {
    const bytes = new Uint8Array(RECORD_HEADER_BYTES)
    const record = { kind: kind as 1, length: 5, target: 0, id }
    writeRecordHeader(new DataView(bytes.buffer), 0, segment, record)
    assert.equal(read(bytes), undefined)
  }
})

test('reads no segment header whose range makes no sense', () => {
  const header = { number: 5, first: 2, last: 4, mark: 1, seed: 2 }
  for (const wrong of [{ first: 0 }, { first: 5 }, { last: 6 }, { number: 3 }]) {
    assert.equal(decodeSegmentHeader(encodeSegmentHeader({ ...header, ...wrong })), undefined)
  }
})

function withoutBit(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes)
  changed[bit >> 3]! ^= 1 << (bit & 7)
  return changed
}

test.run()
