/** The format of nodes: what is written, that it is read back, and that nothing else is read. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BLOCK_BYTES_MAX, blockIdToBytes, createBlockId } from '../../../src/blocks/index.ts'
import { isWarrenError } from '../../../src/errors.ts'
import { InnerNode } from '../../../src/namespace/tree/inner-node.ts'
import { compareKeys } from '../../../src/namespace/tree/keys.ts'
import type { LeafEntry } from '../../../src/namespace/tree/leaf.ts'
import { OpenLeaf, PackedLeaf, entryBytes } from '../../../src/namespace/tree/leaf.ts'
import { KEY_BYTES_MAX, LEVELS_MAX, VALUE_BYTES_MAX } from '../../../src/namespace/tree/limits.ts'
import { Link } from '../../../src/namespace/tree/link.ts'
import { decodeNode, encodeInner, encodeLeaf } from '../../../src/namespace/tree/node.ts'
import { craft, craftInner, craftLeaf, craftNode, CraftedLink } from './craft-node.ts'
import { text } from './tree-fixture.ts'

const test = suite('tree: node format')

const nodeId = createBlockId('dag-cbor', new Uint8Array(32).fill(1))
const otherId = createBlockId('dag-cbor', new Uint8Array(32).fill(2))
const dataId = createBlockId('raw', new Uint8Array(32).fill(3))

function openLeaf(entries: readonly LeafEntry[]): OpenLeaf {
  return new OpenLeaf(
    entries,
    entries.reduce((sum, entry) => sum + entryBytes(entry), 0)
  )
}

function refused(bytes: Uint8Array, why?: RegExp): void {
  assert.throws(
    () => decodeNode(bytes),
    error => isWarrenError(error, 'EPROTO') && (why === undefined || why.test(error.message))
  )
}

/** Values whose lengths take heads of three and five bytes. */
const large = [1000, 66_000].map(length => new Uint8Array(length).fill(7))

const bytesOf = (most: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: most })
const entries = fc
  .uniqueArray(
    fc.record({
      key: bytesOf(20),
      value: fc.oneof(bytesOf(300), fc.constantFrom(...large)),
      link: fc.option(
        fc.constantFrom(nodeId, dataId).map(id => Link.fromId(id)),
        { nil: undefined }
      )
    }),
    { selector: ({ key }) => Buffer.from(key).toString('hex'), maxLength: 300 }
  )
  .map(list => list.toSorted((left, right) => compareKeys(left.key, right.key)))

test('the example of the format is what is written', () => {
  const entry = { key: text('a'), value: text('b'), link: undefined }
  const bytes = encodeLeaf(openLeaf([entry]))
  assert.equal(Buffer.from(bytes).toString('hex'), '830180488300824161416280')
})

test('leaves come back as they were, and as a general encoder writes them', () => {
  fc.assert(
    fc.property(entries, list => {
      const open = openLeaf(list)
      const bytes = encodeLeaf(open)
      const leaf = decodeNode(bytes)
      assert.ok(leaf instanceof PackedLeaf)
      assert.equal(leaf.contentBytes, open.contentBytes)
      assert.equal(bytes.length, bytes.buffer.byteLength)
      assert.ok(bytes.length <= leaf.contentBytes + 32)
      const plain = (all: readonly LeafEntry[]): unknown =>
        all.map(({ key, value, link }) => ({ key, value, link: link?.id }))
      assert.deepEqual(plain(leaf.entries()), plain(list))
      const linked = list.flatMap(({ link }, index) =>
        link === undefined ? [] : [{ link, index }]
      )
      const body = [
        0,
        list.flatMap(({ key, value }) => [key, value]),
        linked.map(({ index }) => index)
      ]
      const crafted = craftNode(
        linked.map(({ link }) => link.id),
        body
      )
      assert.deepEqual(bytes, crafted)
      assert.deepEqual(encodeLeaf(openLeaf(leaf.entries())), bytes)
    }),
    { numRuns: 50 }
  )
})

