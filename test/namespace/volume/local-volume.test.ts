import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { INLINE_BYTES_MAX, ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import type {
  Extent,
  Inode,
  InodeNumber,
  Snapshot,
  Volume
} from '../../../src/namespace/volume/volume.ts'
import { WarrenError } from '../../../src/errors.ts'
import { codecOf, createLocalReader, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockReader } from '../../../src/blocks/index.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

const test = suite('local volume')
const FILE = { type: 'file', mode: 0o644 } as const
const DIRECTORY = { type: 'directory', mode: 0o755 } as const

test('a new volume has an empty root directory', async () => {
  const { volume } = await createVolumeFixture()
  const snapshot = await volume.snapshot()
  const root = await snapshot.inode(ROOT_INODE)
  assert.equal(root?.type, 'directory')
  assert.equal(root?.links, 2)
  assert.deepEqual(await names(snapshot, ROOT_INODE), [])
  await volume.close()
})

test('files and directories made are found, also after reopening', async () => {
  const fixture = await createVolumeFixture()
  const { volume } = fixture
  await volume.update(async transaction => {
    const notes = await transaction.create(ROOT_INODE, 'notes', DIRECTORY)
    const file = await transaction.create(notes.number, 'hello.txt', FILE)
    await transaction.setInline(file.number, text('hello'))
  })
  await volume.close()
  const again = await fixture.reopen()
  const snapshot = await again.snapshot()
  const notes = await snapshot.lookup(ROOT_INODE, 'notes')
  const entry = await snapshot.lookup(notes!.inode, 'hello.txt')
  const inode = await snapshot.inode(entry!.inode)
  assert.equal(inode!.size, 5)
  assert.equal(new TextDecoder().decode(await bytesOf(snapshot, inode!)), 'hello')
  assert.equal((await snapshot.inode(ROOT_INODE))!.links, 3)
  await again.close()
})

test('it is opened without asking anybody for what is not here any more', async () => {
  const store = createMemoryBlockStore()
  const local = createLocalReader(store)
  let asked = 0
  const get: BlockReader['get'] = (id, options) => {
    asked++
    return local.get(id, options)
  }
  const fixture = await createVolumeFixture({}, { store, reader: { ...local, get } })
  const root = fixture.volume.head!.root
  await fixture.volume.close()
  await store.deleteMany([root])
  asked = 0
  const again = await fixture.reopen()
  assert.equal(asked, 0)
  const snapshot = await again.snapshot()
  await assert.rejects(snapshot.inode(ROOT_INODE), { code: 'EHOSTUNREACH' })
  assert.ok(asked > 0)
  await again.close()
})

test('an update that throws changes nothing', async () => {
  const { volume } = await createVolumeFixture()
  const failed = volume.update(async transaction => {
    await transaction.create(ROOT_INODE, 'half', DIRECTORY)
    throw new WarrenError('EINVAL')
  })
  await assert.rejects(failed, { code: 'EINVAL' })
  assert.deepEqual(await names(await volume.snapshot(), ROOT_INODE), [])
  await volume.close()
})

test('a snapshot never changes', async () => {
  const { volume } = await createVolumeFixture()
  const before = await volume.snapshot()
  await volume.update(transaction => transaction.create(ROOT_INODE, 'later', FILE))
  assert.deepEqual(await names(before, ROOT_INODE), [])
  assert.deepEqual(await names(await volume.snapshot(), ROOT_INODE), ['later'])
  await volume.close()
})

test('updates at the same time take turns', async () => {
  const { volume } = await createVolumeFixture()
  await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      volume.update(transaction => transaction.create(ROOT_INODE, `file ${index}`, FILE))
    )
  )
  const snapshot = await volume.snapshot()
  const inodes = new Set<number>()
  for await (const batch of snapshot.entries(ROOT_INODE)) for (const e of batch) inodes.add(e.inode)
  assert.equal(inodes.size, 100)
  await volume.close()
})

test('a long file is stored in extents and read back in ranges', async () => {
  const { volume } = await createVolumeFixture()
  const bytes = crypto.getRandomValues(new Uint8Array(60_000))
  const long = new Uint8Array(1_000_000)
  for (let at = 0; at < long.length; at += bytes.length) {
    long.set(bytes.subarray(0, Math.min(bytes.length, long.length - at)), at)
  }
  const inode = await writeFile(volume, 'long', long)
  const snapshot = await volume.snapshot()
  assert.deepEqual(await bytesOf(snapshot, inode), long)
  for (const [offset, length] of [
    [0, 1],
    [65_535, 2],
    [65_536, 65_536],
    [999_999, 100],
    [123_456, 700_000]
  ] as const) {
    const range = await bytesOf(snapshot, inode, { offset, length })
    assert.deepEqual(range, long.subarray(offset, offset + length))
  }
  assert.deepEqual(await bytesOf(snapshot, inode, { offset: 2_000_000 }), new Uint8Array(0))
  await volume.close()
})

