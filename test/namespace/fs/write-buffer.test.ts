/** The write buffer against an array, and what it promises about pieces that were handed out. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { WriteBuffer, copyPieces, endOf } from '../../../src/namespace/fs/write-buffer.ts'

const SIZE = 200
const test = suite('write buffer')

function nothing(): (number | undefined)[] {
  return Array.from({ length: SIZE }, () => undefined)
}

const operation = fc.oneof(
  fc.record({
    kind: fc.constantFrom('write' as const, 'borrow' as const),
    at: fc.nat(SIZE - 40),
    bytes: fc.uint8Array({ maxLength: 40 })
  }),
  fc.record({
    kind: fc.constant('truncate' as const),
    at: fc.nat(SIZE),
    bytes: fc.constant(new Uint8Array(0))
  })
)

test('the newest write wins, pieces are in order and never overlap, handed-out ones never change', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), operations => {
      const buffer = new WriteBuffer()
      const model = nothing()
      const handedOut: { bytes: Uint8Array; copy: Uint8Array }[] = []
      for (const { kind, at, bytes } of operations) {
        if (kind === 'truncate') {
          buffer.truncate(at)
          model.fill(undefined, at)
        } else {
          buffer[kind](at, bytes.slice())
          for (const [index, byte] of bytes.entries()) model[at + index] = byte
        }
        const pieces = buffer.pieces()
        for (const { bytes } of pieces) handedOut.push({ bytes, copy: bytes.slice() })
        let end = 0
        const found = nothing()
        for (const piece of pieces) {
          assert(piece.offset >= end && piece.bytes.length > 0)
          end = endOf(piece)
          for (const [index, byte] of piece.bytes.entries()) found[piece.offset + index] = byte
        }
        assert.deepEqual(found, model)
      }
      for (const { bytes, copy } of handedOut) assert.deepEqual(bytes, copy)
      const target = new Uint8Array(50).fill(255)
      copyPieces(buffer.pieces(), target, 30)
      assert.deepEqual(
        Array.from(target),
        model.slice(30, 80).map(byte => byte ?? 255)
      )
    })
  )
})

test('what is borrowed is copied when it has to outlive its write', () => {
  const buffer = new WriteBuffer()
  const own = Uint8Array.of(1, 2, 3)
  buffer.borrow(0, own)
  buffer.own()
  own.fill(9)
  assert.deepEqual(Array.from(buffer.pieces()[0]!.bytes), [1, 2, 3])
})

test('many small writes one after the other are few pieces, and counted', () => {
  const buffer = new WriteBuffer()
  for (let at = 0; at < 3_000_000; at += 10) buffer.write(at, new Uint8Array(10))
  assert(buffer.pieces().length < 10, `${buffer.pieces().length} pieces`)
  assert(buffer.bytes >= 3_000_000 && buffer.bytes < 3_100_000)
  const scattered = new WriteBuffer()
  for (let at = 0; at < 1000; at++) scattered.write(at * 2, new Uint8Array(1))
  assert(scattered.bytes > 100_000, 'pieces cost more than their bytes')
  const rewritten = new WriteBuffer()
  for (let round = 0; round < 1000; round++) rewritten.write(round % 2, new Uint8Array(1000))
  assert(rewritten.bytes > 1_000_000, 'cut pieces keep their memory')
})

test.run()
