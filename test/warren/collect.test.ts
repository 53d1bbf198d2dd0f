/** `collect`: the space of what was deleted comes back, and nothing that is in use goes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import { codecOf, createMemoryBlockStore } from '../../src/blocks/index.ts'
import type { BlockId } from '../../src/blocks/index.ts'
import { eventually } from '../fixtures/eventually.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { findFaults, readVersion } from './check-version.ts'
import { rejectsWith, startWarren } from './fixtures.ts'
import { TreeModel, createRandom, describeTree, makeChange, randomChange } from './tree-model.ts'

const MIB = 2 ** 20
const SEED = Number(process.env['WARREN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const test = suite(`collect (seed ${SEED})`)

async function diskBytes(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  const files = entries.filter(entry => entry.isFile())
  const sizes = await Promise.all(
    files.map(async entry => (await stat(join(entry.parentPath, entry.name))).size)
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

test('the space of deleted files is given back on disk', async () => {
  await using directory = await createTemporaryDirectory('collect')
  await using alice = await startWarren({ directory: directory.path, retentionMs: 0 })
  const kept = new Uint8Array(randomBytes(4 * MIB))
  await alice.fs.writeFile('/kept', kept)
  for (let index = 0; index < 10; index++) {
    await alice.fs.writeFile(`/going-${index}`, randomBytes(6 * MIB))
  }
  await alice.sync()
  const full = await diskBytes(directory.join('blocks'))
  assert.ok(full > 60 * MIB)
  for (let index = 0; index < 10; index++) await alice.fs.rm(`/going-${index}`)
  const freed = await alice.collect()
  assert.ok(freed.bytes >= 60 * MIB, `${freed.bytes} bytes freed`)
  assert.ok(freed.blocks >= 480, `${freed.blocks} blocks freed`)
  assert.ok(alice.usage().bytes < 5 * MIB)
  const left = (await diskBytes(directory.join('blocks'))) / MIB
  assert.ok(left < 6, `${left} MiB are left`)
  assert.deepEqual(await alice.fs.readFile('/kept'), kept)
})

test('versions are kept for as long as they may be read', async () => {
  await using alice = await startWarren({ retentionMs: 60_000 })
  await using bob = await startWarren({ attributeLifetimeMs: 1_000_000 })
  const bytes = new Uint8Array(randomBytes(MIB))
  await alice.fs.writeFile('/file', bytes)
  await bob.mount('/alice', await alice.share('/'))
  const open = await bob.fs.open('/alice/file')
  await alice.fs.rm('/file')
  await alice.sync()
  await alice.collect()
  assert.deepEqual(await open.readFile(), bytes)
  await open.close()
})

test('old versions are kept over a restart, as long as they should be', async () => {
  for (const retention of [{ retentionMs: 3_600_000 }, { retentionMs: 0, retentionVersions: 1 }]) {
    await using directory = await createTemporaryDirectory('collect-versions')
    const options = { directory: directory.path, ...retention }
    {
      await using alice = await startWarren(options)
      await alice.fs.writeFile('/file', randomBytes(2 * MIB))
      await alice.sync()
      await alice.fs.rm('/file')
    }
    {
      await using again = await startWarren(options)
      await again.collect()
      assert.ok(again.usage().bytes > 2 * MIB, `${again.usage().bytes} bytes`)
    }
    await using later = await startWarren({ directory: directory.path, retentionMs: 0 })
    await later.collect()
    assert.ok(later.usage().bytes < MIB, `${later.usage().bytes} bytes`)
  }
})

test('nothing is removed while a node of the tree is damaged, until somebody has it', async () => {
  const blockStore = createMemoryBlockStore()
  await using alice = await startWarren({ blockStore, retentionMs: 0, fetchTimeoutMs: 300 })
  for (let index = 0; index < 300; index++) {
    await alice.fs.writeFile(`/file-${index}`, randomBytes(1_000))
  }
  await alice.fs.writeFile('/large', randomBytes(MIB))
  // Each run may keep one dead node in a hundred by mistake, and never the same.
  for (let run = 0; run < 3; run++) await alice.collect()
  const nodes = new Map<BlockId, Uint8Array>()
  for await (const id of blockStore.ids()) {
    if (codecOf(id) === 'dag-cbor') nodes.set(id, (await blockStore.get(id))!)
  }
  assert.ok(nodes.size > 2, `${nodes.size} nodes`)
  for (const [id, bytes] of nodes) {
    await blockStore.deleteMany([id])
    const before = alice.usage()
    await rejectsWith(alice.collect(), 'EIO', { message: /damaged/ })
    assert.deepEqual(alice.usage(), before)
    await blockStore.putMany([{ id, bytes }])
  }
  await alice.collect()
  assert.equal((await alice.fs.readFile('/large')).length, MIB)
})

test('an old version that nobody can read keeps nothing but itself', async () => {
  const blockStore = createMemoryBlockStore()
  await using alice = await startWarren({ blockStore, fetchTimeoutMs: 300 })
  await alice.fs.writeFile('/old', randomBytes(MIB))
  await alice.fs.writeFile('/kept', randomBytes(MIB))
  await alice.sync()
  const nodes = new Set<BlockId>()
  for await (const id of blockStore.ids()) if (codecOf(id) === 'dag-cbor') nodes.add(id)
  await alice.fs.rm('/old')
  await alice.sync()
  await blockStore.deleteMany([...nodes])
  await alice.collect()
  await alice.collect()
  assert.ok(alice.usage().bytes < 1.5 * MIB, `${alice.usage().bytes} bytes`)
  assert.equal((await alice.fs.readFile('/kept')).length, MIB)
})

test('nothing live is lost while others write', async () => {
  await using directory = await createTemporaryDirectory('collect-writers')
  const options = { directory: directory.path, retentionMs: 0 }
  const alice = await startWarren(options)
  const writers = Array.from({ length: 3 }, (_, index) => ({
    root: `/w${index}`,
    model: new TreeModel(),
    random: createRandom(SEED + index)
  }))
  for (const { root } of writers) await alice.fs.mkdir(root)
  const until = performance.now() + 3_000
  let collections = 0
  const isOver = (): boolean => performance.now() >= until && collections > 2
  const working = writers.map(async ({ root, model, random }) => {
    while (!isOver()) {
      const change = randomChange(model, random)
      model.apply(change)
      const below = { ...change, path: root + change.path }
      const whole = 'to' in change ? { ...below, to: root + change.to } : below
      await makeChange(alice.fs, whole as typeof change)
    }
  })
  while (!isOver()) {
    await alice.collect()
    collections++
  }
  await Promise.all(working)
  for (const { root, model } of writers) {
    assert.deepEqual(await describeTree(alice.fs, root), model.describe())
  }
  await alice.collect()
  await alice.stop()
  {
    await using version = await readVersion(directory.path)
    assert.deepEqual(await findFaults(version!.snapshot), [])
  }
  await using again = await startWarren(options)
  for (const { root, model } of writers) {
    assert.deepEqual(await describeTree(again.fs, root), model.describe())
  }
})

test('what is open is kept although its name is gone', async () => {
  await using alice = await startWarren({ retentionMs: 0 })
  const bytes = new Uint8Array(randomBytes(MIB))
  await alice.fs.writeFile('/file', bytes)
  const open = await alice.fs.open('/file')
  await alice.fs.rm('/file')
  await alice.collect()
  assert.deepEqual(await open.readFile(), bytes)
  await open.close()
  const freed = await alice.collect()
  assert.ok(freed.bytes >= MIB, `${freed.bytes}`)
})

test('files of the host that are shared in place stay, and are forgotten when they are removed', async () => {
  await using directory = await createTemporaryDirectory('collect-in-place')
  const bytes = new Uint8Array(randomBytes(3 * MIB))
  await writeFile(directory.join('host.bin'), bytes)
  const options = { directory: directory.join('alice'), retentionMs: 0 }
  const alice = await startWarren(options)
  await alice.import(directory.join('host.bin'), '/shared.bin', { inPlace: true })
  await alice.collect()
  assert.deepEqual(await alice.fs.readFile('/shared.bin'), bytes)
  assert.ok((await diskBytes(directory.join('alice'))) < MIB, 'there is no second copy')
  await alice.stop()
  await using again = await startWarren(options)
  await again.collect()
  assert.deepEqual(await again.fs.readFile('/shared.bin'), bytes)
  const blocks = again.usage().blocks
  await again.fs.rm('/shared.bin')
  await again.collect()
  assert.ok(again.usage().blocks < blocks - 20, 'the references are gone')
  assert.equal((await stat(directory.join('host.bin'))).size, 3 * MIB)
})

test('an import in place is not swept while it is under way', async () => {
  await using directory = await createTemporaryDirectory('collect-import')
  const bytes = new Uint8Array(randomBytes(40 * MIB))
  await writeFile(directory.join('host.bin'), bytes)
  for (const inPlace of [true, false]) {
    await using alice = await startWarren({
      directory: directory.join(`alice-${inPlace}`),
      retentionMs: 0
    })
    let isOver = false
    const importing = alice
      .import(directory.join('host.bin'), '/shared.bin', { inPlace })
      .finally(() => (isOver = true))
    while (!isOver) await alice.collect()
    await importing
    await alice.collect()
    assert.deepEqual(await alice.fs.readFile('/shared.bin'), bytes)
  }
})

test('what was fetched of a mount stays while it is mounted, and goes when it is not', async () => {
  await using directory = await createTemporaryDirectory('collect-mount')
  await using alice = await startWarren()
  const bytes = new Uint8Array(randomBytes(3 * MIB))
  await alice.fs.writeFile('/file', bytes)
  await using bob = await startWarren({ directory: directory.path, fetchTimeoutMs: 10_000 })
  await bob.mount('/alice', await alice.share('/'))
  assert.deepEqual(await bob.fs.readFile('/alice/file'), bytes)
  // What was read is written to the disk behind the reader's back.
  await eventually(() => assert.ok(bob.usage().bytes >= 3 * MIB))
  await bob.collect()
  await alice.stop()
  assert.deepEqual(await bob.fs.readFile('/alice/file'), bytes)
  await bob.unmount('/alice')
  const freed = await bob.collect()
  assert.ok(freed.bytes >= 3 * MIB, `${freed.bytes}`)
})

test('one collection at a time, and it can be given up', async () => {
  await using alice = await startWarren({ retentionMs: 0 })
  for (let index = 0; index < 50; index++)
    await alice.fs.writeFile(`/${index}`, randomBytes(50_000))
  await alice.sync()
  const both = await Promise.allSettled([alice.collect(), alice.collect()])
  const failures = both.filter(result => result.status === 'rejected')
  for (const { reason } of failures) assert.equal((reason as { code: string }).code, 'EBUSY')
  await assert.rejects(alice.collect({ signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  await alice.collect()
  await alice.stop()
  await rejectsWith(alice.collect(), 'EBADF')
})

test.run()
