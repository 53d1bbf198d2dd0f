import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { encode as encodeCbor } from 'cborg'
import { createBlock } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { createDecodingReader } from '../../../src/blocks/encoding/decoding-reader.ts'
import { formatReadKey } from '../../../src/blocks/encoding/read-key.ts'
import { SEALING_BYTES_MAX, Sealing } from '../../../src/blocks/encoding/sealing.ts'
import { createLocalReader } from '../../../src/blocks/local-block-reader.ts'
import { createMemoryBlockStore } from '../../../src/blocks/memory-block-store.ts'
import { readNodeLinks } from '../../../src/blocks/node-links.ts'
import { isWarrenError } from '../../../src/errors.ts'
import { encodeNode, makeBlocks } from '../exchange/exchange-fixtures.ts'
import { browser, here, noise, prose } from './fixtures.ts'

const key = formatReadKey(noise(32, 1))
const otherKey = formatReadKey(noise(32, 2))
const sealing = new Sealing(key)

const test = suite<{ ids: BlockId[] }>('sealing')

test.before(async context => {
  context.ids = (await makeBlocks(300, 8)).map(({ id }) => id)
})

const isCode =
  (...codes: ('EACCES' | 'EPROTO')[]) =>
  (error: unknown): boolean =>
    codes.some(code => isWarrenError(error, code))

/** A node of the tree's form: the fixture's, with another body, whose head cborg knows to write. */
function node(links: readonly BlockId[], body: Uint8Array): Uint8Array {
  const start = encodeNode(links, 0)
  return Uint8Array.from([...start.subarray(0, start.length - 5), ...encodeCbor(body)])
}

test('gives data back, of every size', async () => {
  for (const content of [new Uint8Array(0), noise(1), prose(20_000), noise(131_072)]) {
    const bytes = await sealing.encode('raw', content)
    assert.ok(bytes.length <= content.length + SEALING_BYTES_MAX)
    assert.deepEqual(await sealing.decode('raw', bytes), content)
    assert.deepEqual(await sealing.encode('raw', content), bytes)
  }
})

test('leaves the links of a node in clear and nothing else', async ({ ids }) => {
  for (const count of [0, 1, 23, 24, 255, 256, 300]) {
    for (const body of [noise(1), noise(20), noise(255), prose(30_000), noise(70_000)]) {
      const links = ids.slice(0, count)
      const content = node(links, body)
      const bytes = await sealing.encode('dag-cbor', content)
      assert.deepEqual(readNodeLinks(bytes), links)
      assert.deepEqual(await sealing.decode('dag-cbor', bytes), content)
      if (body.length > 1) assert.equal(Buffer.from(bytes).includes(body.subarray(0, 8)), false)
    }
  }
})

test('is the same on both platforms but for compression', async ({ ids }) => {
  const web = new Sealing(key, browser)
  const contents = [
    ['raw', noise(5_000)],
    ['dag-cbor', node(ids.slice(0, 3), noise(700))]
  ] as const
  for (const [codec, content] of contents) {
    const bytes = await sealing.encode(codec, content)
    assert.deepEqual(await web.encode(codec, content), bytes)
    assert.deepEqual(await web.decode(codec, bytes), content)
  }
  const deflated = await web.encode('raw', prose(50_000))
  assert.ok(deflated.length < 25_000)
  assert.deepEqual(await sealing.decode('raw', deflated), prose(50_000))
})

test('opens nothing without its key, whatever byte was changed', async ({ ids }) => {
  const blocks = [
    ['raw', await sealing.encode('raw', prose(40))],
    ['dag-cbor', await sealing.encode('dag-cbor', node(ids.slice(0, 1), prose(30)))]
  ] as const
  for (const [codec, bytes] of blocks) {
    await assert.rejects(new Sealing(otherKey).decode(codec, bytes), isCode('EACCES'))
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at]! ^= 0x20
      await assert.rejects(sealing.decode(codec, changed), isCode('EACCES', 'EPROTO'), `${at}`)
      await assert.rejects(
        sealing.decode(codec, bytes.slice(0, at)),
        isCode('EACCES', 'EPROTO'),
        `${at} bytes`
      )
    }
    const longer = Uint8Array.of(...bytes, 0)
    await assert.rejects(sealing.decode(codec, longer), isCode('EACCES', 'EPROTO'))
  }
})

test('does not take one kind of block for the other, nor what is not sealed', async ({ ids }) => {
  const plain = node(ids.slice(0, 2), prose(30))
  await assert.rejects(sealing.decode('dag-cbor', plain), isCode('EPROTO'))
  await assert.rejects(sealing.decode('raw', prose(100)), isCode('EPROTO'))
  await assert.rejects(sealing.encode('dag-cbor', prose(100)), isCode('EPROTO'))
  const sealed = await sealing.encode('dag-cbor', plain)
  await assert.rejects(sealing.encode('dag-cbor', sealed), isCode('EPROTO'))
  // The sealed body of a node as a block of data.
  const body = sealed.subarray(sealed.length - 41 - 31)
  await assert.rejects(sealing.decode('raw', body), isCode('EACCES', 'EPROTO'))
})

test('opens what any of its keys has sealed, and seals with the first', async () => {
  const both = new Sealing(key)
  both.add(otherKey)
  both.add(key)
  assert.equal(both.readKey, key)
  const content = noise(100)
  for (const one of [key, otherKey]) {
    assert.deepEqual(
      await both.decode('raw', await new Sealing(one).encode('raw', content)),
      content
    )
  }
  assert.deepEqual(await both.encode('raw', content), await sealing.encode('raw', content))
})

test('without a key changes nothing', async () => {
  const empty = new Sealing(undefined, here)
  assert.equal(empty.isEmpty, true)
  assert.equal(empty.readKey, undefined)
  const content = noise(10)
  assert.equal(await empty.encode('raw', content), content)
  assert.equal(await empty.decode('raw', content), content)
})

test('a reader hands out contents, as soon as there is a key', async ({ ids }) => {
  const contents = [prose(9_000), noise(9_000)]
  const tree = node(ids.slice(0, 2), prose(5_000))
  const blocks = [
    ...(await Promise.all(
      contents.map(async content => createBlock('raw', await sealing.encode('raw', content)))
    )),
    await createBlock('dag-cbor', await sealing.encode('dag-cbor', tree))
  ]
  const store = createMemoryBlockStore()
  await store.putMany(blocks)
  const late = new Sealing()
  const reader = createDecodingReader(createLocalReader(store), late)
  const wanted = blocks.map(({ id }) => id)
  const read = async (): Promise<Uint8Array[]> => {
    const found: Uint8Array[] = []
    for await (const { id, bytes } of reader.getMany(wanted)) {
      assert.equal(id, wanted[found.length])
      found.push(bytes)
    }
    assert.deepEqual(await reader.get(wanted[1]!), found[1])
    return found
  }
  assert.deepEqual(
    await read(),
    blocks.map(({ bytes }) => bytes)
  )
  late.add(key)
  assert.deepEqual(await read(), [...contents, tree])
})

test.run()
