import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import type { Block } from '../../../src/blocks/block.ts'
import { BLOCK_BYTES_MAX } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { randomBlocks } from '../../contracts/block-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { FaultyFileSystem } from './faulty-file-system.ts'
import type { Operation } from './faulty-file-system.ts'

const test = suite('disk block store')

async function bytesOnDisk(directory: TemporaryDirectory): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory.join('segments'))) {
    // An index may be taking its name just now.
    const file = await stat(directory.join('segments', name)).catch(() => undefined)
    bytes += (file?.blocks ?? 0) * 512
  }
  return bytes
}

test('lets one opener in at a time', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const store = await openDiskBlockStore(directory.path)
  await assert.rejects(openDiskBlockStore(directory.path), { code: 'EBUSY', message: /in use by/ })
  await store.close()
  await (await openDiskBlockStore(directory.path)).close()
  await (await openDiskBlockStore(directory.path, { lock: false })).close()
})

test('refuses nonsense', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  for (const segmentBytesMax of [0, -1, NaN, 2 ** 32]) {
    await assert.rejects(openDiskBlockStore(directory.path, { segmentBytesMax }), TypeError)
  }
  const store = await openDiskBlockStore(directory.path)
  const [block] = await randomBlocks(1)
  const tooLarge = { id: block!.id, bytes: new Uint8Array(BLOCK_BYTES_MAX + 1) }
  await assert.rejects(store.putMany([block!, tooLarge]), { code: 'EFBIG' })
  assert.equal(store.usage().blocks, 0)
  await assert.rejects(store.get('nonsense' as BlockId), TypeError)
  await assert.rejects(store.putMany([{ ...block!, id: 'b' as BlockId }]), TypeError)
  await store.close()
})

test('does nothing for whoever has cancelled', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const store = await openDiskBlockStore(directory.path)
  const [block] = await randomBlocks(1)
  const signal = AbortSignal.abort(new Error('changed my mind'))
  await assert.rejects(store.putMany([block!], { signal }), /changed my mind/)
  await assert.rejects(store.get(block!.id, { signal }), /changed my mind/)
  await assert.rejects(store.has(block!.id, { signal }), /changed my mind/)
  await assert.rejects(store.deleteMany([block!.id], { signal }), /changed my mind/)
  await assert.rejects(store.ids({ signal })[Symbol.asyncIterator]().next(), /changed my mind/)
  assert.equal(store.usage().blocks, 0)
  await store.close()
})

test('gathers puts into few writes and syncs into few syncs', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const fileSystem = new FaultyFileSystem()
  const store = await openDiskBlockStore(directory.path, { fileSystem })
  await store.putMany(await randomBlocks(1))
  const counts = new Map<Operation, number>()
  fileSystem.fail = operation => void counts.set(operation, (counts.get(operation) ?? 0) + 1)
  const blocks = await randomBlocks(300, 100)
  await Promise.all(
    blocks.map(async block => {
      await store.putMany([block])
      await store.sync()
    })
  )
  assert.ok(counts.get('write')! <= 3, `${counts.get('write')} writes`)
  assert.ok(counts.get('sync')! <= 4, `${counts.get('sync')} syncs`)
  fileSystem.fail = () => {}
  await store.close()
})

test('keeps the order of puts and removals called at once', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const store = await openDiskBlockStore(directory.path)
  const [block] = await randomBlocks(1)
  const put = (): Promise<void> => store.putMany([block!])
  const remove = (): Promise<void> => store.deleteMany([block!.id])
  await Promise.all([put(), remove(), put(), put(), remove()])
  assert.equal(await store.has(block!.id), false)
  await Promise.all([remove(), put(), remove(), put()])
  assert.deepEqual(await store.get(block!.id), block!.bytes)
  assert.equal(store.usage().blocks, 1)
  await store.close()
})

