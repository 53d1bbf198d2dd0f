/** How trees read: in batches, once, ahead, and what happens when reading fails or is given up. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId, BlockReader } from '../../../src/blocks/index.ts'
import { isWarrenError, WarrenError } from '../../../src/errors.ts'
import { createTree } from '../../../src/namespace/tree/create-tree.ts'
import { createNodeCache } from '../../../src/namespace/tree/node-cache.ts'
import type { Tree } from '../../../src/namespace/tree/tree.ts'
import type { Counts, TreeFixture } from './tree-fixture.ts'
import { collect, createFixture, danglingId, numberKey, remove, run, set } from './tree-fixture.ts'

const test = suite('tree: reading')

const ENTRIES = 16_000

interface Stored extends TreeFixture {
  readonly root: BlockId
}

/** A stored tree of two levels and some thirty leaves. */
async function stored(): Promise<Stored> {
  const fixture = createFixture()
  const { root } = await (await fixture.open().apply(run(0, ENTRIES))).flush(fixture.store)
  return Object.assign(fixture, { root })
}

/** The stored tree, read through something else in part. */
function openWith({ reader, root }: Stored, other: Partial<BlockReader>): Tree {
  const get: BlockReader['get'] = (id, options) => reader.get(id, options)
  const getMany: BlockReader['getMany'] = (ids, options) => reader.getMany(ids, options)
  return createTree({ reader: { get, getMany, ...other }, cache: createNodeCache() }, root)
}

function reset(counts: Counts): void {
  Object.assign(counts, { gets: 0, streams: 0, blocks: 0 })
}

async function drain(walk: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of walk);
}

const isUnreachable = (error: unknown): boolean => isWarrenError(error, 'EHOSTUNREACH')

test('a scan that reads ahead asks once for everything', async () => {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  reset(fixture.counts)
  assert.equal((await collect(tree, {}, { readAhead: true })).length, ENTRIES)
  const { counts } = fixture
  assert.deepEqual({ gets: counts.gets, streams: counts.streams }, { gets: 1, streams: 1 })
  const blocks = counts.blocks
  assert.ok(blocks > 25)
  await collect(tree, {}, { readAhead: true })
  assert.equal(counts.blocks, blocks)
})

/** A stored tree of four levels: long keys make for few children. */
async function deep(): Promise<Stored> {
  const fixture = createFixture()
  const changes = Array.from({ length: 3000 }, (_, number) => {
    return set(numberKey(number, 1000), new Uint8Array(5000))
  })
  const { root } = await (await fixture.open().apply(changes)).flush(fixture.store)
  return Object.assign(fixture, { root })
}

test('over many inner nodes a scan is one stream of leaves still', async () => {
  const fixture = await deep()
  const tree = fixture.open(fixture.root)
  reset(fixture.counts)
  assert.equal((await collect(tree, {}, { readAhead: true })).length, 3000)
  const { gets, streams, blocks } = fixture.counts
  assert.equal(streams, 1)
  assert.equal(blocks, fixture.store.usage().blocks)
  assert.ok(gets > 10 && gets < blocks / 5)
})

test('what is in memory is not fetched again, wherever it is', async () => {
  const fixture = await deep()
  const all = fixture.store.usage().blocks
  for (const numbers of [
    [0, 1],
    [0, 1500],
    [1499, 2999],
    [0, 100, 200, 2000, 2900]
  ]) {
    const tree = fixture.open(fixture.root)
    reset(fixture.counts)
    for (const number of numbers) await tree.get(numberKey(number, 1000))
    await collect(tree, { from: numberKey(800, 1000), to: numberKey(1900, 1000) })
    assert.equal((await collect(tree, {}, { readAhead: true })).length, 3000)
    assert.equal(fixture.counts.blocks, all)
    await collect(tree, {}, { readAhead: true })
    assert.equal(fixture.counts.blocks, all)
  }
})

test('readers that ask for everything at once, or for one at a time, do as well', async () => {
  const fixture = await deep()
  const eager: BlockReader['getMany'] = async function* (ids, options) {
    const all: BlockId[] = []
    for await (const id of ids) all.push(id)
    yield* fixture.reader.getMany(all, options)
  }
  const lazy: BlockReader['getMany'] = async function* (ids, options) {
    for await (const id of ids) yield { id, bytes: await fixture.reader.get(id, options) }
  }
  for (const getMany of [eager, lazy]) {
    let streams = 0
    const counted: BlockReader['getMany'] = (ids, options) => {
      streams++
      return getMany(ids, options)
    }
    const tree = openWith(fixture, { getMany: counted })
    for (const number of [5, 900, 901, 2950]) await tree.get(numberKey(number, 1000))
    await collect(tree, { from: numberKey(1000, 1000), to: numberKey(1500, 1000) })
    assert.equal((await collect(tree, {}, { readAhead: true })).length, 3000)
    if (getMany === lazy) assert.equal(streams, 1)
    assert.equal((await collect(tree, {}, { readAhead: true })).length, 3000)
  }
})

