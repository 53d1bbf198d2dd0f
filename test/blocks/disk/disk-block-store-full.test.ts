import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { DiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import type { Block } from '../../../src/blocks/block.ts'
import { randomBlocks } from '../../contracts/block-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { testUnless } from '../../fixtures/test-unless.ts'
import { FaultyFileSystem, systemError } from './faulty-file-system.ts'

const run = promisify(execFile)
const test = suite('disk block store, on a disk that is full or fails')

const small = { segmentBytesMax: 30_000, compactAutomatically: false }

async function assertHolds(store: DiskBlockStore, blocks: readonly Block[]): Promise<void> {
  for (const { id, bytes } of blocks) assert.deepEqual(await store.get(id), bytes)
}

test('refuses what does not fit, wherever the space ends, and keeps the rest', async () => {
  const before = await randomBlocks(5, 500)
  const tooMany = await randomBlocks(10, 500)
  const after = await randomBlocks(5, 500)
  for (let bytesLeft = 0; bytesLeft < 2000; bytesLeft += 37) {
    await using directory = await createTemporaryDirectory('full')
    const fileSystem = new FaultyFileSystem()
    const store = await openDiskBlockStore(directory.path, { ...small, fileSystem })
    await store.putMany(before)
    fileSystem.bytesLeft = bytesLeft
    await assert.rejects(store.putMany(tooMany), { name: 'WarrenError', code: 'ENOSPC' })
    assert.equal(store.usage().blocks, before.length)
    await assertHolds(store, before)
    fileSystem.bytesLeft = Infinity
    await store.putMany(after)
    await store.close()
    const again = await openDiskBlockStore(directory.path, small)
    assert.equal(again.usage().blocks, before.length + after.length)
    await assertHolds(again, [...before, ...after])
    await again.close()
  }
})

test('fails only the puts that did not fit', async () => {
  await using directory = await createTemporaryDirectory('full')
  const fileSystem = new FaultyFileSystem()
  const store = await openDiskBlockStore(directory.path, { ...small, fileSystem })
  const [first, second] = [await randomBlocks(3, 300), await randomBlocks(3, 300)]
  await store.putMany(first)
  fileSystem.bytesLeft = 100
  const outcomes = await Promise.allSettled([
    store.putMany(second),
    store.putMany(second),
    store.putMany(first)
  ])
  assert.deepEqual(
    outcomes.map(outcome => outcome.status),
    ['rejected', 'rejected', 'rejected']
  )
  // Not even a first copy of what the failed puts had in common counts as there.
  assert.equal(await store.has(second[0]!.id), false)
  fileSystem.bytesLeft = Infinity
  await store.putMany(second)
  await assertHolds(store, [...first, ...second])
  await store.close()
})

test('removes blocks from a full disk, and gives their space back', async () => {
  await using directory = await createTemporaryDirectory('full')
  const fileSystem = new FaultyFileSystem()
  const store = await openDiskBlockStore(directory.path, { ...small, fileSystem })
  const [gone, kept] = [await randomBlocks(100, 900), await randomBlocks(3, 900)]
  // In a segment that is full by then: what is in the one that is written to need not move.
  await store.putMany([...kept, ...gone])
  await store.sync()
  fileSystem.bytesLeft = 0
  await store.deleteMany(gone.map(block => block.id))
  assert.equal(store.usage().blocks, kept.length)
  await assert.rejects(store.compact(), { code: 'ENOSPC' })
  await assertHolds(store, kept)
  // As much as the live blocks need is enough.
  fileSystem.bytesLeft = 10_000
  await store.compact()
  assert.ok(store.diskBytes() < 10_000, `${store.diskBytes()}`)
  await assertHolds(store, kept)
  fileSystem.bytesLeft = Infinity
  await store.putMany(gone.slice(0, 5))
  await store.close()
  const again = await openDiskBlockStore(directory.path, small)
  assert.equal(again.usage().blocks, kept.length + 5)
  await assertHolds(again, [...kept, ...gone.slice(0, 5)])
  await again.close()
})

test('goes on in a new segment when a torn write cannot be cut off', async () => {
  await using directory = await createTemporaryDirectory('full')
  const fileSystem = new FaultyFileSystem()
  const store = await openDiskBlockStore(directory.path, { ...small, fileSystem })
  const [before, torn, after] = [
    await randomBlocks(3),
    await randomBlocks(2, 300),
    await randomBlocks(3)
  ]
  await store.putMany(before)
  fileSystem.bytesLeft = 200
  fileSystem.fail = operation => {
    if (operation === 'truncate') throw systemError('EIO')
  }
  await assert.rejects(store.putMany(torn), { code: 'ENOSPC' })
  fileSystem.bytesLeft = Infinity
  await store.putMany(after)
  await store.close()
  const again = await openDiskBlockStore(directory.path, small)
  await assertHolds(again, [...before, ...after])
  await again.close()
})

test('promises nothing more once the disk could not write what it had taken', async () => {
  await using directory = await createTemporaryDirectory('full')
  const fileSystem = new FaultyFileSystem()
  const store = await openDiskBlockStore(directory.path, { ...small, fileSystem })
  const [before, unsure] = [await randomBlocks(3), await randomBlocks(3)]
  await store.putMany(before)
  await store.sync()
  await store.putMany(unsure)
  fileSystem.fail = operation => {
    if (operation === 'sync') throw systemError('EIO')
  }
  await assert.rejects(store.sync(), { code: 'EIO' })
  fileSystem.fail = () => {}
  await assert.rejects(store.sync(), { code: 'EIO' })
  await assert.rejects(store.putMany(await randomBlocks(1)), { code: 'EIO' })
  await assertHolds(store, before)
  await assert.rejects(store.close(), { code: 'EIO' })
  const again = await openDiskBlockStore(directory.path, small)
  await assertHolds(again, before)
  await again.sync()
  await again.close()
})

test('survives a failure of any single operation', async () => {
  const [first, second] = [await randomBlocks(30), await randomBlocks(30)]
  let isFailing = true
  for (let failAt = 1; isFailing; failAt++) {
    await using directory = await createTemporaryDirectory('fail')
    const fileSystem = new FaultyFileSystem()
    let operations = 0
    isFailing = false
    const acknowledged: Block[] = []
    const store = await openDiskBlockStore(directory.path, { ...small, fileSystem })
    fileSystem.fail = () => {
      if (++operations !== failAt) return
      isFailing = true
      throw systemError('EIO')
    }
    try {
      await store.putMany(first)
      await store.sync()
      acknowledged.push(...first.slice(15))
      await store.deleteMany(first.slice(0, 15).map(block => block.id))
      await store.compact()
      await store.putMany(second)
      await store.sync()
      acknowledged.push(...second)
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'EIO')
    }
    await store.close().catch(() => {})
    const again = await openDiskBlockStore(directory.path, small)
    for (const { id, bytes } of acknowledged) {
      assert.deepEqual(await again.get(id), bytes, `operation ${failAt} failed, ${id} is lost`)
    }
    await again.putMany([...first, ...second])
    await assertHolds(again, [...first, ...second])
    await again.close()
  }
})

