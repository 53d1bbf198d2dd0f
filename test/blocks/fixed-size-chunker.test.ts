import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BLOCK_BYTES_MAX } from '../../src/blocks/block.ts'
import { fixedSizeChunks } from '../../src/blocks/fixed-size-chunker.ts'

const test = suite('fixed-size chunker')

test('gives back its source in chunks of one size, however the source was cut', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 40 }), async (source, size) => {
      const expected = Buffer.concat(source)
      const chunks = await collect(fixedSizeChunks(size)(from(source)))
      assert.deepEqual(Buffer.concat(chunks), expected)
      for (const [index, chunk] of chunks.entries()) {
        const isLast = index === chunks.length - 1
        assert.equal(chunk.length, isLast ? expected.length - index * size : size)
      }
    }),
    { numRuns: 300 }
  )
})

test('gives no chunk for an empty source', async () => {
  assert.deepEqual(await collect(fixedSizeChunks(8)(from([]))), [])
  assert.deepEqual(await collect(fixedSizeChunks(8)(from([new Uint8Array(0)]))), [])
})

test('copies nothing that lies within one piece', async () => {
  const pieces = [new Uint8Array(16), new Uint8Array(8), new Uint8Array(20)]
  const chunks = await collect(fixedSizeChunks(8)(from(pieces)))
  const buffers = [pieces[0], pieces[0], ...pieces.slice(1), pieces[2], pieces[2]]
  assert.deepEqual(
    chunks.map(chunk => chunk.buffer === buffers.shift()!.buffer),
    [true, true, true, true, true, true]
  )
})

test('keeps no large buffer for a short last chunk', async () => {
  const [chunk] = await collect(
    fixedSizeChunks(BLOCK_BYTES_MAX)(from([Uint8Array.of(1), Uint8Array.of(2)]))
  )
  assert.equal(chunk!.buffer.byteLength, 2)
})

test('cuts chunks of up to the largest block and refuses one byte more', () => {
  fixedSizeChunks(BLOCK_BYTES_MAX)
  for (const size of [BLOCK_BYTES_MAX + 1, 0, -1, 1.5, Number.NaN]) {
    assert.throws(() => fixedSizeChunks(size), TypeError)
  }
})

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const collected: Uint8Array[] = []
  for await (const chunk of chunks) collected.push(chunk)
  return collected
}

test.run()