test('a walk does not run far ahead of a caller that stands still', async () => {
  const fixture = await deep()
  const asked: BlockId[] = []
  const eager: BlockReader['getMany'] = async function* (ids, options) {
    for await (const id of ids) asked.push(id)
    yield* fixture.reader.getMany(asked, options)
  }
  for await (const _ of openWith(fixture, { getMany: eager }).scan({}, { readAhead: true })) break
  assert.ok(asked.length < 200, `${asked.length} leaves`)
})

test('a scan of a range reads only the leaves of the range', async () => {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  reset(fixture.counts)
  await collect(tree, { from: numberKey(15_000), to: numberKey(15_010) }, { readAhead: true })
  assert.ok(fixture.counts.blocks <= 3)
})

test('a scan that does not read ahead reads what it came to', async () => {
  const fixture = await stored()
  reset(fixture.counts)
  for await (const batch of fixture.open(fixture.root).scan({})) {
    assert.ok(batch.length > 0)
    break
  }
  assert.deepEqual(fixture.counts, { gets: 2, streams: 0, blocks: 2 })
})

test('a batch of lookups reads each level at once', async () => {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  const keys = Array.from({ length: 100 }, (_, index) => numberKey(index * 150))
  reset(fixture.counts)
  const found = await tree.getMany([...keys, numberKey(ENTRIES)])
  assert.deepEqual(
    found.map(entry => entry?.key),
    [...keys, undefined]
  )
  assert.deepEqual({ ...fixture.counts, blocks: 0 }, { gets: 1, streams: 1, blocks: 0 })
})

test('concurrent misses of one node share one read', async () => {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  reset(fixture.counts)
  const keys = Array.from({ length: 50 }, (_, index) => numberKey(index))
  const found = await Promise.all(keys.map(key => tree.get(key)))
  assert.ok(found.every(entry => entry !== undefined))
  assert.deepEqual(fixture.counts, { gets: 2, streams: 0, blocks: 2 })
})

test('a caller that gives up does not disturb another that waits for the same node', async () => {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  const gate = Promise.withResolvers<void>()
  fixture.onRead = () => gate.promise
  const controller = new AbortController()
  const reason = new Error('enough')
  const impatient = tree.get(numberKey(1), { signal: controller.signal })
  const patient = tree.get(numberKey(1))
  controller.abort(reason)
  await assert.rejects(impatient, error => error === reason)
  gate.resolve()
  assert.ok((await patient) !== undefined)
})

test('a read that everybody gave up is cancelled and can be asked for again', async () => {
  const fixture = await stored()
  const signals: AbortSignal[] = []
  const tree = openWith(fixture, {
    get(id, options) {
      if (options?.signal !== undefined) signals.push(options.signal)
      return fixture.reader.get(id, options)
    }
  })
  fixture.onRead = () => new Promise(() => {})
  const controller = new AbortController()
  const reading = tree.get(numberKey(1), { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(reading, /enough/)
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true]
  )
  fixture.onRead = () => {}
  assert.ok((await tree.get(numberKey(1))) !== undefined)
})

test('a signal that is aborted already stops everything before it begins', async () => {
  const fixture = await stored()
  const signal = AbortSignal.abort(new Error('enough'))
  const tree = fixture.open(fixture.root)
  reset(fixture.counts)
  await assert.rejects(tree.get(numberKey(1), { signal }), /enough/)
  await assert.rejects(tree.getMany([numberKey(1)], { signal }), /enough/)
  await assert.rejects(collect(tree, {}, { signal, readAhead: true }), /enough/)
  await assert.rejects(tree.apply(run(0, 1), { signal }), /enough/)
  await assert.rejects(drain(tree.reachable({ signal })), /enough/)
  assert.equal(fixture.counts.blocks, 0)
})

/** A tree whose reader fails from the given block on, until told otherwise. */
async function failing(after: number): Promise<Stored & { readonly tree: Tree }> {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  let left = after
  fixture.onRead = () => {
    if (left-- <= 0) throw new WarrenError('EHOSTUNREACH')
  }
  return Object.assign(fixture, { tree })
}

