import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  appendFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  closeSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import {
  FileHashers,
  openDiskBlockStore,
  openHostFileBlockStore
} from '../../../src/blocks/disk/index.ts'
import type { HostFileBlockStore } from '../../../src/blocks/disk/index.ts'
import { createTieredBlockStore } from '../../../src/blocks/index.ts'
import type { Block, BlockStore } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import type { TransferFixture } from './host-fixtures.ts'
import {
  countsOf,
  createTransferFixture,
  describeFolder,
  describeVolume,
  openFiles,
  randomBytes
} from './host-fixtures.ts'

const MIB = 1024 * 1024

const test = suite('import on threads')

for (const blockBytes of [128 * 1024, 100_000, MIB]) {
  for (const inPlace of [false, true]) {
    const how = `${inPlace ? 'in place' : 'copied'}, in blocks of ${blockBytes} bytes`
    test(`takes in files of all sizes with their holes, ${how}`, async () => {
      await using fixture = await createThreadsFixture({ blockBytes })
      const { source, volume, store } = fixture
      for (const bytes of [100_000, 200_000, MIB - 1, MIB, MIB + 1, 9 * MIB + 77]) {
        writeFileSync(`${source}/${bytes}`, randomBytes(bytes))
      }
      makeHoles(`${source}/holes`)
      writeFileSync(`${source}/zeros`, Buffer.alloc(3 * MIB))
      const report = await fixture.import(source, 'copy', { inPlace })
      assert.deepEqual(report.failed, [])
      assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
      const { bytes } = store.usage()
      assert.ok(bytes < 24 * MIB, `${bytes} bytes were stored: no holes were left out`)
      assert.equal(fixture.references.usage().bytes > 10 * MIB, inPlace)
    })
  }
}

test('has what large files leave behind collected', async () => {
  let collected = 0
  const collect = (): void => void collected++
  await using fixture = await createThreadsFixture({ collect })
  writeFileSync(`${fixture.source}/large`, '')
  truncateSync(`${fixture.source}/large`, 160 * MIB)
  await fixture.import(fixture.source, 'copy')
  assert.ok(collected >= 2)
})

test('takes in many files at once, of which each wants more memory than there is', async () => {
  await using fixture = await createThreadsFixture()
  const { source, volume, hashers } = fixture
  for (let index = 0; index < 12; index++) {
    writeFileSync(`${source}/${index}`, randomBytes(3 * MIB + index))
  }
  writeFileSync(`${source}/large`, randomBytes(20 * MIB))
  const imports = ['a', 'b', 'c'].map(name => fixture.import(source, name))
  await Promise.all(imports)
  assert.equal(hashers.threads, 2)
  assert.deepEqual(await describeVolume(volume, 'b'), describeFolder(source))
})

test('stores nothing wrong and keeps no memory when it is stopped at any time', async () => {
  await using fixture = await createThreadsFixture()
  const { source, volume, store, directory } = fixture
  for (let index = 0; index < 4; index++) {
    writeFileSync(`${source}/${index}`, randomBytes(6 * MIB))
  }
  for (let afterMs = 0; afterMs < 40; afterMs += 2) {
    const signal = AbortSignal.timeout(afterMs)
    await fixture.import(source, 'copy', { signal }).catch(error => {
      assert.ok(signal.aborted, String(error))
    })
    // Other bytes at once in the memory of what may still be on its way to the disk.
    writeFileSync(`${source}/other`, randomBytes(2 * MIB))
  }
  assert.deepEqual(openFiles(directory.path), [])
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
  for await (const id of store.ids()) assert.ok(await store.get(id), `${id} is damaged`)
})

test('goes on after a store that failed', async () => {
  await using fixture = await createThreadsFixture()
  const { source, volume } = fixture
  writeFileSync(`${source}/large`, randomBytes(20 * MIB))
  for (let failAt = 1; failAt < 20; failAt += 3) {
    fixture.failPutsAt(failAt)
    await assert.rejects(fixture.import(source, 'copy'), { code: 'ENOSPC' })
  }
  fixture.failPutsAt(Infinity)
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(volume, 'copy'), describeFolder(source))
})

test('notices a file that changes or shrinks while it is read', async () => {
  await using fixture = await createThreadsFixture()
  const { source, references } = fixture
  const path = `${source}/large`
  const changes: readonly (() => void)[] = [
    () => appendFileSync(path, 'x'),
    () => truncate(path, 5 * MIB),
    () => utimesSync(path, 1, 1)
  ]
  for (const change of changes) {
    writeFileSync(path, randomBytes(30 * MIB))
    let changed = false
    const report = await fixture.import(source, 'copy', {
      inPlace: true,
      onProgress: ({ bytes }) => {
        if (bytes === 0 || changed) return
        changed = true
        change()
      }
    })
    assert.ok(changed)
    assert.deepEqual(countsOf(report).failed, ['large: EBUSY'])
  }
  await fixture.import(source, 'copy', { inPlace: true })
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  assert.ok(references.usage().blocks > 0)
})

test.run()

interface ThreadsFixture extends TransferFixture {
  readonly source: string
  readonly hashers: FileHashers
  readonly references: HostFileBlockStore
  /** The copies only. */
  readonly store: BlockStore
  /** The so-manieth put from now on, and all after it, fail. */
  failPutsAt(count: number): void
}

async function createThreadsFixture({
  blockBytes = 128 * 1024,
  collect = () => {}
} = {}): Promise<ThreadsFixture> {
  const kept = await createTemporaryDirectory('threads')
  const store = await openDiskBlockStore(`${kept.path}/blocks`)
  const references = await openHostFileBlockStore(`${kept.path}/references`)
  const hashers = new FileHashers({ threads: 2, startingBytes: 2 * MIB })
  let putsLeft = Infinity
  const putMany = async (blocks: readonly Block[]): Promise<void> => {
    if (blocks[0]!.bytes.buffer instanceof SharedArrayBuffer && --putsLeft <= 0) {
      throw new WarrenError('ENOSPC')
    }
    await store.putMany(blocks)
  }
  const tiered = createTieredBlockStore([store, references])
  const fixture = await createTransferFixture(
    { references, hashers, collect },
    { blockBytes },
    { store: withPuts(tiered, putMany) }
  )
  const source = fixture.directory.join('source')
  mkdirSync(source)
  return {
    ...fixture,
    source,
    hashers,
    references,
    store,
    failPutsAt: count => void (putsLeft = count),
    [Symbol.asyncDispose]: async () => {
      await fixture[Symbol.asyncDispose]()
      await hashers.close()
      await tiered.close()
      await kept.remove()
    }
  }
}

/** A store with another `putMany`. */
function withPuts(store: BlockStore, putMany: BlockStore['putMany']): BlockStore {
  return {
    get: (id, options) => store.get(id, options),
    has: (id, options) => store.has(id, options),
    putMany,
    deleteMany: (ids, options) => store.deleteMany(ids, options),
    ids: options => store.ids(options),
    sync: () => store.sync(),
    usage: () => store.usage(),
    close: () => store.close()
  }
}

function makeHoles(path: string): void {
  const file = openSync(path, 'w')
  ftruncateSync(file, 40 * MIB)
  writeSync(file, randomBytes(100_000), 0, 100_000, 7 * MIB + 5)
  writeSync(file, randomBytes(MIB), 0, MIB, 20 * MIB - 500_000)
  writeSync(file, randomBytes(10), 0, 10, 40 * MIB - 10)
  closeSync(file)
}

function truncate(path: string, size: number): void {
  const file = openSync(path, 'r+')
  ftruncateSync(file, size)
  closeSync(file)
}
