/** Listings with attributes: the same as `lstat` tells of each name, whatever is in between. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { createLocalReader } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import type { FileSystem } from '../../../src/namespace/fs/index.ts'
import { entryKey, inodeKey } from '../../../src/namespace/volume/keys.ts'
import { encodeEntry, encodeInode } from '../../../src/namespace/volume/records.ts'
import { TreeSnapshot } from '../../../src/namespace/volume/tree-snapshot.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import type { Inode, InodeNumber, Volume } from '../../../src/namespace/volume/volume.ts'
import type { Change } from '../../../src/namespace/tree/tree.ts'
import type { VolumeFixture } from '../../fixtures/volume.ts'
import { createFileSystemFixture, readOnly } from '../../fixtures/file-system.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

const test = suite('listings with attributes')

async function expectAsLstat(
  fs: FileSystem,
  path: string,
  options: { readonly recursive?: boolean } = {}
): Promise<void> {
  const listed = await fs.readdir(path, { ...options, withStats: true })
  const dirents = await fs.readdir(path, { ...options, withFileTypes: true })
  assert.deepEqual(
    listed.map(({ name, parentPath }) => ({ name, parentPath })),
    dirents.map(({ name, parentPath }) => ({ name, parentPath }))
  )
  for (const [index, entry] of listed.entries()) {
    const place = `${entry.parentPath}/${entry.name}`
    assert.deepEqual(entry.stats, await fs.lstat(place), place)
    assert.equal(entry.isFile(), entry.stats!.isFile(), place)
    assert.equal(entry.isDirectory(), entry.stats!.isDirectory(), place)
    assert.equal(entry.isSymbolicLink(), entry.stats!.isSymbolicLink(), place)
    assert.equal(entry.isDirectory(), dirents[index]!.isDirectory(), place)
  }
  const opened = []
  for await (const entry of fs.opendir(path, { ...options, withStats: true })) opened.push(entry)
  assert.deepEqual(opened, listed)
}

test('files, directories, hard links and symbolic links, which are not followed', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.mkdir('/dir/below/empty', { recursive: true })
  await fs.writeFile('/dir/file', 'some bytes', { mode: 0o600 })
  await fs.link('/dir/file', '/dir/again')
  await fs.link('/dir/file', '/dir/below/elsewhere')
  await fs.symlink('file', '/dir/link')
  await fs.symlink('below', '/dir/to directory')
  await fs.symlink('nowhere', '/dir/dangling')
  await fs.utimes('/dir/file', 1.5, 1234567890.125)
  await fs.writeFile(`/dir/${'long name '.repeat(20)}`, '')
  await fs.writeFile('/dir/ümläut 文', 'x')
  await expectAsLstat(fs, '/dir')
  await expectAsLstat(fs, '/', { recursive: true })
  assert.deepEqual(await fs.readdir('/dir/below/empty', { withStats: true }), [])
  const link = (await fs.readdir('/dir', { withStats: true })).find(({ name }) => name === 'link')
  assert.equal(link!.stats!.size, 4)
  await assert.rejects(fs.readdir('/dir/file', { withStats: true }), { code: 'ENOTDIR' })
  await assert.rejects(fs.readdir('/none', { withStats: true }), {
    code: 'ENOENT',
    syscall: 'scandir'
  })
})

test('3,000 entries in no order of their inodes', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.mkdir('/many')
  const names = Array.from({ length: 3000 }, (_, index) => `${(index * 7919) % 3001} of many`)
  await Promise.all(names.map(name => fs.writeFile(`/many/${name}`, name)))
  for (const when of ['in memory', 'stored']) {
    const listed = await fs.readdir('/many', { withStats: true })
    assert.deepEqual(
      new Map(listed.map(({ name, stats }) => [name, stats!.size])),
      new Map(names.toSorted().map(name => [name, name.length])),
      when
    )
    await fs.sync()
  }
})

test('names as bytes', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/ü', 'abc')
  const options = { encoding: 'buffer', withStats: true } as const
  const listed: readonly { readonly name: unknown; readonly stats?: { readonly size: number } }[] =
    (await fs.readdir('/', options as never)) as never
  assert.deepEqual([...(listed[0]!.name as Uint8Array)], [0xc3, 0xbc])
  assert.equal(listed[0]!.stats!.size, 3)
})

test('what open files have buffered counts', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/closed', 'old')
  const handle = await fs.open('/open', 'w')
  await handle.write(new Uint8Array(1234))
  await expectAsLstat(fs, '/')
  assert.equal((await fs.readdir('/', { withStats: true }))[1]!.stats!.size, 1234)
  await handle.close()
  await expectAsLstat(fs, '/')
})

test('what changes after the listing began is told as it is now, what is gone as it was', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  for (const name of ['a', 'b', 'c']) await fs.writeFile(`/${name}`, name)
  const directory = await fs.opendir('/', { withStats: true })
  await fs.writeFile('/b', 'longer')
  await fs.unlink('/c')
  const sizes = []
  for await (const { name, stats } of directory) sizes.push([name, stats?.size])
  assert.deepEqual(sizes, [
    ['a', 1],
    ['b', 6],
    ['c', 1]
  ])
})

test('what is mounted is told as it is where it comes from', async () => {
  const [other, inner] = [await createVolumeFixture(), await createVolumeFixture()]
  await using fixture = await createFileSystemFixture({
    mounts: { '/other': other.volume, '/dir/inner': readOnly(inner.volume) }
  })
  const { fs, root, mounted } = fixture
  await fs.mkdir('/dir/inner-not', { recursive: true })
  await fs.writeFile('/dir/file', 'file')
  await fs.writeFile('/other/there', 'there')
  const { ino } = await fs.stat('/dir/file')
  mounted.set('/dir/one', { volume: root.volume, inode: ino as never })
  await expectAsLstat(fs, '/')
  await expectAsLstat(fs, '/dir')
  await expectAsLstat(fs, '/', { recursive: true })
  const devices = (await fs.readdir('/', { withStats: true })).map(({ stats }) => stats!.dev)
  assert.equal(new Set(devices).size, 2)
})

test('a mount out of reach has no attributes, and keeps nothing else from being listed', async () => {
  const away = await createVolumeFixture()
  const unreachable = Object.assign(Object.create(away.volume) as Volume, {
    snapshot: () => Promise.reject(new WarrenError('EHOSTUNREACH'))
  })
  await using fixture = await createFileSystemFixture({ mounts: { '/away': unreachable } })
  const { fs } = fixture
  await fs.writeFile('/file', 'here')
  const listed = await fs.readdir('/', { withStats: true })
  assert.deepEqual(
    listed.map(entry => [entry.name, entry.isDirectory(), entry.stats?.size]),
    [
      ['file', false, 4],
      ['away', true, undefined]
    ]
  )
  await assert.rejects(fs.readdir('/', { withStats: true, recursive: true }), {
    code: 'EHOSTUNREACH'
  })
  fixture.mounted.delete('/away')
})

test('it can be cancelled', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', '')
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(fs.readdir('/', { withStats: true, signal }), /enough/)
})

/** A version of a volume with changes that no owner's own software would make. */
async function hostileVolume(
  { volume, store }: VolumeFixture,
  changes: readonly Change[]
): Promise<Volume> {
  const { tree } = await volume.snapshot()
  const sorted = changes.toSorted((a, b) => Buffer.compare(a.key, b.key))
  const snapshot = new TreeSnapshot(await tree.apply(sorted), createLocalReader(store))
  const hostile = Object.assign(Object.create(volume) as Volume, { snapshot: async () => snapshot })
  return readOnly(hostile)
}

