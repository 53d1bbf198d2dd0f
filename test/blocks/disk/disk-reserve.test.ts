import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { createBlock } from '../../../src/blocks/block.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { Codec } from '../../../src/blocks/block-id.ts'
import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { DiskReserve } from '../../../src/blocks/disk/disk-reserve.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { FaultyFileSystem } from './faulty-file-system.ts'

const test = suite('disk reserve')
const KIB = 1024
const MIB = 1024 * KIB

test('grows with what is stored, within limits, and becomes smaller again', async () => {
  await using directory = await createTemporaryDirectory('reserve')
  const size = async (): Promise<number> => (await stat(directory.join('RESERVE'))).size
  const reserve = await DiskReserve.open(directory.path, new FaultyFileSystem())
  for (const [stored, bytes] of [
    [0, 256 * KIB],
    [4 * MIB, 256 * KIB],
    [32 * MIB, 2 * MIB],
    [40 * MIB, 2 * MIB],
    [1000 * MIB, 8 * MIB],
    [8 * MIB, 512 * KIB]
  ] as const) {
    assert.equal(await reserve.fill(stored), true)
    assert.equal(await size(), bytes, `${stored}`)
  }
})

test('what was given up is missing until there is room again, also after a restart', async () => {
  await using directory = await createTemporaryDirectory('reserve')
  const fileSystem = new FaultyFileSystem()
  const reserve = await DiskReserve.open(directory.path, fileSystem)
  assert.equal(await reserve.release(1), false, 'there is none yet')
  await reserve.fill(32 * MIB)
  fileSystem.bytesLeft = 100 * KIB
  assert.equal(await reserve.release(MIB + 1), true)
  assert.equal((await stat(directory.join('RESERVE'))).size, 2 * MIB - MIB - 64 * KIB)
  assert.equal(reserve.isWhole, false)
  assert.equal(await reserve.fill(32 * MIB), false)
  assert.equal((await stat(directory.join('RESERVE'))).size, MIB, 'what was torn is cut off')
  const again = await DiskReserve.open(directory.path, fileSystem)
  assert.equal(await again.release(10 * MIB), true)
  assert.equal(await again.release(1), false)
  fileSystem.bytesLeft = Infinity
  assert.equal(await again.fill(32 * MIB), true)
  assert.equal((await stat(directory.join('RESERVE'))).size, 2 * MIB)
})

test('nodes may be stored on a full disk, and content when there is room again', async () => {
  await using directory = await createTemporaryDirectory('reserve')
  const fileSystem = new FaultyFileSystem()
  const options = { reserve: true, fileSystem, compactAutomatically: false }
  const store = await openDiskBlockStore(directory.path, options)
  const content = await blocksOf('raw', 60)
  await store.putMany(content)
  await store.sync()
  fileSystem.bytesLeft = 1_000
  await assert.rejects(store.putMany(await blocksOf('raw', 1)), { code: 'ENOSPC' })
  assert.equal(await store.hasRoom(), true, 'nothing was given up yet')
  const [node] = await blocksOf('dag-cbor', 1)
  await assert.rejects(store.putMany([node!]), { code: 'ENOSPC' }, 'others took what was given up')
  // What is given up is room: a test's disk does not know.
  fileSystem.bytesLeft = 100 * KIB
  await store.putMany([node!])
  assert.equal(await store.hasRoom(), false)
  await assert.rejects(store.putMany(await blocksOf('raw', 1)), { code: 'ENOSPC' })
  assert.deepEqual(await store.get(node!.id), node!.bytes)
  fileSystem.bytesLeft = Infinity
  await new Promise(resolve => setTimeout(resolve, 600))
  assert.equal(await store.hasRoom(), true)
  await store.putMany(await blocksOf('raw', 1))
  await store.close()
})

test.run()

function blocksOf(codec: Codec, count: number): Promise<Block[]> {
  const bytes = (): Uint8Array => crypto.getRandomValues(new Uint8Array(60_000))
  return Promise.all(Array.from({ length: count }, () => createBlock(codec, bytes())))
}
