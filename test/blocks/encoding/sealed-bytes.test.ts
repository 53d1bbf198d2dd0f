import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { BLOCK_BYTES_MAX } from '../../../src/blocks/block.ts'
import { deriveKeys } from '../../../src/blocks/encoding/derived-keys.ts'
import type { DerivedKeys } from '../../../src/blocks/encoding/derived-keys.ts'
import { formatReadKey } from '../../../src/blocks/encoding/read-key.ts'
import { SEAL_BYTES, openBytes, sealBytes } from '../../../src/blocks/encoding/sealed-bytes.ts'
import { isWarrenError } from '../../../src/errors.ts'
import { browser, here, noise } from './fixtures.ts'

const { cipher } = here
const nothing = new Uint8Array(0)
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const test = suite<{ keys: DerivedKeys }>('sealed bytes')

test.before(async context => {
  context.keys = await deriveKeys(cipher, formatReadKey(new Uint8Array(32)))
})

test('are what the format says', async ({ keys }) => {
  const example =
    '01663cfa5a9f16994f399fe7f99990325f3bae6d9240a82e48faa8155fa57c5199843924123c3ee6f0cf48af'
  const message = { parts: [Uint8Array.of(0), text('hi')], associated: nothing }
  for (const platform of [here, browser]) {
    const derived = await deriveKeys(platform.cipher, formatReadKey(new Uint8Array(32)))
    assert.deepEqual(derived, keys)
    const sealed = await sealBytes(platform.cipher, derived.data, message)
    assert.equal(Buffer.from(sealed).toString('hex'), example)
  }
})

test('open on the other platform', async ({ keys }) => {
  const associated = noise(90, 2)
  for (const length of [0, 1, 15, 16, 17, 4095, 70_000]) {
    const message = noise(length, 3)
    for (const [one, other] of [
      [here, browser],
      [browser, here]
    ] as const) {
      const parts = [message.subarray(0, length >> 1), message.subarray(length >> 1)]
      const sealed = await sealBytes(one.cipher, keys.node, { parts, associated })
      assert.equal(sealed.length, length + SEAL_BYTES)
      const opened = await openBytes(other.cipher, keys.node, { sealed, associated })
      assert.deepEqual(opened, message)
    }
  }
})

test('are equal for equal messages only', async ({ keys }) => {
  const seal = (...values: [kind: 'data' | 'node', message: string, associated: string]) =>
    sealBytes(cipher, keys[values[0]], { parts: [text(values[1])], associated: text(values[2]) })
  const one = await seal('data', 'abc', 'x')
  assert.deepEqual(await seal('data', 'abc', 'x'), one)
  const others = [
    await seal('data', 'abd', 'x'),
    await seal('data', 'abc', 'y'),
    // What is associated and what is the message cannot be mistaken for each other.
    await seal('data', 'bc', 'xa'),
    await seal('data', 'xabc', ''),
    await seal('node', 'abc', 'x')
  ]
  const vectors = [one, ...others].map(bytes => Buffer.from(bytes.subarray(9, 25)).toString('hex'))
  assert.equal(new Set(vectors).size, vectors.length)
})

test('show nothing of a message of zeros', async ({ keys }) => {
  const sealed = await sealBytes(cipher, keys.data, {
    parts: [new Uint8Array(4096)],
    associated: nothing
  })
  assert.ok(new Set(sealed).size > 250)
})

test('do not open when any byte was changed, or what belongs to them', async ({ keys }) => {
  for (const platform of [here, browser]) {
    const associated = text('links')
    const sealed = await sealBytes(platform.cipher, keys.node, {
      parts: [text('name')],
      associated
    })
    const refuse = async (changed: Uint8Array, beside: Uint8Array): Promise<void> =>
      assert.rejects(
        openBytes(platform.cipher, keys.node, { sealed: changed, associated: beside }),
        error => isWarrenError(error, 'EACCES') || isWarrenError(error, 'EPROTO')
      )
    for (let at = 0; at < sealed.length; at++) {
      // The id of the key is for finding it, and nothing else.
      if (at >= 1 && at < 9) continue
      const changed = sealed.slice()
      changed[at]! ^= 1 << (at % 8)
      await refuse(changed, associated)
    }
    for (let length = 0; length < sealed.length; length++) {
      await refuse(sealed.slice(0, length), associated)
    }
    await refuse(Uint8Array.of(...sealed, 0), associated)
    await refuse(sealed, text('link'))
    await refuse(sealed, nothing)
  }
})

test('do not open with other keys', async ({ keys }) => {
  const sealed = await sealBytes(cipher, keys.data, { parts: [text('x')], associated: nothing })
  const other = await deriveKeys(cipher, formatReadKey(noise(32)))
  for (const wrong of [other.data, keys.node, { ...keys.data, key: keys.node.key }]) {
    await assert.rejects(openBytes(cipher, wrong, { sealed, associated: nothing }), error =>
      isWarrenError(error, 'EACCES')
    )
  }
})

test('are no longer than a block', async ({ keys }) => {
  const open = (length: number): Promise<Uint8Array> => {
    const sealed = new Uint8Array(length)
    sealed[0] = 1
    return openBytes(cipher, keys.data, { sealed, associated: nothing })
  }
  await assert.rejects(open(BLOCK_BYTES_MAX), error => isWarrenError(error, 'EACCES'))
  await assert.rejects(open(BLOCK_BYTES_MAX + 1), error => isWarrenError(error, 'EPROTO'))
})

test.run()