test('gaps read as zeros, at any size', async () => {
  const { volume } = await createVolumeFixture()
  const inode = await volume.update(async transaction => {
    const made = await transaction.create(ROOT_INODE, 'sparse', FILE)
    const size = 100 * 2 ** 30
    return transaction.setExtents(made.number, { from: 0, to: 0, extents: [], size })
  })
  const extents = await extentsOf(volume, [text('end')], inode.size)
  const after = await volume.update(transaction =>
    transaction.setExtents(inode.number, {
      from: inode.size,
      to: inode.size + 3,
      extents,
      size: inode.size + 3
    })
  )
  const snapshot = await volume.snapshot()
  const tail = await bytesOf(snapshot, after, { offset: inode.size - 2 })
  assert.deepEqual(tail, Uint8Array.of(0, 0, ...text('end')))
  await volume.close()
})

test('an extent over an edge or out of range is refused', async () => {
  const { volume } = await createVolumeFixture()
  const inode = await writeFile(volume, 'file', new Uint8Array(200_000).fill(1))
  const change = { from: 100, to: 200, extents: [], size: 200_000 }
  await assert.rejects(
    volume.update(transaction => transaction.setExtents(inode.number, change)),
    { code: 'EINVAL' }
  )
  await volume.close()
})

test('hard links share an inode until the last name goes', async () => {
  const { volume } = await createVolumeFixture()
  const inode = await writeFile(volume, 'one', text('x'.repeat(50_000)))
  await volume.update(transaction => transaction.link(ROOT_INODE, 'two', inode.number))
  assert.equal((await (await volume.snapshot()).inode(inode.number))!.links, 2)
  await volume.update(transaction => transaction.unlink(ROOT_INODE, 'one'))
  assert.equal((await (await volume.snapshot()).inode(inode.number))!.links, 1)
  await volume.update(transaction => transaction.unlink(ROOT_INODE, 'two'))
  assert.equal(await (await volume.snapshot()).inode(inode.number), undefined)
  await volume.close()
})

test('nothing of a removed file is left in the tree', async () => {
  const { volume } = await createVolumeFixture()
  const before = await entryCount(volume)
  const inode = await writeFile(volume, 'one', text('x'.repeat(500_000)))
  await volume.update(async transaction => {
    await transaction.setAttribute(inode.number, 'user.tag', text('blue'))
    await transaction.unlink(ROOT_INODE, 'one')
  })
  assert.equal(await entryCount(volume), before)
  await volume.close()
})

test('a file removed while open stays until it is released, or the next start', async () => {
  const fixture = await createVolumeFixture()
  const { volume } = fixture
  const keep = (): boolean => true
  const one = await writeFile(volume, 'one', text('one'))
  const two = await writeFile(volume, 'two', text('two'))
  await volume.update(async transaction => {
    await transaction.unlink(ROOT_INODE, 'one', { keep })
    await transaction.unlink(ROOT_INODE, 'two', { keep })
  })
  const open = await volume.snapshot()
  assert.equal(
    new TextDecoder().decode(await bytesOf(open, (await open.inode(one.number))!)),
    'one'
  )
  await volume.update(transaction => transaction.release(one.number))
  assert.equal(await (await volume.snapshot()).inode(one.number), undefined)
  await volume.close()
  const again = await fixture.reopen()
  assert.equal(await (await again.snapshot()).inode(two.number), undefined)
  await again.close()
})