const strange = 1000 as InodeNumber

test('an entry whose inode is missing, malformed or another has no attributes', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  await fs.mkdir('/dir')
  await fs.writeFile('/file', 'good')
  const snapshot = await root.volume.snapshot()
  const dir = (await snapshot.lookup(ROOT_INODE, 'dir'))!
  const good = (await snapshot.inode((await snapshot.lookup(ROOT_INODE, 'file'))!.inode))!
  const record = (change: Partial<Inode>): Uint8Array => encodeInode({ ...good, ...change })
  const cases: Record<string, { type: 'file' | 'directory' | 'symlink'; value?: Uint8Array }> = {
    missing: { type: 'file' },
    empty: { type: 'file', value: new Uint8Array(0) },
    truncated: { type: 'file', value: record({}).subarray(0, -1) },
    longer: { type: 'file', value: Uint8Array.of(...record({}), 0) },
    'of another type': { type: 'file', value: record({ type: 'directory', parent: 1 }) },
    'of negative size': { type: 'file', value: record({ size: -1 }) },
    'at no time': { type: 'file', value: record({ mtimeMs: NaN }) },
    'a link to nowhere': { type: 'symlink', value: record({ type: 'symlink' }) },
    'in another place': { type: 'directory', value: record({ type: 'directory', parent: 77 }) }
  }
  const changes = Object.entries(cases).flatMap(([name, { type, value }], index) => {
    const inode = (strange + index) as InodeNumber
    const entry = { key: entryKey(dir.inode, name), value: encodeEntry({ inode, type }) }
    return value === undefined ? [entry] : [entry, { key: inodeKey(inode), value }]
  })
  const circle = { key: entryKey(dir.inode, 'itself'), value: encodeEntry(dir) }
  const hostile = await hostileVolume(root, [...changes, circle])
  fixture.mounted.set('/hostile', { volume: hostile, inode: ROOT_INODE })
  const listed = await fs.readdir('/hostile/dir', { withStats: true })
  assert.deepEqual(
    new Map(listed.map(({ name, stats }) => [name, stats])),
    new Map([...Object.keys(cases), 'itself'].toSorted().map(name => [name, undefined]))
  )
  const above = await fs.readdir('/hostile', { withStats: true })
  assert.deepEqual(
    above.map(({ name, stats }) => [name, stats!.size]),
    [
      ['dir', 0],
      ['file', 4]
    ]
  )
  const everything = fs.readdir('/hostile', { withStats: true, recursive: true })
  await assert.rejects(everything, { code: 'EPROTO' })
  fixture.mounted.delete('/hostile')
})

test('names that are no names are refused', async () => {
  const names = [
    [0xff],
    [0xc3],
    [...Buffer.from('a/b')],
    [...Buffer.from('..')],
    [0],
    [...Buffer.alloc(300, 'a')]
  ]
  for (const name of names) {
    await using fixture = await createFileSystemFixture()
    const { fs, root } = fixture
    const key = Uint8Array.of(...entryKey(ROOT_INODE, 'x').subarray(0, -1), ...name)
    const hostile = await hostileVolume(root, [
      { key, value: encodeEntry({ inode: strange, type: 'file' }) }
    ])
    fixture.mounted.set('/hostile', { volume: hostile, inode: ROOT_INODE })
    await assert.rejects(
      fs.readdir('/hostile', { withStats: true }),
      { code: 'EPROTO' },
      name.join()
    )
    await assert.rejects(fs.readdir('/hostile'), { code: 'EPROTO' }, name.join())
    fixture.mounted.delete('/hostile')
  }
})

test.run()