const obstacle = await findObstacleToMounting()

testUnless(obstacle, test)('refuses what a real file system has no room for', async () => {
  await using directory = await createTemporaryDirectory('mounted')
  const path = directory.join('disk')
  await mkdir(path)
  await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'warren-test', path])
  try {
    const options = { segmentBytesMax: 1_000_000, compactAutomatically: false }
    const store = await openDiskBlockStore(path, options)
    const stored: Block[] = []
    for (;;) {
      const blocks = await randomBlocks(20)
      const error: unknown = await store.putMany(blocks).catch(error => error)
      if (error !== undefined) {
        assert.equal((error as { code?: unknown }).code, 'ENOSPC')
        break
      }
      stored.push(...blocks)
    }
    await assertHolds(store, stored)
    const kept = stored.slice(-50)
    await store.deleteMany(stored.slice(0, -50).map(block => block.id))
    await store.compact()
    const fresh = await randomBlocks(100)
    await store.putMany(fresh)
    await store.close()
    const again = await openDiskBlockStore(path, options)
    await assertHolds(again, [...kept, ...fresh])
    await again.close()
  } finally {
    await run('umount', ['--lazy', path])
  }
})

async function findObstacleToMounting(): Promise<string | undefined> {
  await using directory = await createTemporaryDirectory('mounting')
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'warren-test', directory.path])
    await run('umount', [directory.path])
    return undefined
  } catch {
    return 'no right to mount a file system of limited size'
  }
}

test.run()
