/** Directories with many entries and deep trees, user-defined attributes, and limits of names and links. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { PATH_BYTES_MAX } from '../../../src/namespace/fs/paths.ts'
import { SYMLINKS_MAX } from '../../../src/namespace/fs/resolve.ts'
import { createLocalReader } from '../../../src/blocks/index.ts'
import { entryKey } from '../../../src/namespace/volume/keys.ts'
import { encodeEntry } from '../../../src/namespace/volume/records.ts'
import { TreeSnapshot } from '../../../src/namespace/volume/tree-snapshot.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import { createFileSystemFixture, readOnly } from '../../fixtures/file-system.ts'

const test = suite('directories')

test('a directory of 5,000 entries is listed, copied and removed', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.mkdir('/many/deep/er', { recursive: true })
  const names = Array.from({ length: 5000 }, (_, index) => `name ${index}`)
  await Promise.all(names.map(name => fs.writeFile(`/many/${name}`, name)))
  const expected = [...names, 'deep'].toSorted()
  assert.deepEqual((await fs.readdir('/many')).toSorted(), expected)
  const listed: string[] = []
  for await (const entry of await fs.opendir('/many')) listed.push(entry.name)
  const unawaited: string[] = []
  for await (const entry of fs.opendir('/many')) unawaited.push(entry.name)
  assert.deepEqual(unawaited, listed)
  await assert.rejects(
    async () => {
      for await (const entry of fs.opendir('/none')) assert.fail(entry.name)
    },
    { code: 'ENOENT' }
  )
  assert.deepEqual(listed.toSorted(), expected)
  await fs.cp('/many', '/copy', { recursive: true })
  assert.equal(await fs.readFile('/copy/name 4999', 'utf8'), 'name 4999')
  await fs.rm('/many', { recursive: true })
  assert.deepEqual(await fs.readdir('/'), ['copy'])
  assert.equal((await fs.readdir('/copy', { recursive: true })).length, 5002)
})

test('a listing shows its directory as it was when it was opened', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  for (const name of ['a', 'b', 'c']) await fs.writeFile(`/${name}`, '')
  const directory = await fs.opendir('/')
  const first = await directory.read()
  await fs.unlink('/b')
  await fs.writeFile('/d', '')
  const names = [first!.name]
  for (let entry = await directory.read(); entry; entry = await directory.read())
    names.push(entry.name)
  assert.deepEqual(names, ['a', 'b', 'c'])
  await directory.close()
  await assert.rejects(directory.read(), { code: 'EBADF' })
  await assert.rejects(directory.close(), { code: 'EBADF' })
})

test('a deep tree is made, walked and removed', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  const path = `/${Array.from({ length: 300 }, (_, index) => index).join('/')}`
  assert.equal(await fs.mkdir(path, { recursive: true }), '/0')
  await fs.writeFile(`${path}/file`, 'deep')
  assert.equal((await fs.readdir('/', { recursive: true })).length, 301)
  await fs.rm('/0', { recursive: true })
  assert.deepEqual(await fs.readdir('/'), [])
})

test('removing can be cancelled between transactions', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.mkdir('/many')
  for (let index = 0; index < 600; index++) await fs.writeFile(`/many/${index}`, '')
  const controller = new AbortController()
  const removing = fs.rm('/many', { recursive: true, signal: controller.signal })
  controller.abort()
  await assert.rejects(removing, { name: 'AbortError' })
  await fs.rm('/many', { recursive: true })
})

test('attributes are set, listed, read and removed, and travel with links', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', 'x')
  await fs.setAttribute('/file', 'colour', 'red')
  await fs.setAttribute('/file', 'bytes', Uint8Array.of(1, 2, 3))
  await fs.link('/file', '/second')
  assert.deepEqual((await fs.listAttributes('/second')).toSorted(), ['bytes', 'colour'])
  assert.equal(Buffer.from((await fs.getAttribute('/second', 'colour'))!).toString(), 'red')
  assert.equal(await fs.getAttribute('/file', 'none'), undefined)
  await fs.removeAttribute('/file', 'colour')
  assert.deepEqual(await fs.listAttributes('/file'), ['bytes'])
  await assert.rejects(fs.getAttribute('/nothing', 'x'), { code: 'ENOENT', syscall: 'getxattr' })
  await assert.rejects(fs.setAttribute('/file', 'big', new Uint8Array(5000)), { code: 'EFBIG' })
})

test('as many links as may be followed are, one more is a circle', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/0', 'end')
  for (let index = 1; index <= SYMLINKS_MAX + 1; index++)
    await fs.symlink(`${index - 1}`, `/${index}`)
  assert.equal(await fs.readFile(`/${SYMLINKS_MAX}`, 'utf8'), 'end')
  await assert.rejects(fs.readFile(`/${SYMLINKS_MAX + 1}`), { code: 'ELOOP', syscall: 'open' })
})

test('names and paths have the limits of Linux, counted in bytes', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile(`/${'ü'.repeat(127)}`, '')
  await assert.rejects(fs.writeFile(`/${'ü'.repeat(128)}`, ''), { code: 'ENAMETOOLONG' })
  const longest = `/${'./'.repeat(PATH_BYTES_MAX / 2 - 1)}`
  assert.equal(longest.length, PATH_BYTES_MAX - 1)
  assert.equal((await fs.stat(longest)).isDirectory(), true)
  await assert.rejects(fs.stat(`${longest}.`), { code: 'ENAMETOOLONG' })
})

test('a hostile volume can not send a walk in circles', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  await fs.mkdir('/a/b', { recursive: true })
  const snapshot = await root.volume.snapshot()
  const a = (await snapshot.lookup(ROOT_INODE, 'a'))!
  const b = (await snapshot.lookup(a.inode, 'b'))!
  const circle = await snapshot.tree.apply([
    { key: entryKey(b.inode, 'again'), value: encodeEntry({ inode: a.inode, type: 'directory' }) }
  ])
  const hostile = readOnly(
    Object.assign(Object.create(root.volume) as typeof root.volume, {
      snapshot: async () => new TreeSnapshot(circle, createLocalReader(root.store))
    })
  )
  fixture.mounted.set('/hostile', { volume: hostile, inode: ROOT_INODE })
  await assert.rejects(fs.readdir('/hostile', { recursive: true }), { code: 'EPROTO' })
  await assert.rejects(fs.cp('/hostile', '/copy', { recursive: true }), { code: 'EPROTO' })
  fixture.mounted.delete('/hostile')
})

test('promises is the file system itself', async () => {
  await using fixture = await createFileSystemFixture()
  assert.equal(fixture.fs.promises, fixture.fs)
  assert.deepEqual(await fixture.fs.promises.readdir('/'), [])
})

test.run()
