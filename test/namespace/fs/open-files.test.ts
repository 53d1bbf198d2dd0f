/** What handles and buffered writes promise to each other, and when things go wrong. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import { createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockStore } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import type { LocalVolume } from '../../../src/namespace/volume/local-volume.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import { createFileSystemFixture, readOnly } from '../../fixtures/file-system.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

const GIB = 1024 ** 3
const test = suite('open files')

test('appends from many callers land one after the other, none lost', async () => {
  await using fixture = await createFileSystemFixture({ fileBufferBytes: 2000 })
  const { fs } = fixture
  const handles = await Promise.all([1, 2, 3].map(() => fs.open('/log', 'a')))
  const lines = Array.from(
    { length: 300 },
    (_, index) => `line ${index} ${'x'.repeat(index % 90)}\n`
  )
  await Promise.all(
    lines.map(async (line, index) => {
      if (index % 4 === 3) await fs.appendFile('/log', line)
      else await handles[index % 4]!.write(line)
    })
  )
  await Promise.all(handles.map(handle => handle.close()))
  const found = (await fs.readFile('/log', 'utf8')).split('\n').slice(0, -1)
  assert.deepEqual(found.toSorted(), lines.map(line => line.slice(0, -1)).toSorted())
})

test('a store that begins at any step of a write takes all of it or nothing', async () => {
  await using fixture = await createFileSystemFixture()
  for (let ticks = 0; ticks < 60; ticks++) {
    const handle = await fixture.fs.open(`/file${ticks}`, 'a')
    await handle.write('first, ')
    const writing = handle.write('second, ')
    await later(ticks)
    const storing = handle.sync()
    await handle.write('third')
    await Promise.all([writing, storing])
    await handle.close()
    const found = await fixture.fs.readFile(`/file${ticks}`, 'utf8')
    assert.equal(found, 'first, second, third', `${ticks} ticks`)
  }
})

test('a write is seen at once by other handles, by paths and by stat', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', 'before')
  const [writer, reader] = [await fs.open('/file', 'r+'), await fs.open('/file')]
  await writer.write('AFTER, and longer')
  assert.equal(await reader.readFile('utf8'), 'AFTER, and longer')
  assert.equal(await fs.readFile('/file', 'utf8'), 'AFTER, and longer')
  assert.equal((await fs.stat('/file')).size, 17)
  assert.equal((await reader.stat()).size, 17)
  const stored = await fixture.root.volume.snapshot()
  const { inode } = (await stored.lookup(ROOT_INODE, 'file'))!
  assert.equal((await stored.inode(inode))!.size, 6)
  await writer.close()
  await reader.close()
})

test('times do not change when what was buffered is stored', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  const handle = await fs.open('/file', 'w')
  await handle.write('x'.repeat(50_000))
  const before = await fs.stat('/file')
  await delay(5)
  await handle.close()
  assert.equal((await fs.stat('/file')).mtimeMs, before.mtimeMs)
})

test('buffered bytes are stored by themselves after a while', async () => {
  await using fixture = await createFileSystemFixture({ bufferDelayMs: 20 })
  const handle = await fixture.fs.open('/file', 'w')
  await handle.write('soon')
  const signal = AbortSignal.timeout(40_000)
  for (let size = 0; size === 0; await delay(5, undefined, { signal })) {
    const snapshot = await fixture.root.volume.snapshot()
    size = (await snapshot.inode((await snapshot.lookup(ROOT_INODE, 'file'))!.inode))!.size
  }
  await handle.close()
})

test('a handle outlives renaming and unlinking; the inode goes with the last handle', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  await fs.writeFile('/file', 'x'.repeat(100_000))
  const [first, second] = [await fs.open('/file', 'r+'), await fs.open('/file', 'r')]
  await fs.rename('/file', '/moved')
  await first.write('renamed')
  await fs.unlink('/moved')
  await first.write(' and unlinked')
  assert.equal((await fs.readdir('/')).length, 0)
  const { ino, nlink } = await first.stat()
  assert.equal(nlink, 0)
  await first.close()
  const { buffer } = await second.read(Buffer.alloc(20), 0, 20, 0)
  assert.equal(buffer.toString(), 'renamed and unlinked')
  await second.close()
  assert.equal(await (await root.volume.snapshot()).inode(ino as typeof ROOT_INODE), undefined)
})

test('opening races with removing: a handle works or there is no such file', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  for (let ticks = 0; ticks < 120; ticks++) {
    await fs.writeFile('/file', 'content')
    const removing = fs.unlink('/file')
    await later(ticks)
    const [opened] = await Promise.allSettled([fs.open('/file')])
    await removing
    if (opened.status === 'rejected') assert.equal(opened.reason.code, 'ENOENT')
    else {
      assert.equal(await opened.value.readFile('utf8'), 'content')
      await opened.value.close()
    }
  }
})

test('reading while writes are stored always sees the last write', async () => {
  const root = await createVolumeFixture()
  await using fixture = await createFileSystemFixture({
    root: { ...root, volume: slowToRead(root.volume) }
  })
  const { fs } = fixture
  const handle = await fs.open('/file', 'w+')
  const bytes = new Uint8Array(20_000)
  for (let ticks = 0; ticks < 200; ticks++) {
    bytes.fill(ticks)
    await handle.write(bytes, 0, bytes.length, 0)
    const storing = handle.sync()
    await later(ticks)
    const { buffer } = await handle.read(new Uint8Array(bytes.length), 0, bytes.length, 0)
    assert.equal(Buffer.compare(buffer, bytes), 0, `after ${ticks} ticks`)
    await storing
  }
  await handle.close()
  for (let ticks = 0; ticks < 200; ticks++) {
    const once = await fs.open('/file', 'r+')
    bytes.fill(ticks + 7)
    await once.write(bytes, 0, bytes.length, 0)
    const closing = once.close()
    await later(ticks)
    const read = await fs.readFile('/file')
    assert.equal(Buffer.compare(read, bytes), 0, `by path after ${ticks} ticks`)
    await closing
  }
})

test('a file that someone else removed is a stale handle', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  await fs.writeFile('/file', 'content')
  const handle = await fs.open('/file', 'r+')
  await handle.write('lost')
  await root.volume.update(async transaction => {
    await transaction.unlink(ROOT_INODE, 'file')
  })
  await assert.rejects(handle.read(), { code: 'ESTALE', syscall: 'read' })
  await assert.rejects(handle.sync(), { code: 'ESTALE', syscall: 'fsync' })
  await handle.close()
})

test('a handle on a volume that others write stays with its version', async () => {
  const other = await createVolumeFixture()
  await using fixture = await createFileSystemFixture({
    mounts: { '/other': readOnly(other.volume) }
  })
  const theirs = await createFileSystemFixture({ root: other })
  await theirs.fs.writeFile('/file', 'one')
  const handle = await fixture.fs.open('/other/file')
  await theirs.fs.writeFile('/file', 'two, longer')
  assert.equal(await handle.readFile('utf8'), 'one')
  assert.equal((await handle.stat()).size, 3)
  assert.equal(await fixture.fs.readFile('/other/file', 'utf8'), 'two, longer')
  await assert.rejects(fixture.fs.open('/other/file', 'r+'), { code: 'EROFS' })
  await handle.close()
})

test('a full store is told to sync, loses nothing, and all is well when there is room again', async () => {
  const full = createFillableStore()
  const root = await createVolumeFixture({}, { store: full.store })
  const fixture = await createFileSystemFixture({ root })
  const { fs } = fixture
  await fs.writeFile('/file', 'old'.repeat(20_000))
  await fs.sync()
  const handle = await fs.open('/file', 'r+')
  full.isFull = true
  await handle.write('NEW'.repeat(20_000))
  await assert.rejects(handle.sync(), { code: 'ENOSPC', syscall: 'fsync' })
  assert.equal(await fs.readFile('/file', 'utf8'), 'NEW'.repeat(20_000))
  await assert.rejects(handle.close(), { code: 'ENOSPC', syscall: 'close' })
  assert.equal(await fs.readFile('/file', 'utf8'), 'NEW'.repeat(20_000))
  full.isFull = false
  await fs.sync()
  await fixture[Symbol.asyncDispose]()
  const again = await createFileSystemFixture({ root: { ...root, volume: await root.reopen() } })
  assert.equal(await again.fs.readFile('/file', 'utf8'), 'NEW'.repeat(20_000))
  await again[Symbol.asyncDispose]()
})

test('what a full store kept a removed file from storing is missed by nobody', async () => {
  const full = createFillableStore()
  const root = await createVolumeFixture({}, { store: full.store })
  await using fixture = await createFileSystemFixture({ root })
  const { fs } = fixture
  const handle = await fs.open('/file', 'w')
  full.isFull = true
  await handle.write('X'.repeat(20_000))
  await assert.rejects(handle.close(), { code: 'ENOSPC' })
  await fs.unlink('/file')
  full.isFull = false
  await fs.sync()
})

test('a full store refuses writes instead of growing the buffer', async () => {
  const full = createFillableStore()
  const root = await createVolumeFixture({}, { store: full.store })
  const fixture = await createFileSystemFixture({ root, fileBufferBytes: 100_000 })
  const handle = await fixture.fs.open('/file', 'w')
  full.isFull = true
  const accepted: string[] = []
  let refused = 0
  for (let index = 0; index < 200; index++) {
    const piece = `${index}`.padEnd(5000)
    await handle.write(piece, accepted.length * 5000).then(
      () => accepted.push(piece),
      error => {
        assert.equal(error.code, 'ENOSPC')
        refused++
      }
    )
  }
  assert(refused > 100, `${refused} refused`)
  full.isFull = false
  await handle.close()
  assert.equal(await fixture.fs.readFile('/file', 'utf8'), accepted.join(''))
  await fixture[Symbol.asyncDispose]()
})

test('what all files buffer together is bounded', async () => {
  await using fixture = await createFileSystemFixture({ totalBufferBytes: 300_000 })
  const { fs, root } = fixture
  const handles = await Promise.all(
    Array.from({ length: 20 }, (_, index) => fs.open(`/file${index}`, 'w'))
  )
  for (const handle of handles) await handle.write(Buffer.alloc(50_000, 1))
  const snapshot = await root.volume.snapshot()
  let stored = 0
  for await (const batch of snapshot.entriesWithInodes(ROOT_INODE)) {
    for (const entry of batch) stored += entry.attributes.size
  }
  assert(stored >= 20 * 50_000 - 350_000, `${stored} bytes stored`)
  for (const handle of handles) await handle.close()
})

test('a sparse file of 100 GiB costs nothing', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  const handle = await fs.open('/sparse', 'w+')
  await handle.write('begin')
  await handle.truncate(100 * GIB)
  await handle.write('end', 100 * GIB - 3)
  await handle.sync()
  assert.equal((await handle.stat()).size, 100 * GIB)
  const middle = await handle.read(Buffer.alloc(1000, 1), 0, 1000, 50 * GIB)
  assert.equal(middle.bytesRead, 1000)
  assert(middle.buffer.every(byte => byte === 0))
  const end = await handle.read(Buffer.alloc(10), 0, 10, 100 * GIB - 5)
  assert.equal(end.buffer.subarray(0, end.bytesRead).toString(), '\0\0end')
  assert(root.store.usage().bytes < 1_000_000, `${root.store.usage().bytes} bytes stored`)
  await handle.truncate(3)
  await handle.close()
  assert.equal(await fs.readFile('/sparse', 'utf8'), 'beg')
})

test('many small appends end as few large blocks', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 1024 * 1024 })
  const { fs, root } = fixture
  for (let index = 0; index < 150; index++) await fs.appendFile('/log', 'x'.repeat(10_000))
  const snapshot = await root.volume.snapshot()
  const inode = (await snapshot.inode((await snapshot.lookup(ROOT_INODE, 'log'))!.inode))!
  assert.equal(inode.size, 1_500_000)
  const content = await snapshot.content(inode)
  let extents = 0
  if ('extents' in content) for await (const batch of content.extents) extents += batch.length
  assert(extents > 0 && extents < 20, `${extents} extents`)
})

test('reading a file through gives the bytes, in reads of any size', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 10_000 })
  const { fs } = fixture
  const bytes = Uint8Array.from(
    { length: 1_500_000 },
    (_, index) => (index * 7 + (index >> 9)) & 255
  )
  await fs.writeFile('/file', bytes)
  const handle = await fs.open('/file', 'r+')
  const read: Uint8Array[] = []
  for (let size = 1; ; size = (size * 3) % 50_021) {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(size))
    if (bytesRead === 0) break
    read.push(buffer.subarray(0, bytesRead))
    if (size === 27) await handle.write('changed', 1_000_000)
  }
  bytes.set(Buffer.from('changed'), 1_000_000)
  assert.equal(Buffer.compare(Buffer.concat(read), bytes), 0)
  await handle.close()
})

test('two file systems that write into one extent lose nothing of each other', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 1024 * 1024 })
  const [one, two] = [fixture.fs, fixture.another()]
  const expected = Buffer.alloc(400_000, '.')
  await one.writeFile('/file', expected)
  const handles = [await one.open('/file', 'r+'), await two.open('/file', 'r+')]
  for (let round = 0; round < 30; round++) {
    await Promise.all(
      handles.map(async (handle, index) => {
        const at = (round * 2 + index) * 5000
        expected.fill(`${index}`, at, at + 3000)
        await handle.write(Buffer.alloc(3000, `${index}`), 0, 3000, at)
        await handle.sync()
      })
    )
  }
  for (const handle of handles) await handle.close()
  assert.equal(Buffer.compare(await two.readFile('/file'), expected), 0)
})

test('closing twice is harmless, using afterwards is not', async () => {
  await using fixture = await createFileSystemFixture()
  await fixture.fs.writeFile('/file', 'x')
  const handle = await fixture.fs.open('/file', 'r+')
  await Promise.all([handle.close(), handle.close()])
  await handle.close()
  for (const work of [handle.read(), handle.write('x'), handle.stat(), handle.sync()]) {
    await assert.rejects(work, { code: 'EBADF' })
  }
})

/** Lets other work go a number of steps further, to meet it at each of them. */
async function later(ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
}

/** A volume whose snapshots are old when they arrive. */
function slowToRead(volume: LocalVolume): LocalVolume {
  return new Proxy(volume, {
    get(target, name) {
      if (name === 'snapshot') {
        return async () => {
          const snapshot = await target.snapshot()
          await later(40)
          return snapshot
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** A store that can be made full. */
function createFillableStore(): { readonly store: BlockStore; isFull: boolean } {
  const inner = createMemoryBlockStore()
  const fillable = {
    isFull: false,
    store: {
      ...bound(inner),
      async putMany(...args: Parameters<BlockStore['putMany']>) {
        if (fillable.isFull) throw new WarrenError('ENOSPC')
        return await inner.putMany(...args)
      }
    }
  }
  return fillable
}

function bound(store: BlockStore): BlockStore {
  return {
    get: (...args) => store.get(...args),
    has: (...args) => store.has(...args),
    putMany: (...args) => store.putMany(...args),
    deleteMany: (...args) => store.deleteMany(...args),
    ids: (...args) => store.ids(...args),
    sync: () => store.sync(),
    usage: () => store.usage(),
    close: () => store.close()
  }
}

test.run()
