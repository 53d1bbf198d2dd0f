import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { BLOCK_BYTES_MAX, createBlock, isBlock, verifyBlock } from '../../src/blocks/block.ts'
import { HASHED_HERE_BYTES_MAX, sha256 } from '../../src/blocks/sha256.ts'

const test = suite('block')

test('hashes alike on either side of the size where hashing moves to the pool', async () => {
  for (const length of [0, 1, HASHED_HERE_BYTES_MAX, HASHED_HERE_BYTES_MAX + 1, BLOCK_BYTES_MAX]) {
    const bytes = new Uint8Array(length).map((_, index) => index * 7)
    const expected = new Uint8Array(createHash('sha256').update(bytes).digest())
    assert.deepEqual(await sha256(bytes), expected)
    assert.deepEqual(
      await sha256(new Uint8Array(length + 9).subarray(9)),
      await sha256(new Uint8Array(length))
    )
  }
})

test('hashes without the modules of Node, as in a browser', async () => {
  const original = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule')!
  Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true })
  try {
    const specifier = '../../src/blocks/sha256.ts?browser'
    const browser: { sha256: typeof sha256 } = await import(specifier)
    const bytes = new TextEncoder().encode('alice')
    assert.notEqual(browser.sha256, sha256)
    assert.deepEqual(await browser.sha256(bytes), await sha256(bytes))
  } finally {
    Object.defineProperty(process, 'getBuiltinModule', original)
  }
})

test('is verified by its hash, whichever its codec', async () => {
  for (const codec of ['raw', 'dag-cbor'] as const) {
    for (const length of [0, 10, HASHED_HERE_BYTES_MAX + 1]) {
      const block = await createBlock(codec, new Uint8Array(length))
      await verifyBlock(block)
      const longer = { id: block.id, bytes: new Uint8Array(length + 1) }
      assert.equal(await isBlock(longer), false)
      await assert.rejects(verifyBlock(longer), { code: 'EBADMSG' })
    }
  }
})

test('is refused when any bit differs', async () => {
  const block = await createBlock('raw', new Uint8Array(8))
  for (let bit = 0; bit < 64; bit++) {
    const bytes = block.bytes.slice()
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    await assert.rejects(verifyBlock({ id: block.id, bytes }), { code: 'EBADMSG' })
  }
})

test('may have a mebibyte and not a byte more', async () => {
  await createBlock('raw', new Uint8Array(BLOCK_BYTES_MAX))
  const over = new Uint8Array(BLOCK_BYTES_MAX + 1)
  await assert.rejects(createBlock('raw', over), { code: 'EFBIG' })
  const { id } = await createBlock('raw', new Uint8Array(1))
  await assert.rejects(verifyBlock({ id, bytes: over }), { code: 'EBADMSG' })
})

test.run()