test('inner nodes come back as they were, and as a general encoder writes them', () => {
  for (const count of [2, 23, 24, 25, 256, 300]) {
    const separators = Array.from({ length: count - 1 }, (_, index) => {
      return Uint8Array.of(1 + (index >> 8), index & 0xff)
    })
    const ids = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? nodeId : otherId))
    const crafted = craftInner(3, ids, separators)
    const node = decodeNode(crafted)
    assert.ok(node instanceof InnerNode)
    assert.equal(node.level, 3)
    assert.deepEqual(node.lowers.slice(1), separators)
    assert.deepEqual(
      node.children.map(child => (child as Link).id),
      ids
    )
    const links = node.children as readonly Link[]
    assert.deepEqual(encodeInner(new InnerNode(3, node.lowers, links), links), crafted)
  }
})

test('what is not exactly one node is refused', () => {
  const list = [
    { key: text('a'), value: text('one'), link: Link.fromId(dataId) },
    { key: text('b'), value: new Uint8Array(300), link: undefined }
  ]
  const nodes = [encodeLeaf(openLeaf(list)), craftInner(1, [nodeId, otherId], [text('m')])]
  for (const bytes of nodes) {
    decodeNode(bytes)
    for (let length = 0; length < bytes.length; length++) refused(bytes.slice(0, length))
    refused(new Uint8Array([...bytes, 0]))
  }
})

test('a node with any one bit changed is refused or is itself well formed', () => {
  const list = [{ key: text('abc'), value: text('one'), link: Link.fromId(dataId) }]
  for (const bytes of [encodeLeaf(openLeaf(list)), craftInner(1, [nodeId, otherId], [text('m')])]) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      let node: ReturnType<typeof decodeNode>
      try {
        node = decodeNode(changed)
      } catch (error) {
        assert.ok(isWarrenError(error, 'EPROTO'))
        continue
      }
      // There is only one way to write a node.
      const again =
        node instanceof InnerNode
          ? encodeInner(node, node.children as readonly Link[])
          : encodeLeaf(openLeaf(node.entries()))
      assert.deepEqual(again, changed)
    }
  }
})

test('random bytes are refused and nothing worse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      refused(bytes)
      refused(new Uint8Array([0x83, 0x01, 0x80, ...bytes]))
    }),
    { numRuns: 2000 }
  )
})

test('versions, shapes and types that are not ours are refused', () => {
  const [a, b] = [text('a'), text('b')]
  const value = text('v')
  refused(craft([3, [], craft([0, [a, value], []])]), /version 3/)
  assert.throws(() => decodeNode(craft([2, [], text('sealed')])), { code: 'EACCES' })
  refused(craft([1, []]), /list of three/)
  refused(craft([1, [], craft([0, [], []]), 0]), /list of three/)
  refused(craft({ version: 1 }))
  refused(craft([1, {}, craft([0, [], []])]))
  refused(craft([1, [], [0, [], []]]))
  refused(craft([1.5, [], craft([0, [], []])]))
  refused(craft([-1, [], craft([0, [], []])]))
  for (const level of [-1, 0.5, '0', null, [0], 0n, 2n ** 40n]) {
    if (level !== 0n) refused(craftNode([], [level, [a, value], []]))
  }
  refused(craftNode([], [0, { a: value }, []]))
  refused(craftNode([], [0, [a, 'v'], []]))
  refused(craftNode([], [0, [a, 7], []]))
  refused(craftNode([], [0, [a, value, b], []]), /without a value/)
  refused(craftNode([], [0, [a, value]]))
  refused(craftNode([], [0, [a, value], [], 0]))
  refused(craftNode([], []))
  refused(craftNode([nodeId, otherId], [1, [a], []]))
  refused(craftNode([nodeId, otherId], [1, ['a']]))
})

test('keys that do not ascend strictly are refused', () => {
  const value = text('v')
  decodeNode(
    craftLeaf([
      [new Uint8Array(0), value],
      [text('a'), value]
    ])
  )
  refused(
    craftLeaf([
      [text('b'), value],
      [text('a'), value]
    ]),
    /order/
  )
  refused(
    craftLeaf([
      [text('a'), value],
      [text('a'), value]
    ]),
    /order/
  )
  refused(
    craftLeaf([
      [text('ab'), value],
      [text('a'), value]
    ]),
    /order/
  )
  refused(
    craftLeaf([
      [Uint8Array.of(0x80), value],
      [Uint8Array.of(0x7f), value]
    ]),
    /order/
  )
  const ids = [nodeId, otherId, nodeId]
  refused(craftInner(1, ids, [text('b'), text('a')]), /order/)
  refused(craftInner(1, ids, [text('a'), text('a')]), /order/)
  refused(craftInner(1, [nodeId, otherId], [new Uint8Array(0)]), /empty separator/)
})

