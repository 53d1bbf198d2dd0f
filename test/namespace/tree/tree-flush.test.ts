/** Flushing: what is written, in which order and steps, and what a failure leaves behind. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { decode } from 'cborg'
import { CID } from 'multiformats/cid'
import type { Block, BlockId } from '../../../src/blocks/index.ts'
import { isWarrenError, WarrenError } from '../../../src/errors.ts'
import type { Tree } from '../../../src/namespace/tree/tree.ts'
import { collect, createFixture, danglingId, numberKey, remove, run, set } from './tree-fixture.ts'

const test = suite('tree: flush')

test('a tree has a root only once it is flushed', async () => {
  const fixture = createFixture()
  const empty = fixture.open()
  assert.equal(empty.root, undefined)
  assert.equal(empty.unflushedBytes, 0)
  const tree = await empty.apply(run(0, 1000))
  assert.equal(tree.root, undefined)
  assert.ok(tree.unflushedBytes > 100_000 && tree.unflushedBytes < 130_000)
  const flushed = await tree.flush(fixture.store)
  assert.equal(flushed.unflushedBytes, 0)
  assert.ok(Math.abs(fixture.store.usage().bytes - 115_000) < 10_000)
  assert.equal((await flushed.flush(fixture.store)).root, flushed.root)
  // Whoever holds the tree from before the flush holds no nodes in memory any more.
  assert.equal(tree.unflushedBytes, 0)
  assert.equal(tree.root, flushed.root)
})

test('changes that change nothing leave the tree as it is', async () => {
  const fixture = createFixture()
  const link = await danglingId(1)
  const linked = { key: numberKey(5000), value: new Uint8Array(1), link }
  const changes = [...run(0, 1000), linked]
  const tree = await (await fixture.open().apply(changes)).flush(fixture.store)
  assert.equal(await tree.apply([]), tree)
  assert.equal(await tree.apply(changes), tree)
  assert.equal(await tree.apply([remove(numberKey(4000))]), tree)
  assert.notEqual(await tree.apply([{ key: linked.key, value: linked.value }]), tree)
  assert.notEqual(await tree.apply([set(numberKey(0), new Uint8Array(100).fill(1))]), tree)
})

test('only new nodes are stored, children before parents', async () => {
  const fixture = createFixture()
  const before = await (await fixture.open().apply(run(0, 30_000))).flush(fixture.store)
  const stored: BlockId[] = []
  const store = {
    async putMany(blocks: readonly Block[]): Promise<void> {
      stored.push(...blocks.map(({ id }) => id))
      await fixture.store.putMany(blocks)
    }
  }
  const after = await before.apply([
    set(numberKey(1), new Uint8Array(1)),
    set(numberKey(20_000), new Uint8Array(1))
  ])
  assert.ok(after.unflushedBytes < 200_000)
  const { root } = await after.flush(store)
  assert.equal(stored.length, 3)
  assert.equal(stored[2], root)
})

test('a tree made of one that is being flushed does not store again what was stored', async () => {
  const fixture = createFixture()
  const first = await fixture.open().apply(run(0, 30_000))
  const flushing = first.flush(fixture.store)
  const second = await first.apply([set(numberKey(1), new Uint8Array(1))])
  await flushing
  const before = fixture.store.usage().blocks
  const { root } = await second.flush(fixture.store)
  assert.ok(fixture.store.usage().blocks - before <= 3)
  const again = await fixture.open(root).get(numberKey(1))
  assert.deepEqual(again?.value, new Uint8Array(1))
  assert.equal((await collect(fixture.open(root))).length, 30_000)
})

test('a failed flush leaves the tree whole, and the next one stores all of it', async () => {
  const full = createFixture()
  const tree = await full.open().apply(run(0, 100_000))
  let batches = 0
  const failing = {
    async putMany(): Promise<void> {
      if (++batches === 2) throw new WarrenError('ENOSPC')
    }
  }
  const { unflushedBytes } = tree
  await assert.rejects(tree.flush(failing), error => isWarrenError(error, 'ENOSPC'))
  assert.equal(tree.root, undefined)
  assert.equal(tree.unflushedBytes, unflushedBytes)
  assert.equal((await collect(tree)).length, 100_000)
  const { root } = await tree.flush(full.store)
  assert.equal((await collect(full.open(root))).length, 100_000)
})

test('a flush can be given up', async () => {
  const fixture = createFixture()
  const tree = await fixture.open().apply(run(0, 1000))
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(tree.flush(fixture.store, { signal }), /enough/)
  assert.equal(fixture.store.usage().blocks, 0)
})

test('a large flush comes in bounded batches and lets other work run', async () => {
  const fixture = createFixture()
  let tree = fixture.open()
  for (let from = 0; from < 200_000; from += 10_000) tree = await tree.apply(run(from, 10_000))
  const sizes: number[] = []
  const store = {
    async putMany(blocks: readonly Block[]): Promise<void> {
      sizes.push(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0))
      await fixture.store.putMany(blocks)
    }
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await tree.flush(store)
  delay.disable()
  assert.ok(sizes.length > 3)
  assert.ok(Math.max(...sizes) < 6 * 1024 * 1024)
  // Far over the 5 ms that a step takes: the machine may be busy with other things.
  assert.ok(delay.percentile(50) < 50e6, `${delay.percentile(50) / 1e6} ms`)
})

test('tools of the IPFS world can walk the nodes and find real CIDs', async () => {
  const fixture = createFixture()
  const data = await danglingId(7)
  const entries = run(0, 3000)
  const tree = await (
    await fixture
      .open()
      .apply([...entries, { ...set(numberKey(9000), entries[0]!.key), link: data }])
  ).flush(fixture.store)
  const seen: string[] = []
  const walk = async (cid: CID): Promise<void> => {
    assert.equal(cid.version, 1)
    seen.push(cid.toString())
    if (cid.code === 0x55) return
    assert.equal(cid.code, 0x71)
    const bytes = await fixture.store.get(cid.toString() as BlockId)
    assert.ok(bytes)
    const [version, links, body] = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      tags: { 42: content => linkOf(content() as Uint8Array) }
    }) as [number, CID[], Uint8Array]
    assert.equal(version, 1)
    assert.ok(body instanceof Uint8Array)
    for (const link of links) await walk(link)
  }
  await walk(CID.parse(tree.root))
  const reached: BlockId[] = []
  for await (const ids of tree.reachable()) reached.push(...ids)
  assert.deepEqual(seen.toSorted(), reached.toSorted())
  assert.ok(seen.includes(data))
})

/** A link as dag-cbor has it: the multibase prefix for binary, then the CID. */
function linkOf(bytes: Uint8Array): CID {
  assert.equal(bytes[0], 0)
  return CID.decode(bytes.subarray(1))
}

test('old trees stay what they were', async () => {
  const fixture = createFixture()
  const versions: [Tree, number][] = []
  let tree = fixture.open()
  for (let from = 0; from < 20_000; from += 2000) {
    tree = await tree.apply(run(from, 2000))
    versions.push([tree, from + 2000])
    if (from % 6000 === 0) tree = await tree.flush(fixture.store)
  }
  for (const [version, count] of versions) assert.equal((await collect(version)).length, count)
})

test.run()
