/** Paths that lead through several volumes, and what may not cross between them. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { FileSystem } from '../../../src/namespace/fs/index.ts'
import type { FileSystemFixture } from '../../fixtures/file-system.ts'
import { createFileSystemFixture, readOnly } from '../../fixtures/file-system.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

const test = suite('fs over mounts')

/** `/other` is a second volume, `/dir/inner` a third; neither has a directory below it. */
async function withMounts(): Promise<FileSystemFixture> {
  const [other, inner] = [await createVolumeFixture(), await createVolumeFixture()]
  const fixture = await createFileSystemFixture({
    mounts: { '/other': other.volume, '/dir/inner': inner.volume }
  })
  const { fs } = fixture
  await fs.mkdir('/dir')
  await fs.writeFile('/file', 'own')
  await fs.writeFile('/dir/file', 'below')
  await fs.writeFile('/other/file', 'other')
  await fs.mkdir('/other/sub')
  await fs.writeFile('/dir/inner/file', 'inner')
  return fixture
}

async function listed(fs: FileSystem, path: string): Promise<string[]> {
  return (await fs.readdir(path, { recursive: true })).toSorted()
}

test('paths go into mounted volumes and back out of them', async () => {
  await using fixture = await withMounts()
  const { fs } = fixture
  assert.equal(await fs.readFile('/other/file', 'utf8'), 'other')
  assert.equal(await fs.readFile('/dir/inner/file', 'utf8'), 'inner')
  assert.equal(await fs.readFile('/dir/inner/../file', 'utf8'), 'below')
  assert.equal(await fs.readFile('/other/sub/../../dir/inner/../../file', 'utf8'), 'own')
  assert.equal(await fs.readFile('../../file', 'utf8'), 'own')
  const devices = [await fs.stat('/'), await fs.stat('/other'), await fs.stat('/dir/inner')]
  assert.equal(new Set(devices.map(({ dev }) => dev)).size, 3)
})

test('listings show what is mounted, once', async () => {
  await using fixture = await withMounts()
  const { fs, root } = fixture
  assert.deepEqual(await listed(fs, '/'), [
    'dir',
    'dir/file',
    'dir/inner',
    'dir/inner/file',
    'file',
    'other',
    'other/file',
    'other/sub'
  ])
  fixture.mounted.set('/file', { volume: root.volume, inode: 1 as never })
  const entries = await fs.readdir('/', { withFileTypes: true })
  assert.deepEqual(
    entries.filter(entry => entry.name === 'file').map(entry => entry.isDirectory()),
    [true]
  )
})

test('symbolic links lead across mounts, absolute ones from the root of the namespace', async () => {
  await using fixture = await withMounts()
  const { fs } = fixture
  await fs.symlink('/other/file', '/dir/inner/absolute')
  await fs.symlink('../../other/sub', '/dir/inner/relative')
  assert.equal(await fs.readFile('/dir/inner/absolute', 'utf8'), 'other')
  assert.equal(await fs.realpath('/dir/inner/relative/..'), '/other')
  await fs.writeFile('/dir/inner/relative/new', 'through')
  assert.equal(await fs.readFile('/other/sub/new', 'utf8'), 'through')
})

test('names do not cross mounts', async () => {
  await using fixture = await withMounts()
  const { fs } = fixture
  await assert.rejects(fs.rename('/file', '/other/moved'), {
    code: 'EXDEV',
    syscall: 'rename',
    path: '/file',
    dest: '/other/moved'
  })
  await assert.rejects(fs.link('/file', '/other/hard'), { code: 'EXDEV', syscall: 'link' })
})

test('what is mounted can not be moved or removed', async () => {
  await using fixture = await withMounts()
  const { fs } = fixture
  for (const path of ['/', '/other', '/dir/inner']) {
    await assert.rejects(fs.rename(path, '/moved'), { code: 'EBUSY' }, path)
    await assert.rejects(fs.rename('/dir', path), { code: 'EBUSY' }, path)
    await assert.rejects(fs.rmdir(path), { code: 'EBUSY' }, path)
    await assert.rejects(fs.rm(path, { recursive: true }), { code: 'EBUSY' }, path)
    await assert.rejects(fs.unlink(path), { code: 'EBUSY' }, path)
    await assert.rejects(fs.mkdir(path), { code: 'EEXIST' }, path)
    await assert.rejects(fs.writeFile(path, 'x'), { code: 'EISDIR' }, path)
  }
  await assert.rejects(fs.rm('/dir', { recursive: true }), { code: 'EBUSY' })
  await assert.rejects(fs.rename('/dir', '/moved'), { code: 'EBUSY' })
  await assert.rejects(fs.rmdir('/dir'), { code: 'ENOTEMPTY' })
  assert.equal(await fs.readFile('/dir/file', 'utf8'), 'below')
  assert.equal(await fs.readFile('/dir/inner/file', 'utf8'), 'inner')
})

