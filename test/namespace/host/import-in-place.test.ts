import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { openHostFileBlockStore } from '../../../src/blocks/disk/index.ts'
import type { HostFileBlockStore } from '../../../src/blocks/disk/index.ts'
import {
  createCollectableBlockStore,
  createMemoryBlockStore,
  createTieredBlockStore
} from '../../../src/blocks/index.ts'
import type { BlockStore, CollectableBlockStore } from '../../../src/blocks/index.ts'
import { createHostTransfers } from '../../../src/namespace/host/index.ts'
import type { HostTransfers } from '../../../src/namespace/transfer.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { TransferFixture } from './host-fixtures.ts'
import {
  ROOT,
  createTransferFixture,
  describeFolder,
  describeVolume,
  inodeAt,
  randomBytes
} from './host-fixtures.ts'

const test = suite('import in place')

test('keeps no second copy, and serves what the host has', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, copied, references, volume } = fixture
  mkdirSync(`${source}/d`)
  writeFileSync(`${source}/d/large`, randomBytes(5_000_000))
  writeFileSync(`${source}/d/middling`, randomBytes(20_000))
  writeFileSync(`${source}/small`, randomBytes(12_288))
  await fixture.importInPlace()
  await volume.sync()
  assert.ok(copied.usage().bytes < 30_000, `${copied.usage().bytes} bytes were copied`)
  assert.equal(references.usage().bytes, 5_020_000)
  assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
})

test('misses a file that changed until it is imported again', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, volume, references } = fixture
  writeFileSync(`${source}/file`, randomBytes(100_000))
  writeFileSync(`${source}/other`, randomBytes(100_000))
  await fixture.importInPlace()
  writeFileSync(`${source}/file`, randomBytes(100_000))
  await assert.rejects(describeVolume(volume, 'copy'), { code: 'EHOSTUNREACH' })
  const report = await fixture.importInPlace()
  assert.deepEqual([report.files, report.skipped], [1, 1])
  assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
  assert.equal(references.usage().bytes, 200_000, 'references of the old file are gone')
})

test('indexes a file again that looks the same and is another', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, volume } = fixture
  writeFileSync(`${source}/file`, randomBytes(100_000))
  await fixture.importInPlace()
  const { atimeMs, mtimeMs } = statSync(`${source}/file`)
  copyFileSync(`${source}/file`, `${source}/new`)
  utimesSync(`${source}/new`, atimeMs / 1000, mtimeMs / 1000)
  renameSync(`${source}/new`, `${source}/file`)
  const report = await fixture.importInPlace()
  assert.equal(report.files, 1)
  assert.equal((await fixture.importInPlace()).skipped, 1)
  await describeVolume(volume, 'copy')
})

test('copies what was in place when it is asked to, and forgets the references', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, volume, references, copied, transfers, place } = fixture
  writeFileSync(`${source}/file`, randomBytes(100_000))
  await fixture.importInPlace()
  const before = await describeVolume(volume, 'copy')
  const report = await transfers.import(source, place, {})
  assert.equal(report.files, 1)
  assert.equal(references.usage().blocks, 0)
  assert.ok(copied.usage().bytes >= 100_000)
  rmSync(source, { recursive: true })
  assert.deepEqual(await describeVolume(volume, 'copy'), before)
})

test('refers to files through links to the folder, and to linked files once', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, volume, references, transfers, directory } = fixture
  writeFileSync(`${source}/file`, randomBytes(50_000))
  linkSync(`${source}/file`, `${source}/second`)
  symlinkSync(source, directory.join('link'))
  const place = { volume, directory: ROOT, name: 'linked' }
  await transfers.import(directory.join('link'), place, { inPlace: true })
  rmSync(directory.join('link'))
  assert.deepEqual(await describeVolume(volume, 'linked'), describeFolder(source))
  assert.equal(references.usage().bytes, 50_000)
  await transfers.import(`${source}/second`, { ...place, name: 'single' }, { inPlace: true })
  assert.equal((await inodeAt(volume, 'single'))?.size, 50_000)
})

test('announces blocks to collection before they are stored', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, volume, store } = fixture
  for (let index = 0; index < 20; index++) {
    writeFileSync(`${source}/f${index}`, randomBytes(300_000))
  }
  let running = true
  const roots = {
    inFlight: () => volume.inFlight(),
    live: async () => (await volume.roots()).current
  }
  const collecting = (async () => {
    while (running) {
      await store.collect(roots)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  })()
  await fixture.importInPlace()
  running = false
  await collecting
  await volume.sync()
  await store.collect(roots)
  assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
})

test('leaves no reference behind of a file that changed while it was read', async () => {
  await using fixture = await createInPlaceFixture()
  const { source, volume } = fixture
  writeFileSync(`${source}/file`, randomBytes(20_000_000))
  let changed = false
  const report = await fixture.importInPlace(({ bytes }) => {
    if (changed || bytes === 0) return
    changed = true
    writeFileSync(`${source}/file`, randomBytes(10_000_000))
  })
  assert.equal(report.failed.length, 1)
  assert.equal(await inodeAt(volume, 'copy/file'), undefined)
  assert.equal((await fixture.importInPlace()).files, 1)
  assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
})

test.run()

interface InPlaceFixture extends TransferFixture {
  readonly source: string
  readonly copied: BlockStore
  readonly references: HostFileBlockStore
  readonly store: CollectableBlockStore
  readonly transfers: HostTransfers
  readonly place: Parameters<HostTransfers['import']>[1]
  /** The source as `copy`. */
  importInPlace(
    onProgress?: NonNullable<Parameters<HostTransfers['import']>[2]['onProgress']>
  ): ReturnType<HostTransfers['import']>
}

async function createInPlaceFixture(): Promise<InPlaceFixture> {
  const kept = await createTemporaryDirectory('references')
  const references = await openHostFileBlockStore(kept.join('references'))
  const copied = createMemoryBlockStore()
  const store = createCollectableBlockStore(createTieredBlockStore([copied, references]))
  const fixture = await createTransferFixture({}, { retentionMs: 0 }, { store })
  const transfers = createHostTransfers(references, ids => store.touch(ids))
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const place = { volume: fixture.volume, directory: ROOT, name: 'copy' }
  return {
    ...fixture,
    source,
    copied,
    references,
    store,
    transfers,
    place,
    importInPlace: onProgress =>
      transfers.import(source, place, {
        inPlace: true,
        ...(onProgress === undefined ? {} : { onProgress })
      }),
    [Symbol.asyncDispose]: async () => {
      await fixture[Symbol.asyncDispose]()
      await store.close()
      await kept.remove()
    }
  }
}
