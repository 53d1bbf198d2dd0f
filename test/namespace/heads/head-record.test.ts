import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { encode } from 'cborg'
import { blockIdToBytes } from '../../../src/blocks/index.ts'
import {
  HEAD_BYTES_MAX,
  decodeHead,
  readHead,
  signHead
} from '../../../src/namespace/heads/head-record.ts'
import { importSigningKey } from '../../../src/peer/index.ts'
import type { SigningKey } from '../../../src/peer/index.ts'
import { TIME_MS, createOwner, rootOf } from './fixtures.ts'

const test = suite('head record')

test('gives back what was signed', async () => {
  const { key, volume } = await createOwner()
  for (const sequence of [0, 1, 23, 24, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const signed = await signHead(key, { sequence, root: rootOf(7), timeMs: TIME_MS })
    assert.deepEqual(await readHead(signed.bytes), signed)
    assert.equal(signed.volume, volume)
    assert.equal(signed.bytes.constructor, Uint8Array)
    assert.ok(signed.bytes.length <= 165, `${signed.bytes.length} bytes`)
  }
})

test('keeps its format', async () => {
  const privateKey = Buffer.from(
    '0801' +
      '1240' +
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60' +
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    'hex'
  )
  const key = await importSigningKey(privateKey)
  const { bytes } = await signHead(key, { sequence: 5, root: rootOf(1), timeMs: TIME_MS })
  assert.equal(
    Buffer.from(bytes.subarray(0, -64)).toString('hex'),
    '8601' +
      '5820d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' +
      '05' +
      '582401711220' +
      '00000001' +
      '00'.repeat(28) +
      '1b00000199c82cc000' +
      '5840'
  )
})

test('does not keep alive the message it came in', async () => {
  const { bytes } = await (await createOwner()).sign(1)
  const message = new Uint8Array(100_000)
  message.set(bytes, 500)
  const head = await readHead(message.subarray(500, 500 + bytes.length))
  assert.equal(head.bytes.buffer.byteLength, bytes.length)
})

test('refuses to sign what is no whole number', async () => {
  const { key } = await createOwner()
  for (const bad of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    const root = rootOf(1)
    await assert.rejects(signHead(key, { sequence: bad, root, timeMs: 0 }), TypeError)
    await assert.rejects(signHead(key, { sequence: 1, root, timeMs: bad }), TypeError)
  }
})

test('refuses every truncation and every trailing byte', async () => {
  const { bytes } = await (await createOwner()).sign(3)
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(readHead(bytes.subarray(0, length)), { code: 'EPROTO' })
  }
  await assert.rejects(readHead(new Uint8Array([...bytes, 0])), { code: 'EPROTO' })
})

test('refuses every record with one bit changed', async () => {
  const { bytes } = await (await createOwner()).sign(3)
  for (let index = 0; index < bytes.length; index++) {
    const changed = bytes.slice()
    changed[index]! ^= 1 << (index % 8)
    await assert.rejects(
      readHead(changed),
      ({ code }: { code?: unknown }) => code === 'EPROTO' || code === 'EBADMSG',
      `byte ${index}`
    )
  }
})

test("refuses another owner's signature", async () => {
  const [alice, mallory] = await Promise.all([createOwner(), createOwner()])
  const forger: SigningKey = {
    publicKey: alice.key.publicKey,
    sign: bytes => mallory.key.sign(bytes),
    export: () => mallory.key.export()
  }
  const forged = await signHead(forger, { sequence: 9, root: rootOf(9), timeMs: TIME_MS })
  assert.equal(forged.volume, alice.volume)
  await assert.rejects(readHead(forged.bytes), { code: 'EBADMSG' })
})

test('refuses a signature of the same bytes without their domain', async () => {
  const { key } = await createOwner()
  const items = [1, key.publicKey, 4, blockIdToBytes(rootOf(4)), TIME_MS]
  const bytes = encode([...items, await key.sign(encode(items))])
  await assert.rejects(readHead(bytes), { code: 'EBADMSG' })
})

test('refuses what is not exactly a record', async () => {
  const { key } = await createOwner()
  const root = blockIdToBytes(rootOf(4))
  const signature = new Uint8Array(64)
  const good = [1, key.publicKey, 4, root, TIME_MS, signature]
  const replaced = (index: number, value: unknown): unknown[] => good.with(index, value as never)
  const refused: unknown[] = [
    ...[0, 2, '1', null].map(version => replaced(0, version)),
    ...[new Uint8Array(31), new Uint8Array(33), 'key', 7].map(value => replaced(1, value)),
    ...[-1, 1.5, '4', null, 2n ** 53n, 2n ** 63n].map(value => replaced(2, value)),
    ...[root.subarray(1), new Uint8Array(36), 'root', null].map(value => replaced(3, value)),
    ...[-1, 0.5, true].map(value => replaced(4, value)),
    ...[new Uint8Array(63), new Uint8Array(65), 'sign'].map(value => replaced(5, value)),
    good.slice(0, 5),
    [...good, 0],
    [good],
    Object.fromEntries(good.entries()),
    {},
    null,
    'head',
    7
  ]
  for (const value of refused) {
    await assert.rejects(readHead(encode(value)), { code: 'EPROTO' }, JSON.stringify(value, show))
  }
  for (const value of [undefined, null, 'text', [1, 2], {}]) {
    await assert.rejects(readHead(value), { code: 'EPROTO' })
  }
})

test('refuses other encodings of a good record', async () => {
  const { bytes } = await (await createOwner()).sign(3)
  const rest = bytes.subarray(1)
  const indefinite = new Uint8Array([0x9f, ...rest, 0xff])
  const longHeader = new Uint8Array([0x98, 6, ...rest])
  const longVersion = new Uint8Array([0x86, 0x18, 1, ...bytes.subarray(2)])
  const floatVersion = new Uint8Array([0x86, 0xf9, 0x3c, 0, ...bytes.subarray(2)])
  for (const other of [indefinite, longHeader, longVersion, floatVersion]) {
    await assert.rejects(readHead(other), { code: 'EPROTO' })
  }
})

test('refuses a record over the limit and nesting within it', async () => {
  await assert.rejects(readHead(new Uint8Array(HEAD_BYTES_MAX + 1)), { code: 'EPROTO' })
  await assert.rejects(readHead(new Uint8Array(HEAD_BYTES_MAX).fill(0x81)), { code: 'EPROTO' })
  await assert.rejects(readHead(new Uint8Array(100_000_000)), { code: 'EPROTO' })
  const lying = new Uint8Array([0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1])
  await assert.rejects(readHead(lying), { code: 'EPROTO' })
})

test('is read without its signature only when asked so', async () => {
  const { bytes } = await (await createOwner()).sign(3)
  const unsigned = bytes.slice()
  unsigned.fill(0, -64)
  assert.equal(decodeHead(unsigned).sequence, 3)
  await assert.rejects(readHead(unsigned), { code: 'EBADMSG' })
})

function show(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

test.run()
