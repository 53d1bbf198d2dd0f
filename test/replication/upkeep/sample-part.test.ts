/** Random blocks of what others say they have: of whose part they are, and how evenly they come. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { codecOf } from '../../../src/blocks/index.ts'
import type { BlockId, BlockStore } from '../../../src/blocks/index.ts'
import { createPlacement } from '../../../src/replication/index.ts'
import type { HolderList, Policy } from '../../../src/replication/index.ts'
import { samplePart } from '../../../src/replication/upkeep/sample-part.ts'
import type { SampleQuestion } from '../../../src/replication/upkeep/sample-part.ts'
import { SubtreeCounts } from '../../../src/replication/upkeep/subtree-counts.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import type { FileSystemFixture } from '../../fixtures/file-system.ts'
import { blockFor, createListOwner, holderFor, peerFor } from '../fixtures.ts'
import { createRandom } from '../replicas-fixtures.ts'
import { reportFor } from '../owning/fixtures.ts'

const test = suite('samples of a part')

const BLOCK = 4096
const HOLDER = peerFor(1)

/** No two blocks are the same. */
function fill(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(seed)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 8 <= length; at += BLOCK) {
    view.setUint32(at, seed)
    view.setUint32(at + 4, at)
  }
  return bytes
}

async function listOf(policy: Policy, holders: readonly number[]): Promise<HolderList> {
  const owner = await createListOwner()
  return owner.sign({ policy, holders: holders.map(n => holderFor(n)) })
}

function questionOf(
  { root }: FileSystemFixture,
  list: HolderList,
  fields: Partial<SampleQuestion> = {}
): SampleQuestion {
  return {
    holder: HOLDER,
    claim: reportFor(list.volume),
    list,
    root: root.volume.head!.root,
    count: 500,
    signal: AbortSignal.timeout(60_000),
    ...fields
  }
}

/** Blocks of the newest version. */
async function blocksOf({ root }: FileSystemFixture): Promise<BlockId[]> {
  const { volume } = root
  const signal = AbortSignal.timeout(60_000)
  const found = new Set<BlockId>()
  for await (const ids of volume.at(volume.head!.root).tree.reachable({ signal })) {
    for (const id of ids) found.add(id)
  }
  return [...found]
}

/** Many small files, which stand in the nodes, and a few large ones. */
async function writeUneven({ fs }: FileSystemFixture): Promise<void> {
  for (let file = 0; file < 1_000; file++) {
    await fs.writeFile(`/small-${file}`, fill(2_000, file))
    if (file % 300 === 150) await fs.writeFile(`/large-${file}`, fill(60 * BLOCK, file))
  }
  await fs.sync()
}

class CountedStore implements Pick<BlockStore, 'get' | 'has'> {
  reads = 0
  readonly #inner: Pick<BlockStore, 'get' | 'has'>

  constructor(inner: Pick<BlockStore, 'get' | 'has'>) {
    this.#inner = inner
  }

  get: BlockStore['get'] = (...question) => {
    this.reads++
    return this.#inner.get(...question)
  }

  has: BlockStore['has'] = (...question) => this.#inner.has(...question)
}

test('they are of the part of the holder, whoever it has given up, and all of it is met', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.writeFile('/file', fill(100 * BLOCK, 1))
  await fs.sync()
  const policy = { replicas: 2, minimum: 1, on: [] }
  const list = await listOf(policy, [0, 1, 2, 3])
  const { store } = root
  const components = { store, counts: new SubtreeCounts(store), random: createRandom(7) }
  for (const gone of [[], [peerFor(2)]]) {
    const holders = list.holders.filter(({ peer }) => !gone.includes(peer))
    const part = createPlacement({ holders }).assignmentOf(HOLDER, policy)
    const data: BlockId[] = []
    for await (const id of store.ids()) if (codecOf(id) === 'raw' && part.has(id)) data.push(id)
    const question = questionOf(fixture, list, { claim: reportFor(list.volume, { gone }) })
    const found = await samplePart(components, question)
    assert.ok(data.length > 20)
    const raw = found.filter(id => codecOf(id) === 'raw')
    assert.deepEqual(raw.sort(), data.sort())
    assert.ok(found.length > raw.length)
    assert.equal((await samplePart(components, { ...question, count: 5 })).length, 5)
  }
  const claim = reportFor(list.volume, { gone: [HOLDER] })
  assert.deepEqual(await samplePart(components, questionOf(fixture, list, { claim })), [])
  const unknown = questionOf(fixture, list, { root: blockFor(1) })
  assert.deepEqual(await samplePart(components, unknown), [])
})

