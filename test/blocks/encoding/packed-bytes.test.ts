import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { constants, createZstdCompress, deflateRawSync, zstdCompressSync } from 'node:zlib'
import { BLOCK_BYTES_MAX } from '../../../src/blocks/block.ts'
import type { Compression } from '../../../src/blocks/encoding/compression.ts'
import { joinBytes } from '../../../src/blocks/join-bytes.ts'
import { packBytes, unpackBytes } from '../../../src/blocks/encoding/packed-bytes.ts'
import { isWorthCompressing } from '../../../src/blocks/encoding/worth-compressing.ts'
import { isWarrenError } from '../../../src/errors.ts'
import { browser, here, noise, prose } from './fixtures.ts'

const all: readonly Compression[] = [...here.compressions, ...browser.compressions]

const refused = (error: unknown): boolean => isWarrenError(error, 'EPROTO')

/** Packed bytes that say they are of so many. */
function pack(method: number, length: number, compressed: Uint8Array): Uint8Array {
  const head = new Uint8Array(5)
  head[0] = method
  new DataView(head.buffer).setUint32(1, length)
  return joinBytes([head, compressed])
}

/** Of unknown length, so that the window is not made smaller than asked. */
async function compressAsStream(content: Uint8Array, windowLog: number): Promise<Uint8Array> {
  const stream = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } })
  stream.write(content.subarray(0, 10))
  await new Promise<void>(resolve => stream.flush(resolve))
  stream.end(content.subarray(10))
  const pieces: Uint8Array[] = []
  for await (const piece of stream as AsyncIterable<Uint8Array>) pieces.push(piece)
  return joinBytes(pieces)
}

const test = suite('packed bytes')

test('are small for what can be compressed, in every way', async () => {
  const content = prose(100_000)
  for (const compression of all) {
    const packed = joinBytes(await packBytes(content, compression))
    assert.equal(packed[0], compression.method)
    assert.ok(packed.length < content.length / 2, `${packed.length}`)
    for (const readers of [here.compressions, browser.compressions]) {
      if (!readers.some(({ method }) => method === compression.method)) continue
      assert.deepEqual(await unpackBytes(packed, readers), content)
    }
  }
})

test('are one byte longer at most', async () => {
  const contents = [new Uint8Array(0), Uint8Array.of(7), prose(300), noise(100_000)]
  for (const content of contents) {
    for (const compression of [undefined, ...all]) {
      const packed = joinBytes(await packBytes(content, compression))
      assert.equal(packed.length, content.length + 1)
      assert.deepEqual(await unpackBytes(packed, all), content)
    }
  }
})

test('hold what was guessed wrongly as it is', async () => {
  // Only the bytes that the sample is taken from are all the same.
  const content = noise(64 * 1024)
  const step = (content.length - 128) / 15
  for (let run = 0; run < 16; run++) content.fill(0, run * step, run * step + 129)
  assert.equal(isWorthCompressing(content), true)
  for (const compression of all) {
    const packed = joinBytes(await packBytes(content, compression))
    assert.deepEqual(await unpackBytes(packed, all), content)
    assert.ok(packed.length <= content.length + 1)
  }
})

test('guesses by kinds of content', () => {
  const base64 = new TextEncoder().encode(Buffer.from(noise(60_000)).toString('base64'))
  assert.equal(isWorthCompressing(prose(50_000)), true)
  assert.equal(isWorthCompressing(base64), true)
  assert.equal(isWorthCompressing(new Uint8Array(4096)), true)
  for (let seed = 1; seed < 20; seed++) {
    for (const length of [512, 700, 5_000, 131_072]) {
      assert.equal(isWorthCompressing(noise(length, seed)), false, `${length} bytes`)
    }
  }
  assert.equal(isWorthCompressing(deflateRawSync(prose(400_000))), false)
  assert.equal(isWorthCompressing(prose(511)), false)
})

test('lie about their length in vain', async () => {
  const content = prose(10_000)
  for (const compression of all) {
    const compressed = await compression.compress(content)
    for (const length of [0, 1, 9_999, 10_001, BLOCK_BYTES_MAX]) {
      await assert.rejects(unpackBytes(pack(compression.method, length, compressed), all), refused)
    }
    const tooLong = pack(compression.method, BLOCK_BYTES_MAX + 1, compressed)
    await assert.rejects(unpackBytes(tooLong, all), refused)
  }
})

test('that would fill the memory are stopped at the length they say', async () => {
  const bombs = [
    [1, deflateRawSync(new Uint8Array(256 * 1024 * 1024))],
    [2, zstdCompressSync(new Uint8Array(256 * 1024 * 1024))]
  ] as const
  for (const [method, bomb] of bombs) {
    const before = process.memoryUsage()
    for (const length of [BLOCK_BYTES_MAX, 100]) {
      for (const readers of [here.compressions, browser.compressions]) {
        if (!readers.some(known => known.method === method)) continue
        await assert.rejects(unpackBytes(pack(method, length, bomb), readers), refused)
      }
    }
    const { arrayBuffers, external } = process.memoryUsage()
    const grown = arrayBuffers + external - before.arrayBuffers - before.external
    assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes more`)
  }
})

test('that ask for a window larger than a block are refused', async () => {
  const content = prose(100_000)
  const greedy = await compressAsStream(content, 24)
  const modest = await compressAsStream(content, 20)
  assert.deepEqual(await unpackBytes(pack(2, content.length, modest), all), content)
  await assert.rejects(unpackBytes(pack(2, content.length, greedy), all), refused)
})

test('that are cut off or changed are refused, or are other bytes of that length', async () => {
  const content = prose(2_000)
  for (const compression of all) {
    const packed = joinBytes(await packBytes(content, compression))
    await assert.rejects(unpackBytes(packed.slice(0, 0), all), refused)
    for (let length = 1; length < packed.length; length += 7) {
      await assert.rejects(unpackBytes(packed.slice(0, length), all), refused)
    }
    for (let at = 1; at < packed.length; at += 11) {
      const changed = packed.slice()
      changed[at]! ^= 0x10
      try {
        assert.equal((await unpackBytes(changed, all)).length, content.length)
      } catch (error) {
        assert.ok(refused(error))
      }
    }
  }
})

test('of a way that is not known here say so', async () => {
  const packed = pack(9, 10, noise(20))
  await assert.rejects(unpackBytes(packed, all), error => isWarrenError(error, 'ENOTSUP'))
  const zstd = pack(2, 100_000, zstdCompressSync(prose(100_000)))
  await assert.rejects(unpackBytes(zstd, browser.compressions), error =>
    isWarrenError(error, 'ENOTSUP')
  )
})

test.run()