test('finishes what was called before close', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const store = await openDiskBlockStore(directory.path)
  const blocks = await randomBlocks(50)
  const puts = blocks.map(block => store.putMany([block]))
  await store.close()
  await Promise.all(puts)
  const again = await openDiskBlockStore(directory.path)
  for (const { id, bytes } of blocks) assert.deepEqual(await again.get(id), bytes)
  await again.close()
})

test('gives the space of removed blocks back, by itself', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const options = { segmentBytesMax: 200_000 }
  const store = await openDiskBlockStore(directory.path, options)
  const blocks = await randomBlocks(600)
  await store.putMany(blocks)
  await store.sync()
  const before = await bytesOnDisk(directory)
  const kept = blocks.filter((_, position) => position % 10 === 0)
  await store.deleteMany(blocks.filter(block => !kept.includes(block)).map(block => block.id))
  await store.compact()
  const after = await bytesOnDisk(directory)
  assert.ok(after < before / 5, `${before} bytes before, ${after} after`)
  for (const { id, bytes } of kept) assert.deepEqual(await store.get(id), bytes)
  await store.deleteMany(kept.map(block => block.id))
  await store.compact()
  assert.ok((await bytesOnDisk(directory)) <= 8192)
  await store.close()
})

test('when it is closed, compacting ends without an error, and touches nothing any more', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const options = { segmentBytesMax: 50_000, compactAutomatically: false }
  const blocks = await randomBlocks(100, 2000)
  // Closed at the same moment, and in the middle of each of its steps.
  for (let turns = 0; turns < 12; turns++) {
    const store = await openDiskBlockStore(directory.path, options)
    await store.putMany(blocks)
    await store.deleteMany(blocks.slice(10).map(({ id }) => id))
    const compacting = store.compact()
    for (let turn = 0; turn < turns; turn++) await nextTurn()
    await store.close()
    const left = await readdir(directory.join('segments'))
    await compacting
    assert.deepEqual(await readdir(directory.join('segments')), left)
  }
})

test('reads, puts and removes while it compacts', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const options = { segmentBytesMax: 50_000, compactAutomatically: false }
  const store = await openDiskBlockStore(directory.path, options)
  const model = new Map<BlockId, Block>()
  const put = async (count: number): Promise<void> => {
    const blocks = await randomBlocks(count, 2000)
    await store.putMany(blocks)
    for (const block of blocks) model.set(block.id, block)
  }
  const removeSome = async (): Promise<void> => {
    const gone = [...model.keys()].filter(() => Math.random() < 0.4)
    await store.deleteMany(gone)
    for (const id of gone) model.delete(id)
  }
  for (let round = 0; round < 15; round++) {
    await put(100)
    await removeSome()
    let isCompacting = true
    const compacting = store.compact().finally(() => (isCompacting = false))
    do {
      await Promise.all([put(5), removeSome()])
      for (const [id, { bytes }] of model) assert.deepEqual(await store.get(id), bytes)
      const ids = []
      for await (const id of store.ids()) ids.push(id)
      assert.deepEqual(ids.sort(), [...model.keys()].sort())
    } while (isCompacting)
    await compacting
  }
  await store.close()
  const again = await openDiskBlockStore(directory.path, options)
  assert.equal(again.usage().blocks, model.size)
  for (const [id, { bytes }] of model) assert.deepEqual(await again.get(id), bytes)
  await again.close()
})

test('keeps few files open however many segments there are', async () => {
  await using directory = await createTemporaryDirectory('blocks')
  const options = { segmentBytesMax: 1000, compactAutomatically: false }
  const store = await openDiskBlockStore(directory.path, options)
  const blocks = await randomBlocks(400, 900)
  await store.putMany(blocks)
  await Promise.all(
    blocks.map(async ({ id, bytes }) => assert.deepEqual(await store.get(id), bytes))
  )
  const open = await readdir('/proc/self/fd').catch(() => [])
  assert.ok(open.length < 220, `${open.length} files are open`)
  await store.close()
})

test.run()
