/** Trees made by somebody who wishes us ill: every walk ends, with `EPROTO` or with what is true. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Block, BlockId, BlockReader } from '../../../src/blocks/index.ts'
import { createBlockId } from '../../../src/blocks/index.ts'
import { isWarrenError, WarrenError } from '../../../src/errors.ts'
import { createTree } from '../../../src/namespace/tree/create-tree.ts'
import { LEVELS_MAX } from '../../../src/namespace/tree/limits.ts'
import { createNodeCache } from '../../../src/namespace/tree/node-cache.ts'
import type { Tree } from '../../../src/namespace/tree/tree.ts'
import { craftInner, craftLeaf } from './craft-node.ts'
import { collect, createFixture, text } from './tree-fixture.ts'

const test = suite('tree: hostile trees')

/** A peer that answers to any id with whatever bytes it likes; hashes are not this layer's concern. */
class LyingReader implements BlockReader {
  readonly blocks = new Map<BlockId, Uint8Array>()
  reads = 0
  #made = 0

  add(bytes: Uint8Array): BlockId {
    const id = this.nextId()
    this.blocks.set(id, bytes)
    return id
  }

  nextId(): BlockId {
    const digest = new Uint8Array(32)
    digest[0] = ++this.#made
    return createBlockId('dag-cbor', digest)
  }

  async get(id: BlockId): Promise<Uint8Array> {
    this.reads++
    assert.ok(this.reads < 1000, 'the walk does not end')
    const bytes = this.blocks.get(id)
    if (bytes === undefined) throw new WarrenError('EHOSTUNREACH')
    return bytes
  }

  async *getMany(ids: Iterable<BlockId> | AsyncIterable<BlockId>): AsyncGenerator<Block> {
    for await (const id of ids) yield { id, bytes: await this.get(id) }
  }

  open(root: BlockId): Tree {
    return createTree({ reader: this, cache: createNodeCache() }, root)
  }
}

function leaf(...keys: string[]): Uint8Array {
  return craftLeaf(keys.map(key => [text(key), text('v')]))
}

async function drain(walk: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of walk);
}

/** Every operation that walks the whole tree refuses it. */
async function refused(reader: LyingReader, root: BlockId, key = 'k'): Promise<void> {
  const isRefusal = (error: unknown): boolean => isWarrenError(error, 'EPROTO')
  const empty = createFixture().open()
  const walks: ((tree: Tree) => Promise<unknown>)[] = [
    tree => drain(tree.scan({})),
    tree => drain(tree.scan({}, { readAhead: true })),
    tree => drain(tree.reachable()),
    tree => drain(tree.differences(empty)),
    tree => drain(empty.differences(tree)),
    tree => tree.getMany([text(key)]),
    tree => tree.apply([{ key: text(key), value: text('new') }])
  ]
  for (const walk of walks) {
    reader.reads = 0
    await assert.rejects(walk(reader.open(root)), isRefusal)
  }
}

test('a node that is its own child', async () => {
  const reader = new LyingReader()
  const id = reader.nextId()
  reader.blocks.set(id, craftInner(1, [id, id], [text('m')]))
  await refused(reader, id)
  await assert.rejects(reader.open(id).get(text('k')), error => isWarrenError(error, 'EPROTO'))
})

test('a cycle over several levels', async () => {
  const reader = new LyingReader()
  const [top, low] = [reader.nextId(), reader.nextId()]
  reader.blocks.set(top, craftInner(2, [low, low], [text('m')]))
  reader.blocks.set(low, craftInner(1, [top, top], [text('c')]))
  await refused(reader, top)
  await assert.rejects(reader.open(top).get(text('k')), error => isWarrenError(error, 'EPROTO'))
})

test('children of a wrong level', async () => {
  const reader = new LyingReader()
  const leaves = [reader.add(leaf('k')), reader.add(leaf('z'))]
  const low = reader.add(craftInner(1, leaves, [text('m')]))
  await refused(reader, reader.add(craftInner(2, leaves, [text('m')])))
  await refused(reader, reader.add(craftInner(1, [low, low], [text('zz')])))
  await refused(reader, reader.add(craftInner(3, [low, low], [text('zz')])))
})

