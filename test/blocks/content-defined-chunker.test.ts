import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { BLOCK_BYTES_MAX } from '../../src/blocks/block.ts'
import { contentDefinedChunks } from '../../src/blocks/content-defined-chunker.ts'
import type { ContentDefinedChunksOptions } from '../../src/blocks/content-defined-chunker.ts'

const test = suite('content-defined chunker')

const SMALL = { bytesMin: 128, bytesAverage: 512, bytesMax: 2048 }

test('gives back its source within the bounds, however the source was cut', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(fc.nat(20_000), cuts, async (length, sizes) => {
      const bytes = patternless(length, 1)
      const whole = await lengths(bytes, SMALL)
      const chunks = await collect(contentDefinedChunks(SMALL)(pieces(bytes, sizes)))
      assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), bytes)
      assert.deepEqual(
        chunks.map(chunk => chunk.length),
        whole
      )
      for (const [index, chunk] of chunks.entries()) {
        assert.ok(chunk.length <= SMALL.bytesMax)
        if (index < chunks.length - 1) assert.ok(chunk.length >= SMALL.bytesMin)
      }
    }),
    { numRuns: 100 }
  )
})

test('changes only the chunks around an edit', async () => {
  const edit = fc.record({
    at: fc.nat(100_000),
    removed: fc.nat(100),
    added: fc.uint8Array({ maxLength: 100 })
  })
  const bytes = patternless(200_000, 2)
  const before = await digests(bytes)
  await fc.assert(
    fc.asyncProperty(edit, async ({ at, removed, added }) => {
      const edited = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
      const known = new Set(before)
      const changed = (await digests(edited)).filter(digest => !known.has(digest))
      assert.ok(changed.length <= 12, `${changed.length} of ${before.length} chunks changed`)
    }),
    { numRuns: 100 }
  )
})

test('has chunks of about the average size', async () => {
  const sizes = await lengths(patternless(4_000_000, 3), SMALL)
  const average = 4_000_000 / sizes.length
  assert.ok(average > 450 && average < 750, `${average} bytes on average`)
})

test('cuts where it has always cut, so that old and new blocks are found to be alike', async () => {
  const bytes = patternless(1024 * 1024, 4)
  const expected = [211_020, 191_827, 136_774, 94_712, 34_485, 138_456, 150_760, 90_542]
  assert.deepEqual(await lengths(bytes, {}), expected)
  const all = createHash('sha256')
    .update((await lengths(bytes, SMALL)).join())
    .digest('hex')
  assert.equal(all, '63e0f973327e24e29ab4f475bc5e9b057cdd1cf1009adc66acc58c9f73ec0f0a')
})

test('cuts content without a pattern to cut at into chunks of one size', async () => {
  const sizes = await lengths(new Uint8Array(10_000), SMALL)
  assert.ok(sizes.length <= 10_000 / SMALL.bytesMin + 1)
  assert.equal(new Set(sizes.slice(0, -1)).size, 1)
})

test('takes a source of single bytes', async () => {
  const bytes = patternless(5000, 5)
  const chunks = await collect(contentDefinedChunks(SMALL)(pieces(bytes, [1])))
  assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), bytes)
})

test('gives no chunk for an empty source', async () => {
  assert.deepEqual(await lengths(new Uint8Array(0), {}), [])
})

test('refuses sizes that are not in order, not whole or larger than a block', () => {
  contentDefinedChunks({ bytesMin: 1, bytesAverage: BLOCK_BYTES_MAX, bytesMax: BLOCK_BYTES_MAX })
  contentDefinedChunks({ bytesMin: 256, bytesAverage: 256, bytesMax: 256 })
  const refused: ContentDefinedChunksOptions[] = [
    { bytesAverage: 1000 },
    { bytesAverage: 128 },
    { bytesAverage: 2 * BLOCK_BYTES_MAX },
    { bytesAverage: Number.NaN },
    { bytesMin: 0 },
    { bytesMin: 1.5 },
    { bytesMin: 200_000 },
    { bytesMax: 100_000 },
    { bytesMax: BLOCK_BYTES_MAX + 1 }
  ]
  for (const options of refused) assert.throws(() => contentDefinedChunks(options), TypeError)
})

/** Bytes of a small generator of our own, the same on every machine and in every version of Node. */
function patternless(length: number, seed: number): Uint8Array {
  let state = seed
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state >>> 24
  })
}

async function* pieces(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  let offset = 0
  for (let index = 0; offset < bytes.length; index++) {
    const size = sizes[index % sizes.length]!
    yield bytes.subarray(offset, offset + size)
    offset += size
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const collected: Uint8Array[] = []
  for await (const chunk of chunks) collected.push(chunk)
  return collected
}

async function lengths(bytes: Uint8Array, options: ContentDefinedChunksOptions): Promise<number[]> {
  const chunks = await collect(contentDefinedChunks(options)(pieces(bytes, [bytes.length])))
  return chunks.map(chunk => chunk.length)
}

async function digests(bytes: Uint8Array): Promise<string[]> {
  const chunks = await collect(contentDefinedChunks(SMALL)(pieces(bytes, [bytes.length])))
  return chunks.map(chunk => createHash('sha256').update(chunk).digest('hex'))
}

test.run()