test('links that lie are refused', () => {
  const pair = [text('a'), text('v'), text('b'), text('v')]
  decodeNode(craftNode([dataId], [0, pair, [1]]))
  decodeNode(craftNode([dataId, dataId], [0, pair, [0, 1]]))
  refused(craftNode([], [0, pair, [1]]), /1 owners for 0 links/)
  refused(craftNode([dataId], [0, pair, []]), /0 owners for 1 links/)
  refused(craftNode([dataId], [0, pair, [2]]), /owner 2 of 2/)
  refused(craftNode([dataId, dataId], [0, pair, [1, 0]]), /owner/)
  refused(craftNode([dataId, dataId], [0, pair, [1, 1]]), /owner/)
  refused(craftInner(1, [nodeId], []), /separators/)
  refused(craftInner(1, [], []), /separators/)
  refused(craftInner(1, [nodeId, otherId, nodeId], [text('m')]), /separators/)
  refused(craftInner(1, [nodeId, dataId], [text('m')]), /not a node/)
  const body = craft([0, pair, [0]])
  refused(craft([1, [blockIdToBytes(dataId)], body]), /no link/)
  const sha1 = craft([1, [new CraftedLink(dataId)], body])
  sha1[sha1.indexOf(0x12)] = 0x11
  refused(sha1, /kind we do not use/)
})

test('counts that lie cost no memory', () => {
  const many = [0x9a, 0xff, 0xff, 0xff, 0xff]
  const longest = [0x9b, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff]
  refused(Uint8Array.from([0x83, 0x01, ...many, 0x40]), /array of 4294967295/)
  refused(Uint8Array.from([0x83, 0x01, ...longest, 0x40]), /length/)
  refused(Uint8Array.from([0x83, 0x01, 0x80, 0x47, 0x83, 0x00, ...many]), /array/)
  refused(Uint8Array.from([0x83, 0x01, 0x80, 0x5a, 0xff, 0xff, 0xff, 0xff, 0x00]), /byte string/)
  // Indefinite lengths, lengths not in their shortest form, deep nesting.
  refused(Uint8Array.from([0x9f, 0x01, 0x80, 0x48]))
  refused(Uint8Array.from([0x98, 0x03, 0x01, 0x80, 0x44, 0x83, 0x00, 0x80, 0x80]), /shortest/)
  refused(Uint8Array.from([0x83, 0x18, 0x01, 0x80, 0x44, 0x83, 0x00, 0x80, 0x80]), /shortest/)
  refused(new Uint8Array(100_000).fill(0x81))
})

test('keys, values, levels and blocks over their limits are refused', () => {
  const key = (length: number): Uint8Array => new Uint8Array(length)
  decodeNode(craftLeaf([[key(KEY_BYTES_MAX), key(VALUE_BYTES_MAX)]]))
  refused(craftLeaf([[key(KEY_BYTES_MAX + 1), key(0)]]), /1025 bytes/)
  refused(craftLeaf([[key(1), key(VALUE_BYTES_MAX + 1)]]), /66561 bytes/)
  decodeNode(craftInner(1, [nodeId, otherId], [key(KEY_BYTES_MAX)]))
  refused(craftInner(1, [nodeId, otherId], [key(KEY_BYTES_MAX + 1)]), /1025 bytes/)
  decodeNode(craftInner(LEVELS_MAX - 1, [nodeId, otherId], [text('m')]))
  refused(craftInner(LEVELS_MAX, [nodeId, otherId], [text('m')]), /level 16/)
  const large = Array.from({ length: 18 }, (_, index) => {
    return [Uint8Array.of(index), new Uint8Array(60_000)] as const
  })
  refused(craftLeaf(large), new RegExp(`${BLOCK_BYTES_MAX} at most`))
})

test.run()