test('renames move whole directories and replace as POSIX says', async () => {
  const { volume } = await createVolumeFixture()
  const { a, b } = await volume.update(async transaction => {
    const a = await transaction.create(ROOT_INODE, 'a', DIRECTORY)
    const b = await transaction.create(ROOT_INODE, 'b', DIRECTORY)
    await transaction.create(a.number, 'inside', FILE)
    await transaction.create(ROOT_INODE, 'file', FILE)
    return { a, b }
  })
  const at = (directory: InodeNumber, name: string) => ({ directory, name })
  const rename = (from: ReturnType<typeof at>, to: ReturnType<typeof at>): Promise<void> =>
    volume.update(transaction => transaction.rename(from, to))
  await assert.rejects(rename(at(ROOT_INODE, 'a'), at(a.number, 'a')), { code: 'EINVAL' })
  await assert.rejects(rename(at(ROOT_INODE, 'file'), at(ROOT_INODE, 'b')), { code: 'EISDIR' })
  await assert.rejects(rename(at(ROOT_INODE, 'b'), at(ROOT_INODE, 'file')), { code: 'ENOTDIR' })
  await assert.rejects(rename(at(ROOT_INODE, 'b'), at(ROOT_INODE, 'a')), { code: 'ENOTEMPTY' })
  await assert.rejects(rename(at(ROOT_INODE, 'none'), at(ROOT_INODE, 'a')), { code: 'ENOENT' })
  await rename(at(ROOT_INODE, 'a'), at(b.number, 'moved'))
  const snapshot = await volume.snapshot()
  assert.deepEqual(await names(snapshot, ROOT_INODE), ['b', 'file'])
  assert.deepEqual(await names(snapshot, a.number), ['inside'])
  assert.equal((await snapshot.inode(a.number))!.parent, b.number)
  assert.equal((await snapshot.inode(ROOT_INODE))!.links, 3)
  await volume.close()
})

test('content is shared by reference', async () => {
  const { volume, store } = await createVolumeFixture()
  const source = await writeFile(volume, 'source', crypto.getRandomValues(new Uint8Array(60_000)))
  await volume.sync()
  const before = store.usage().bytes
  const copy = await volume.update(async transaction => {
    const made = await transaction.create(ROOT_INODE, 'copy', FILE)
    return transaction.shareContent(source.number, made.number)
  })
  await volume.sync()
  const snapshot = await volume.snapshot()
  assert.deepEqual(await bytesOf(snapshot, copy), await bytesOf(snapshot, source))
  assert.ok(store.usage().bytes - before < 10_000)
  await volume.close()
})

test('names that no directory can hold are refused', async () => {
  const { volume } = await createVolumeFixture()
  const cases = [
    ['', 'EINVAL'],
    ['.', 'EINVAL'],
    ['..', 'EINVAL'],
    ['a/b', 'EINVAL'],
    ['a\0b', 'EINVAL'],
    ['\ud800', 'EINVAL'],
    ['x'.repeat(256), 'ENAMETOOLONG'],
    ['ü'.repeat(128), 'ENAMETOOLONG']
  ] as const
  for (const [name, code] of cases) {
    const made = volume.update(transaction => transaction.create(ROOT_INODE, name, FILE))
    await assert.rejects(made, { code }, JSON.stringify(name))
  }
  await volume.update(transaction => transaction.create(ROOT_INODE, 'x'.repeat(255), FILE))
  await volume.close()
})

test('inline content over its limit is refused', async () => {
  const { volume } = await createVolumeFixture()
  const set = (bytes: number): Promise<Inode> =>
    volume.update(async transaction => {
      const entry = await transaction.lookup(ROOT_INODE, 'file')
      const number = entry?.inode ?? (await transaction.create(ROOT_INODE, 'file', FILE)).number
      return transaction.setInline(number, new Uint8Array(bytes).fill(9))
    })
  await set(INLINE_BYTES_MAX)
  await assert.rejects(set(INLINE_BYTES_MAX + 1), { code: 'EFBIG' })
  await volume.close()
})

test('a full store fails the sync, loses nothing, and works again when there is room', async () => {
  const roomy = createMemoryBlockStore()
  let full = false
  const store = Object.assign(Object.create(roomy) as typeof roomy, {
    putMany: (...[blocks, options]: Parameters<typeof roomy.putMany>) =>
      full ? Promise.reject(new WarrenError('ENOSPC')) : roomy.putMany(blocks, options)
  })
  for (const verb of ['get', 'has', 'sync', 'usage', 'close', 'ids', 'deleteMany'] as const) {
    Object.assign(store, { [verb]: (roomy[verb] as () => unknown).bind(roomy) })
  }
  const fixture = await createVolumeFixture({}, { store })
  const { volume } = fixture
  await volume.update(transaction => transaction.create(ROOT_INODE, 'before', FILE))
  await volume.sync()
  full = true
  await volume.update(transaction => transaction.create(ROOT_INODE, 'during', FILE))
  await assert.rejects(volume.sync(), { code: 'ENOSPC' })
  assert.deepEqual(await names(await volume.snapshot(), ROOT_INODE), ['before', 'during'])
  full = false
  await volume.close()
  const again = await fixture.reopen()
  assert.deepEqual(await names(await again.snapshot(), ROOT_INODE), ['before', 'during'])
  await again.close()
})