test('each block is as likely as the others, in a few large files among many small ones too', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  await writeUneven(fixture)
  const list = await listOf({ replicas: 'all', minimum: 1, on: [] }, [0, 1])
  const { store } = fixture.root
  const components = { store, counts: new SubtreeCounts(store), random: createRandom(11) }
  const question = questionOf(fixture, list, { count: 40 })
  const hits = new Map((await blocksOf(fixture)).map(id => [id, 0]))
  const samples = 100
  for (let sample = 0; sample < samples; sample++) {
    const found = await samplePart(components, question)
    assert.equal(found.length, 40)
    for (const id of found) hits.set(id, hits.get(id)! + 1)
  }
  // Chi square has a mean of one less than there are blocks, and a variance of twice that.
  const expected = (40 * samples) / hits.size
  const squares = [...hits.values()].map(count => (count - expected) ** 2 / expected)
  const chi = squares.reduce((sum, square) => sum + square, 0)
  const freedom = hits.size - 1
  assert.ok(expected > 5 && freedom > 150, `${expected} of each of ${freedom}`)
  assert.ok(Math.abs(chi - freedom) < 5 * Math.sqrt(2 * freedom), `${chi} of ${freedom}`)
  // By leaves they would be one in ten.
  const data = [...hits].filter(([id]) => codecOf(id) === 'raw')
  const share = data.reduce((sum, [, count]) => sum + count, 0) / (40 * samples)
  assert.ok(Math.abs(share - data.length / hits.size) < 0.04, `${share}`)
})

test('a tree is read once, a new version of it where it is new', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  await writeUneven(fixture)
  const list = await listOf({ replicas: 'all', minimum: 1, on: [] }, [0, 1])
  const store = new CountedStore(fixture.root.store)
  const counts = new SubtreeCounts(store)
  const components = { store, counts, random: createRandom(3) }
  const sampled = async (): Promise<number> => {
    store.reads = 0
    const found = await samplePart(components, questionOf(fixture, list, { count: 1 }))
    assert.equal(found.length, 1)
    return store.reads
  }
  const nodes = (await blocksOf(fixture)).filter(id => codecOf(id) !== 'raw').length
  assert.ok(nodes > 20, `${nodes}`)
  assert.ok((await sampled()) >= nodes)
  assert.ok((await sampled()) <= 3)
  await fixture.fs.writeFile('/small-500', fill(2_000, 5_000))
  await fixture.fs.sync()
  assert.ok((await sampled()) <= 12, `${store.reads}`)
})

test('a tree that is larger than one call may read, or than what is remembered, is sampled all the same', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  await writeUneven(fixture)
  const list = await listOf({ replicas: 'all', minimum: 1, on: [] }, [0, 1])
  const store = new CountedStore(fixture.root.store)
  const { root } = fixture.root.volume.head!
  const signal = AbortSignal.timeout(60_000)
  const all = (await blocksOf(fixture)).length
  const counts = new SubtreeCounts(store, { readsMax: 5 })
  const components = { store, counts, random: createRandom(3) }
  const first = await samplePart(components, questionOf(fixture, list, { count: 10 }))
  assert.equal(first.length, 10)
  let calls = 1
  for (; counts.of(root) === undefined && calls < 100; calls++) {
    store.reads = 0
    await counts.count(root, { signal })
    assert.ok(store.reads <= 5)
  }
  assert.ok(calls > 3, `${calls}`)
  assert.equal(counts.of(root), all)
  const forgetful = new SubtreeCounts(store, { nodesMax: 4 })
  const sample = { store, counts: forgetful, random: createRandom(3) }
  assert.equal((await samplePart(sample, questionOf(fixture, list, { count: 10 }))).length, 10)
})

test('what is no node, or not here, ends a draw and nothing else', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  await writeUneven(fixture)
  const list = await listOf({ replicas: 'all', minimum: 1, on: [] }, [0, 1])
  const { store } = fixture.root
  const { root } = fixture.root.volume.head!
  const nodes = (await blocksOf(fixture)).filter(id => codecOf(id) !== 'raw' && id !== root)
  const [missing, junk] = nodes as [BlockId, BlockId]
  const broken = {
    get: async (id: BlockId) =>
      id === missing ? undefined : id === junk ? Uint8Array.of(1, 2, 3) : await store.get(id),
    has: store.has.bind(store)
  }
  const components = { store: broken, counts: new SubtreeCounts(broken), random: createRandom(3) }
  const found = await samplePart(components, questionOf(fixture, list, { count: 50 }))
  assert.equal(found.length, 50)
  assert.ok(!found.includes(missing))
  const ending = new AbortController()
  ending.abort(new Error('enough'))
  const ended = samplePart(components, questionOf(fixture, list, { signal: ending.signal }))
  await assert.rejects(ended, /enough/)
})

test.run()
