/** Mounting what others share: where, what of it, instead of what, and what is left when it fails. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith, startWarren, timed, vacantLink } from './fixtures.ts'

const test = suite('mounts')

test('a whole volume is mounted, listed and read', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir('/notes/äöü 漢字 🐇', { recursive: true })
  await alice.fs.writeFile('/notes/äöü 漢字 🐇/ŝ ?&#%.txt', 'hello')
  const link = await alice.share('/')
  await bob.mount('/alice', link)
  assert.deepEqual(await bob.fs.readdir('/'), ['alice'])
  assert.deepEqual(await bob.fs.readdir('/alice/notes'), ['äöü 漢字 🐇'])
  assert.equal(await bob.fs.readFile('/alice/notes/äöü 漢字 🐇/ŝ ?&#%.txt', 'utf8'), 'hello')
  assert.deepEqual(bob.mounts(), [{ path: '/alice', link, volume: alice.volume, writable: false }])
})

test('a path with every kind of character survives the link', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  const path = '/ŝ ?&#%+=;:@!$\'"()*,<>[]{}|\\^`~/漢 字/🐇'
  await alice.fs.mkdir(path, { recursive: true })
  await alice.fs.writeFile(`${path}/deep.txt`, 'deep')
  const link = await alice.share(path)
  assert.match(link, /^[!-~]+$/)
  await bob.mount('/deep', link)
  assert.equal(await bob.fs.readFile('/deep/deep.txt', 'utf8'), 'deep')
})

test('a directory and a single file of a volume are mounted', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir('/a/b', { recursive: true })
  await alice.fs.writeFile('/a/b/file.txt', 'one')
  await bob.mount('/b', await alice.share('/a/b'))
  await bob.mount('/one.txt', await alice.share('/a/b/file.txt'))
  assert.deepEqual(await bob.fs.readdir('/b'), ['file.txt'])
  assert.equal(await bob.fs.readFile('/one.txt', 'utf8'), 'one')
  assert.equal((await bob.fs.stat('/one.txt')).size, 3)
  assert.equal((await bob.fs.lstat('/one.txt')).isFile(), true)
  await rejectsWith(bob.fs.readdir('/one.txt'), 'ENOTDIR', { syscall: 'scandir', path: '/one.txt' })
  await rejectsWith(bob.fs.readFile('/one.txt/x'), 'ENOTDIR', { syscall: 'open' })
  await rejectsWith(bob.fs.writeFile('/one.txt', 'two'), 'EROFS', { syscall: 'open' })
  const types = await bob.fs.readdir('/', { withFileTypes: true })
  assert.deepEqual(
    types.map(entry => [entry.name, entry.isDirectory()]),
    [
      ['b', true],
      ['one.txt', false]
    ]
  )
  // The mount follows the path, not the file that was there.
  await alice.fs.writeFile('/a/b/next.txt', 'two')
  await alice.fs.rename('/a/b/next.txt', '/a/b/file.txt')
  await eventually(async () => {
    assert.equal(await bob.fs.readFile('/one.txt', 'utf8'), 'two')
  })
})

test('mounts stand in directories of the own volume, of mounts, and under each other', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir('/inside')
  await alice.fs.writeFile('/inside/file.txt', 'hello')
  const link = await alice.share('/')
  await bob.fs.mkdir('/own/dir', { recursive: true })
  await bob.mount('/own/dir/alice', link)
  await bob.mount('/own/dir/alice/inside/again', link)
  await bob.mount('/own/dir/alice/inside/again/inside/third', link)
  const path = '/own/dir/alice/inside/again/inside/third/inside/file.txt'
  assert.equal(await bob.fs.readFile(path, 'utf8'), 'hello')
  assert.deepEqual((await bob.fs.readdir('/own/dir/alice/inside')).sort(), ['again', 'file.txt'])
  assert.equal(await bob.fs.realpath('/own/dir/alice/inside/again/..'), '/own/dir/alice/inside')
  await rejectsWith(bob.unmount('/own/dir/alice'), 'EBUSY', { syscall: 'unmount' })
  await rejectsWith(bob.fs.rename('/own', '/moved'), 'EBUSY', { syscall: 'rename' })
  await rejectsWith(bob.fs.rm('/own', { recursive: true }), 'EBUSY', { syscall: 'rm' })
  await rejectsWith(bob.fs.rmdir('/own/dir'), 'ENOTEMPTY', { syscall: 'rmdir' })
  await bob.unmount('/own/dir/alice/inside/again/inside/third')
  await bob.unmount('/own/dir/alice/inside/again')
  await bob.unmount('/own/dir/alice')
  assert.deepEqual(await bob.fs.readdir('/own/dir'), [])
})

test('a mount hides what the own volume has there, and gives it back', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.writeFile('/theirs.txt', 'a')
  await bob.fs.mkdir('/place')
  await bob.fs.writeFile('/place/mine.txt', 'b')
  await bob.mount('/place', await alice.share('/'))
  assert.deepEqual(await bob.fs.readdir('/place'), ['theirs.txt'])
  assert.deepEqual(await bob.fs.readdir('/'), ['place'])
  await bob.unmount('/place')
  assert.deepEqual(await bob.fs.readdir('/place'), ['mine.txt'])
})

test('a second mount at a path takes the place of the first', async () => {
  await using alice = await startWarren()
  await using carol = await startWarren()
  await using bob = await startWarren()
  await alice.fs.writeFile('/alice.txt', 'a')
  await carol.fs.writeFile('/carol.txt', 'c')
  await bob.mount('/x', await alice.share('/'))
  await bob.mount('/x', await carol.share('/'))
  assert.deepEqual(await bob.fs.readdir('/x'), ['carol.txt'])
  assert.equal(bob.mounts().length, 1)
  // The same link again changes nothing for those who have files open.
  const open = await bob.fs.open('/x/carol.txt')
  await bob.mount('/x', await carol.share('/'))
  assert.equal(await open.readFile('utf8'), 'c')
  await open.close()
})

test('two mounts of one volume are one volume, closed with the last of them', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir('/sub')
  await alice.fs.writeFile('/sub/a.txt', 'a')
  await bob.mount('/one', await alice.share('/'))
  await bob.mount('/two', await alice.share('/sub'))
  const [one, two] = [await bob.fs.stat('/one/sub/a.txt'), await bob.fs.stat('/two/a.txt')]
  assert.equal(one.ino, two.ino)
  assert.equal(one.dev, two.dev)
  const open = await bob.fs.open('/two/a.txt')
  await bob.unmount('/one')
  assert.equal(await open.readFile('utf8'), 'a')
  assert.equal(await bob.fs.readFile('/two/a.txt', 'utf8'), 'a')
  await bob.unmount('/two')
  await open.close()
  await rejectsWith(bob.fs.readFile('/two/a.txt'), 'ENOENT', { syscall: 'open' })
})

test('unmounting takes the names away; what is open stays readable', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  const bytes = crypto.getRandomValues(new Uint8Array(60_000))
  await alice.fs.writeFile('/a.bin', bytes)
  await bob.fs.writeFile('/own.txt', 'own')
  await bob.mount('/alice', await alice.share('/'))
  const theirs = await bob.fs.open('/alice/a.bin')
  const own = await bob.fs.open('/own.txt')
  await bob.unmount('/alice')
  await rejectsWith(bob.fs.stat('/alice/a.bin'), 'ENOENT', { syscall: 'stat' })
  assert.deepEqual(await theirs.readFile(), bytes)
  await theirs.close()
  assert.equal(await own.readFile('utf8'), 'own')
  await own.close()
})

test('where nothing can be mounted, and what is no link', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  const link = await alice.share('/')
  await bob.fs.writeFile('/file', '')
  await rejectsWith(bob.mount('/', link), 'EBUSY', { syscall: 'mount', path: '/' })
  await rejectsWith(bob.mount('/peers', link), 'EBUSY', { syscall: 'mount', path: '/peers' })
  await rejectsWith(bob.mount('/peers/x', link), 'EBUSY', { syscall: 'mount' })
  await rejectsWith(bob.mount('/none/x', link), 'ENOENT', { syscall: 'mount', path: '/none/x' })
  await rejectsWith(bob.mount('/file/x', link), 'ENOTDIR', { syscall: 'mount', path: '/file/x' })
  await rejectsWith(bob.mount('/x', 'https://example.org/'), 'EINVAL')
  await rejectsWith(bob.mount('/x', ''), 'EINVAL')
  await rejectsWith(bob.mount('/x', link.replace('warren:k', 'warren:z')), 'EINVAL')
  await rejectsWith(bob.mount(`/${'x'.repeat(300)}`, link), 'ENAMETOOLONG')
  await rejectsWith(bob.unmount('/x'), 'EINVAL', { syscall: 'unmount', path: '/x' })
  assert.deepEqual(bob.mounts(), [])
})

test('a path through a symbolic link names the mount behind it', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.writeFile('/a.txt', 'a')
  await bob.fs.mkdir('/dir')
  await bob.fs.symlink('/dir', '/link')
  await bob.mount('/link/alice', await alice.share('/'))
  assert.deepEqual(
    bob.mounts().map(({ path }) => path),
    ['/dir/alice']
  )
  assert.equal(await bob.fs.readFile('/link/alice/a.txt', 'utf8'), 'a')
  await bob.unmount('/link/alice')
  assert.deepEqual(bob.mounts(), [])
})

test('what the link names is not there: nothing is left mounted', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir('/going')
  const link = await alice.share('/going')
  await alice.fs.rmdir('/going')
  await alice.sync()
  await rejectsWith(bob.mount('/x', link), 'ENOENT', { syscall: 'mount', path: '/x' })
  assert.deepEqual(bob.mounts(), [])
  assert.deepEqual(await bob.fs.readdir('/'), [])
})

test('an owner who is away: EHOSTUNREACH soon, and what was mounted there stays', async () => {
  const gone = await vacantLink()
  await using alice = await startWarren()
  await using bob = await startWarren({ fetchTimeoutMs: 3_000 })
  await alice.fs.writeFile('/a.txt', 'a')
  await bob.mount('/kept', await alice.share('/'))
  const open = await bob.fs.open('/kept/a.txt')
  const { milliseconds } = await timed(() =>
    rejectsWith(bob.mount('/kept', gone), 'EHOSTUNREACH', { syscall: 'mount', path: '/kept' })
  )
  assert.ok(milliseconds < 30_000, `${milliseconds} ms`)
  assert.equal(await open.readFile('utf8'), 'a')
  await open.close()
  await rejectsWith(bob.mount('/new', gone), 'EHOSTUNREACH')
  assert.deepEqual(
    bob.mounts().map(({ path }) => path),
    ['/kept']
  )
  const controller = new AbortController()
  const mounting = bob.mount('/new', gone, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(mounting, /enough/)
  assert.deepEqual(
    bob.mounts().map(({ path }) => path),
    ['/kept']
  )
})

test('an owner who is away may be mounted all the same, and is there when he comes', async () => {
  await using directory = await createTemporaryDirectory('offline')
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const options = {
    directory: directory.join('alice'),
    listen: [`/ip4/127.0.0.1/tcp/${port}`]
  }
  let alice = await startWarren(options)
  await alice.fs.writeFile('/a.txt', 'a')
  const link = await alice.share('/')
  await alice.stop()
  await using bob = await startWarren({ fetchTimeoutMs: 2_000 })
  await bob.mount('/alice', link, { offline: true })
  assert.equal(bob.mounts().length, 1)
  await rejectsWith(bob.fs.readFile('/alice/a.txt'), 'EHOSTUNREACH', { syscall: 'open' })
  assert.deepEqual(await bob.fs.readdir('/'), ['alice'])
  alice = await startWarren(options)
  await using _alice = alice
  await eventually(async () => {
    assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'a')
  })
})

test('a peer that mounted its own volume writes through it', async () => {
  await using alice = await startWarren()
  await alice.fs.mkdir('/dir')
  await alice.mount('/again', await alice.share('/dir'))
  await alice.fs.writeFile('/again/file.txt', 'one volume')
  assert.equal(await alice.fs.readFile('/dir/file.txt', 'utf8'), 'one volume')
  assert.equal(alice.mounts()[0]?.writable, true)
  await alice.unmount('/again')
  assert.equal(await alice.fs.readFile('/dir/file.txt', 'utf8'), 'one volume')
})

test('mounts at once all come about, and all survive a restart', async () => {
  await using directory = await createTemporaryDirectory('at-once')
  await using alice = await startWarren()
  await alice.fs.writeFile('/a.txt', 'a')
  const link = await alice.share('/')
  let bob = await startWarren({ directory: directory.path })
  const paths = Array.from({ length: 20 }, (_, index) => `/m${index}`)
  await Promise.all(paths.map(path => bob.mount(path, link)))
  await Promise.all(paths.slice(0, 5).map(path => bob.unmount(path)))
  await bob.stop()
  bob = await startWarren({ directory: directory.path })
  await using _bob = bob
  assert.deepEqual(
    bob.mounts().map(({ path }) => path),
    paths.slice(5).sort()
  )
  assert.equal(await bob.fs.readFile('/m7/a.txt', 'utf8'), 'a')
})

test.run()