test('keys outside the bounds of their place', async () => {
  const reader = new LyingReader()
  const inner = (...leaves: Uint8Array[]): BlockId => {
    const ids = leaves.map(bytes => reader.add(bytes))
    return reader.add(craftInner(1, ids, [text('m')]))
  }
  await drain(reader.open(inner(leaf('a', 'k'), leaf('m', 'z'))).scan({}))
  await refused(reader, inner(leaf('a', 'm'), leaf('n')))
  await refused(reader, inner(leaf('a', 'z'), leaf('n')))
  await refused(reader, inner(leaf('a'), leaf('k', 'z')), 'n')
  // Separators that reach out of the bounds of their own node.
  const good = inner(leaf('a'), leaf('m'))
  const late = reader.add(
    craftInner(1, [reader.add(leaf('n')), reader.add(leaf('p'))], [text('o')])
  )
  await refused(reader, reader.add(craftInner(2, [good, late], [text('b')])), 'a')
  await refused(reader, reader.add(craftInner(2, [good, late], [text('oo')])), 'p')
})

test('a neighbour outside its bounds is not joined', async () => {
  const reader = new LyingReader()
  const [first, last] = [reader.add(leaf('a')), reader.add(leaf('p'))]
  const change = { key: text('b'), value: text('v') }
  for (const [middle, isRefused] of [
    [leaf('m', 'n'), false],
    [leaf('m', 'z'), true],
    [leaf('c', 'n'), true]
  ] as const) {
    const ids = [first, reader.add(middle), last]
    const tree = reader.open(reader.add(craftInner(1, ids, [text('m'), text('p')])))
    if (!isRefused) assert.equal((await collect(await tree.apply([change]))).length, 5)
    else await assert.rejects(tree.apply([change]), error => isWarrenError(error, 'EPROTO'))
  }
})

test('an empty leaf below the root', async () => {
  const reader = new LyingReader()
  const root = reader.add(craftInner(1, [reader.add(leaf()), reader.add(leaf('z'))], [text('m')]))
  await refused(reader, root)
})

test('one subtree in many places is not walked again and again', async () => {
  const reader = new LyingReader()
  let id = reader.add(leaf('a'))
  for (let level = 1; level < LEVELS_MAX; level++) {
    const separators = Array.from({ length: 200 }, (_, index) => Uint8Array.of(0x70, index))
    id = reader.add(
      craftInner(
        level,
        Array.from({ length: 201 }, () => id),
        separators
      )
    )
  }
  // A single key is found where it is; a walk of the whole meets the second copy and stops.
  assert.deepEqual((await reader.open(id).get(text('a')))?.value, text('v'))
  await refused(reader, id, 'pz')
})

test('blocks that are no nodes', async () => {
  const reader = new LyingReader()
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(1000),
    text('a file'),
    leaf('a').slice(1)
  ]) {
    const root = reader.add(bytes)
    await refused(reader, root)
    await assert.rejects(reader.open(root).get(text('k')), error => isWarrenError(error, 'EPROTO'))
    await refused(reader, reader.add(craftInner(1, [root, reader.add(leaf('z'))], [text('m')])))
  }
})

test('a reader that answers with another block, or ends early', async () => {
  const reader = new LyingReader()
  const ids = ['a', 'm', 'p'].map(key => reader.add(leaf(key)))
  const root = reader.add(craftInner(1, ids, [text('m'), text('p')]))
  const broken = async (getMany: BlockReader['getMany']): Promise<void> => {
    const tree = createTree(
      { reader: { get: id => reader.get(id), getMany }, cache: createNodeCache() },
      root
    )
    await assert.rejects(collect(tree, {}, { readAhead: true }), error =>
      isWarrenError(error, 'EIO')
    )
    assert.deepEqual((await tree.get(text('m')))?.value, text('v'))
  }
  await broken(async function* () {})
  await broken(ids2 => reader.getMany(reversed(ids2)))
})

async function* reversed(ids: Iterable<BlockId> | AsyncIterable<BlockId>): AsyncGenerator<BlockId> {
  const all: BlockId[] = []
  for await (const id of ids) all.push(id)
  yield* all.reverse()
}

test.run()