test('a mounted file is read and written like any other', async () => {
  await using fixture = await withMounts()
  const { fs, root } = fixture
  const { ino } = await fs.stat('/dir/file')
  fixture.mounted.set('/one', { volume: root.volume, inode: ino as never })
  assert.equal(await fs.readFile('/one', 'utf8'), 'below')
  await fs.writeFile('/one', 'written')
  await fs.appendFile('/one', '!')
  assert.equal(await fs.readFile('/dir/file', 'utf8'), 'written!')
  await assert.rejects(fs.readFile('/one/x'), { code: 'ENOTDIR' })
  await assert.rejects(fs.unlink('/one'), { code: 'EBUSY' })
})

test('trees and files are copied across volumes, long and short ones', async () => {
  await using fixture = await withMounts()
  const { fs } = fixture
  const long = Buffer.alloc(500_000, 'abc')
  await fs.writeFile('/dir/long', long, { mode: 0o600 })
  await fs.symlink('file', '/dir/link')
  await fs.mkdir('/dir/deep/deeper', { recursive: true })
  for (let index = 0; index < 300; index++) await fs.writeFile(`/dir/deep/${index}`, `${index}`)
  await fs.cp('/dir', '/other/copy', { recursive: true, verbatimSymlinks: true })
  assert.deepEqual(await listed(fs, '/other/copy'), await listed(fs, '/dir'))
  assert.equal(Buffer.compare(await fs.readFile('/other/copy/long'), long), 0)
  assert.equal((await fs.stat('/other/copy/long')).mode & 0o777, 0o600)
  assert.equal(await fs.readFile('/other/copy/link', 'utf8'), 'below')
  assert.equal(await fs.readFile('/other/copy/deep/299', 'utf8'), '299')
  assert.equal(await fs.readFile('/other/copy/inner/file', 'utf8'), 'inner')
  await fs.copyFile('/dir/long', '/other/long')
  assert.equal(Buffer.compare(await fs.readFile('/other/long'), long), 0)
  await fs.cp('/dir', '/other/copy', { recursive: true, verbatimSymlinks: true })
  await assert.rejects(
    fs.cp('/dir', '/other/copy', { recursive: true, force: false, errorOnExist: true }),
    { code: 'EEXIST' }
  )
})

test('copies within a volume move no bytes', async () => {
  await using fixture = await withMounts()
  const { fs, root } = fixture
  await fs.writeFile('/dir/long', crypto.getRandomValues(new Uint8Array(60_000)))
  await fs.writeFile(
    '/dir/longer',
    new Uint8Array(3_000_000).map((_, index) => index % 251)
  )
  await fs.sync()
  const before = root.store.usage().bytes
  await fs.cp('/dir', '/copy', { recursive: true })
  await fs.copyFile('/dir/longer', '/again')
  await fs.sync()
  const grown = root.store.usage().bytes - before
  assert(grown < 50_000, `${grown} bytes more`)
  await fs.appendFile('/again', 'only here')
  assert.equal((await fs.stat('/dir/longer')).size, 3_000_000)
  assert.equal((await fs.stat('/copy/longer')).size, 3_000_000)
})

test('a volume of someone else can be read and not written', async () => {
  const other = await createVolumeFixture()
  const theirs = await createFileSystemFixture({ root: other })
  await theirs.fs.writeFile('/file', 'theirs')
  await theirs.fs.mkdir('/dir')
  await using fixture = await createFileSystemFixture({
    mounts: { '/other': readOnly(rejecting(other.volume)) }
  })
  const { fs } = fixture
  assert.equal(await fs.readFile('/other/file', 'utf8'), 'theirs')
  assert.deepEqual(await fs.readdir('/other'), ['dir', 'file'])
  await fs.access('/other/file', fs.constants.R_OK)
  const refused: Record<string, () => Promise<unknown>> = {
    access: () => fs.access('/other/file', fs.constants.W_OK),
    write: () => fs.writeFile('/other/file', 'x'),
    create: () => fs.writeFile('/other/new', 'x'),
    append: () => fs.appendFile('/other/file', 'x'),
    mkdir: () => fs.mkdir('/other/new'),
    deep: () => fs.mkdir('/other/new/deep', { recursive: true }),
    unlink: () => fs.unlink('/other/file'),
    rmdir: () => fs.rmdir('/other/dir'),
    rm: () => fs.rm('/other/dir', { recursive: true }),
    rename: () => fs.rename('/other/file', '/other/moved'),
    chmod: () => fs.chmod('/other/file', 0o600),
    symlink: () => fs.symlink('x', '/other/link'),
    truncate: () => fs.truncate('/other/file', 1),
    attribute: () => fs.setAttribute('/other/file', 'a', 'b'),
    copy: () => fs.copyFile('/other/file', '/other/copy'),
    cp: () => fs.cp('/other/dir', '/other/copy', { recursive: true })
  }
  for (const [name, work] of Object.entries(refused)) {
    await assert.rejects(work(), { code: 'EROFS' }, name)
  }
  await fs.copyFile('/other/file', '/mine')
  assert.equal(await fs.readFile('/mine', 'utf8'), 'theirs')
})

/** A volume whose updates fail as those of a volume of someone else do. */
function rejecting<V extends object>(volume: V): V {
  return new Proxy(volume, {
    get(target, name) {
      if (name === 'update') {
        return async () => {
          const { WarrenError } = await import('../../../src/errors.ts')
          throw new WarrenError('EROFS')
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

test.run()