test('while there is little room things are removed and not made', async () => {
  let [hasRoom, asked] = [true, 0]
  const parts = {
    hasRoom: async () => hasRoom,
    makeRoom: async () => {
      asked++
      return false
    }
  }
  const { volume } = await createVolumeFixture({}, parts)
  for (const name of ['kept', 'going']) await writeFile(volume, name, text(name))
  hasRoom = false
  const made = volume.update(transaction => transaction.create(ROOT_INODE, 'new', FILE))
  await assert.rejects(made, { code: 'ENOSPC' })
  assert.equal(asked, 1)
  await volume.update(transaction => transaction.unlink(ROOT_INODE, 'going'))
  await volume.sync()
  assert.deepEqual(await names(await volume.snapshot(), ROOT_INODE), ['kept'])
  hasRoom = true
  await volume.update(transaction => transaction.create(ROOT_INODE, 'new', FILE))
  assert.deepEqual(await names(await volume.snapshot(), ROOT_INODE), ['kept', 'new'])
  await volume.close()
})

test('content that finds no room is stored when room could be made', async () => {
  const inner = createMemoryBlockStore()
  let [isFull, canMake, asked] = [true, true, 0]
  const store = Object.assign(Object.create(inner) as typeof inner, {
    putMany: async (...[blocks]: Parameters<typeof inner.putMany>) => {
      if (isFull && blocks.some(({ id }) => codecOf(id) === 'raw')) throw new WarrenError('ENOSPC')
      await inner.putMany(blocks)
    }
  })
  for (const verb of ['get', 'has', 'sync', 'usage', 'close', 'ids', 'deleteMany'] as const) {
    Object.assign(store, { [verb]: (inner[verb] as () => unknown).bind(inner) })
  }
  const makeRoom = async (): Promise<boolean> => {
    asked++
    isFull = !canMake
    return canMake
  }
  const { volume } = await createVolumeFixture({}, { store, makeRoom })
  assert.equal((await extentsOf(volume, [new Uint8Array(100_000)], 0)).length, 2)
  assert.equal(asked, 1)
  isFull = true
  canMake = false
  await assert.rejects(extentsOf(volume, [text('other')], 0), { code: 'ENOSPC' })
  assert.equal(asked, 2)
  await volume.close()
})

test('everybody who syncs at once shares a commit', async () => {
  const { volume } = await createVolumeFixture()
  const before = volume.head!.sequence
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      await volume.update(transaction => transaction.create(ROOT_INODE, `f${index}`, FILE))
      await volume.sync()
    })
  )
  assert.ok(volume.head!.sequence - before <= 5, `${volume.head!.sequence - before} commits`)
  await volume.close()
})

test('changes are committed by themselves', async () => {
  const { volume } = await createVolumeFixture({ commitDelayMs: 5 })
  const before = volume.head!.sequence
  await volume.update(transaction => transaction.create(ROOT_INODE, 'file', FILE))
  await eventually(() => assert.ok(volume.head!.sequence > before))
  await volume.close()
})

async function writeFile(volume: Volume, name: string, bytes: Uint8Array): Promise<Inode> {
  const extents = await extentsOf(volume, [bytes], 0)
  return volume.update(async transaction => {
    const made = await transaction.create(ROOT_INODE, name, FILE)
    const { length } = bytes
    return transaction.setExtents(made.number, { from: 0, to: length, extents, size: length })
  })
}

async function extentsOf(volume: Volume, pieces: Uint8Array[], offset: number): Promise<Extent[]> {
  const stored = volume.storeExtents(pieces, { offset })
  const extents: Extent[] = []
  for await (const batch of stored) extents.push(...batch)
  stored.done()
  return extents
}

async function bytesOf(
  snapshot: Snapshot,
  inode: Inode,
  range: { offset?: number; length?: number } = {}
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of snapshot.read(inode, range)) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

async function names(snapshot: Snapshot, directory: InodeNumber): Promise<string[]> {
  const found: string[] = []
  for await (const batch of snapshot.entriesWithInodes(directory)) {
    found.push(...batch.map(entry => entry.name))
  }
  return found
}

async function entryCount(volume: Volume): Promise<number> {
  let count = 0
  for await (const batch of (await volume.snapshot()).tree.scan({})) count += batch.length
  return count
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

test.run()