test('a reader that fails midway fails the call, and the tree is usable again', async () => {
  for (const after of [0, 2, 20]) {
    const everyThird = run(0, ENTRIES).filter((_, index) => index % 3 === 0)
    const other = createFixture().open()
    const calls: ((tree: Tree) => Promise<unknown>)[] = [
      tree => collect(tree),
      tree => collect(tree, {}, { readAhead: true }),
      tree => tree.getMany(everyThird.map(({ key }) => key)),
      tree => tree.apply(everyThird.map(({ key }) => remove(key))),
      tree => drain(tree.reachable()),
      tree => drain(other.differences(tree))
    ]
    for (const call of calls) {
      const fixture = await failing(after)
      await assert.rejects(call(fixture.tree), isUnreachable)
      fixture.onRead = () => {}
      await call(fixture.tree)
      assert.equal((await collect(fixture.tree)).length, ENTRIES)
    }
  }
})

test('removals that need a neighbour which cannot be had change nothing', async () => {
  const fixture = await stored()
  const tree = fixture.open(fixture.root)
  const most = run(0, 580).map(({ key }) => remove(key))
  await tree.get(numberKey(0))
  const reads = fixture.counts.blocks
  fixture.onRead = () => {
    throw new WarrenError('EHOSTUNREACH')
  }
  await assert.rejects(tree.apply(most), isUnreachable)
  assert.ok(fixture.counts.blocks > reads)
  fixture.onRead = () => {}
  assert.equal((await collect(await tree.apply(most))).length, ENTRIES - 580)
})

test('a scan left early ends the stream it read from', async () => {
  const fixture = await stored()
  let ended = false
  const tree = openWith(fixture, {
    async *getMany(ids, options) {
      try {
        yield* fixture.reader.getMany(ids, options)
      } finally {
        ended = true
      }
    }
  })
  for await (const _ of tree.scan({}, { readAhead: true })) break
  assert.ok(ended)
})

test('reachable gives every block, parents first, and does not enter where it is told not to', async () => {
  const fixture = await stored()
  const [one, two] = [await danglingId(1), await danglingId(2)]
  const linked = [1, 7].map((number, index) => ({
    ...set(numberKey(number), new Uint8Array(3)),
    link: index === 0 ? one : two
  }))
  const tree = await (await fixture.open(fixture.root).apply(linked)).flush(fixture.store)
  const seen: BlockId[] = []
  const entered: BlockId[] = []
  const enter = (id: BlockId): boolean => entered.push(id) > 0
  for await (const ids of tree.reachable({ enter })) seen.push(...ids)
  assert.equal(seen[0], tree.root)
  assert.deepEqual(new Set(seen), new Set([...entered, one, two]))
  assert.equal(seen.length, entered.length + 2)
  for (const id of entered) assert.ok(await fixture.store.has(id))

  // Only what is new since the tree before.
  const old = new Set<BlockId>()
  for await (const ids of fixture.open(fixture.root).reachable()) for (const id of ids) old.add(id)
  reset(fixture.counts)
  const fresh: BlockId[] = []
  for await (const ids of fixture.open(tree.root).reachable({ enter: id => !old.has(id) })) {
    fresh.push(...ids.filter(id => !old.has(id)))
  }
  assert.equal(fresh.length, 4)
  assert.equal(fixture.counts.blocks, 2)
  const only: BlockId[] = []
  for await (const ids of tree.reachable({ enter: () => false })) only.push(...ids)
  assert.deepEqual(only, [tree.root])
})

test('only flushed trees have ids to reach', async () => {
  const tree = await createFixture().open().apply(run(0, 1))
  assert.throws(() => tree.reachable(), TypeError)
})

test('differences read only what differs', async () => {
  const fixture = await stored()
  const before = fixture.open(fixture.root)
  const change = set(numberKey(12_345), new Uint8Array(1))
  const { root } = await (await before.apply([change])).flush(fixture.store)
  const after = fixture.open(root)
  reset(fixture.counts)
  const found: Uint8Array[] = []
  for await (const { key } of after.differences(fixture.open(fixture.root))) found.push(key)
  assert.deepEqual(found, [change.key])
  assert.equal(fixture.counts.blocks, 4)
})

test('differences between trees that share nothing come in batches', async () => {
  const fixture = await stored()
  const other = await (await fixture.open().apply(run(5, ENTRIES, 99))).flush(fixture.store)
  const [before, after] = [fixture.open(fixture.root), fixture.open(other.root)]
  reset(fixture.counts)
  let count = 0
  for await (const _ of after.differences(before)) count++
  assert.equal(count, ENTRIES + 5)
  assert.ok(fixture.counts.streams >= 4)
  assert.ok(fixture.counts.streams < fixture.counts.blocks / 8)
})

test.run()
