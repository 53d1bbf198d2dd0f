/** Trees whose nodes are sealed: the same tree for who has the key, and links for everybody else. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  Sealing,
  codecOf,
  createDecodingReader,
  createReadKey,
  readNodeLinks
} from '../../../src/blocks/index.ts'
import type { BlockId, ReadKey } from '../../../src/blocks/index.ts'
import { createTree } from '../../../src/namespace/tree/create-tree.ts'
import { createNodeCache } from '../../../src/namespace/tree/node-cache.ts'
import type { NodeCache } from '../../../src/namespace/tree/node-cache.ts'
import type { Change, Tree } from '../../../src/namespace/tree/tree.ts'
import { collect, createFixture, danglingId, numberKey, run, set, text } from './tree-fixture.ts'
import type { TreeFixture } from './tree-fixture.ts'

const ENTRIES = 4_000

const test = suite('sealed tree')

interface Sealed extends TreeFixture {
  readonly key: ReadKey
  /** A tree as who has this key sees it. */
  openWith(key: ReadKey, root?: BlockId, cache?: NodeCache): Tree
}

function createSealedFixture(): Sealed {
  const fixture = createFixture()
  return {
    ...fixture,
    key: createReadKey(),
    openWith(key, root, cache = createNodeCache()) {
      const encoding = new Sealing(key)
      const reader = createDecodingReader(fixture.reader, encoding)
      return createTree({ reader, cache, encoding }, root)
    }
  }
}

async function changes(): Promise<Change[]> {
  return Promise.all(
    Array.from({ length: ENTRIES }, async (_, index): Promise<Change> => {
      const change = set(numberKey(index), text(`a secret name, number ${index}`))
      return index % 7 === 0 ? { ...change, link: await danglingId(index) } : change
    })
  )
}

async function stored(
  fixture: Sealed
): Promise<{ readonly root: BlockId; readonly list: readonly Change[] }> {
  const list = await changes()
  const tree = await (await fixture.openWith(fixture.key).apply(list)).flush(fixture.store)
  return { root: tree.root, list }
}

const isSealed = { code: 'EACCES' }

test('holds what a plain tree holds, for who has the key', async () => {
  const fixture = createSealedFixture()
  const { root, list } = await stored(fixture)
  const read = await collect(fixture.openWith(fixture.key, root), {}, { readAhead: true })
  assert.deepEqual(
    read.map(({ key, value, link }) => ({ key, value, link })),
    list.map(({ key, value, link }) => ({ key, value, link }))
  )
  const tree = fixture.openWith(fixture.key, root)
  assert.deepEqual((await tree.get(numberKey(5)))?.value, list[5]!.value)
  const some = [3, 700, 3_999].map(number => numberKey(number))
  const found = await fixture.openWith(fixture.key, root).getMany(some)
  assert.deepEqual(
    found.map(entry => entry?.value),
    [3, 700, 3_999].map(number => list[number]!.value)
  )
})

test('is followed by its links without the key, to the last block', async () => {
  const fixture = createSealedFixture()
  const { root } = await stored(fixture)
  const followed = new Set<BlockId>()
  const pending = [root]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    followed.add(id)
    const bytes = await fixture.store.get(id)
    if (codecOf(id) === 'dag-cbor') pending.push(...readNodeLinks(bytes!))
  }
  const reachable = new Set<BlockId>()
  for await (const ids of fixture.openWith(fixture.key, root).reachable()) {
    for (const id of ids) reachable.add(id)
  }
  assert.deepEqual(followed, reachable)
  assert.ok(followed.size > ENTRIES / 7)
})

test('shows nothing of its entries', async () => {
  const fixture = createSealedFixture()
  await stored(fixture)
  const secret = Buffer.from('secret')
  let nodes = 0
  for await (const id of fixture.store.ids()) {
    nodes++
    assert.equal(Buffer.from((await fixture.store.get(id))!).includes(secret), false)
  }
  assert.ok(nodes > 3)
})

test('is not read without the key, or with another', async () => {
  const fixture = createSealedFixture()
  const { root } = await stored(fixture)
  for (const tree of [fixture.open(root), fixture.openWith(createReadKey(), root)]) {
    await assert.rejects(tree.get(numberKey(1)), isSealed)
    await assert.rejects(tree.getMany([numberKey(1), numberKey(3_000)]), isSealed)
    await assert.rejects(collect(tree), isSealed)
    await assert.rejects(collect(tree, {}, { readAhead: true }), isSealed)
    await assert.rejects(tree.apply(run(0, 1)), isSealed)
  }
})

test('in the cache is there for its own trees only', async () => {
  const fixture = createSealedFixture()
  const { root } = await stored(fixture)
  const cache = createNodeCache()
  const tree = fixture.openWith(fixture.key, root, cache)
  await collect(tree)
  assert.ok(cache.bytes > 0)
  const { reader } = fixture
  await assert.rejects(createTree({ reader, cache }, root).get(numberKey(1)), isSealed)
  await assert.rejects(collect(createTree({ reader, cache }, root)), isSealed)
  const before = fixture.counts.blocks
  await collect(tree)
  assert.equal(fixture.counts.blocks, before)
})

test('changes as others do: what stays the same is not stored again', async () => {
  const fixture = createSealedFixture()
  const { root, list } = await stored(fixture)
  const before = fixture.store.usage().blocks
  const first = fixture.openWith(fixture.key, root)
  const changed = await first.apply([set(numberKey(2_000), text('other'))])
  const second = await changed.flush(fixture.store)
  assert.ok(fixture.store.usage().blocks - before <= 3)
  const differences = []
  const old = fixture.openWith(fixture.key, root)
  const cold = fixture.openWith(fixture.key, second.root)
  for await (const difference of cold.differences(old)) differences.push(difference)
  assert.equal(differences.length, 1)
  assert.deepEqual(differences[0]?.after?.value, text('other'))
  const back = await (await cold.apply([list[2_000]!])).flush(fixture.store)
  assert.equal(back.root, root)
})

test('takes no node that is not sealed', async () => {
  const fixture = createSealedFixture()
  const plain = await (await fixture.open().apply(run(0, 10))).flush(fixture.store)
  await assert.rejects(fixture.openWith(fixture.key, plain.root).get(numberKey(1)), {
    code: 'EPROTO'
  })
})

test.run()
