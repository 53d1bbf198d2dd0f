/** Offering directories and files, taking offers back, and what a link says. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith, startWarren } from './fixtures.ts'

const test = suite('shares')

test('shares are listed with their names and links', async () => {
  await using alice = await startWarren()
  await alice.fs.mkdir('/notes/2026', { recursive: true })
  await alice.fs.mkdir('/other/notes', { recursive: true })
  const root = await alice.share('/')
  const notes = await alice.share('/notes')
  const other = await alice.share('/other/notes')
  const named = await alice.share('/notes/2026', { name: 'this year' })
  assert.deepEqual(alice.shares(), [
    { path: '/', name: 'home', link: root },
    { path: '/notes', name: 'notes', link: notes },
    { path: '/other/notes', name: 'notes-2', link: other },
    { path: '/notes/2026', name: 'this year', link: named }
  ])
})

test('sharing again gives the same link, or another name', async () => {
  await using alice = await startWarren()
  await alice.fs.mkdir('/notes')
  const link = await alice.share('/notes')
  assert.equal(await alice.share('/notes/'), link)
  assert.equal(await alice.share('/notes', { name: 'notes' }), link)
  assert.notEqual(await alice.share('/notes', { name: 'papers' }), link)
  assert.deepEqual(
    alice.shares().map(({ name }) => name),
    ['papers']
  )
})

test('what cannot be shared', async () => {
  await using alice = await startWarren()
  await alice.fs.mkdir('/a')
  await alice.fs.mkdir('/b')
  await alice.share('/a', { name: 'taken' })
  await rejectsWith(alice.share('/none'), 'ENOENT', { path: '/none' })
  await rejectsWith(alice.share('/b', { name: 'taken' }), 'EEXIST', { syscall: 'share' })
  for (const name of ['', '.', '..', 'a/b', 'x'.repeat(300), 'a\0b']) {
    await rejectsWith(alice.share('/b', { name }), 'EINVAL', { syscall: 'share', path: '/b' })
  }
  await rejectsWith(alice.share('/peers'), 'EINVAL', { syscall: 'share' })
  await rejectsWith(alice.unshare('/b'), 'EINVAL', { syscall: 'unshare', path: '/b' })
  assert.equal(alice.shares().length, 1)
})

test('an offer that was taken back is no longer shown, nor new versions told', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren({ attributeLifetimeMs: 50 })
  await alice.fs.mkdir('/notes')
  await alice.fs.writeFile('/notes/a.txt', 'before')
  await bob.mount('/alice', await alice.share('/notes'))
  assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'before')
  await alice.unshare('/notes')
  await alice.fs.writeFile('/notes/a.txt', 'after')
  await alice.sync()
  assert.deepEqual(alice.shares(), [])
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'before')
  const report = (await bob.peers()).find(({ id }) => id === alice.id)
  assert.deepEqual(report?.shares, [])
  await using carol = await startWarren({ fetchTimeoutMs: 2_000 })
  const link = bob.mounts()[0]!.link
  await rejectsWith(carol.mount('/alice', link), 'EHOSTUNREACH')
})

test('a share follows its path and may be unshared when the path is gone', async () => {
  await using alice = await startWarren()
  await alice.fs.mkdir('/notes')
  await alice.fs.symlink('/notes', '/link')
  await alice.share('/link')
  assert.equal(alice.shares()[0]?.path, '/notes')
  await alice.unshare('/link')
  await alice.share('/notes')
  await alice.fs.rmdir('/notes')
  await alice.unshare('/notes')
  assert.deepEqual(alice.shares(), [])
})

test('identity, volume, files, mounts and shares survive a restart', async () => {
  await using directory = await createTemporaryDirectory('restart')
  await using carol = await startWarren()
  await carol.fs.writeFile('/c.txt', 'c')
  const carols = await carol.share('/')
  const before = await startWarren({ directory: directory.path })
  await before.fs.mkdir('/notes')
  await before.fs.writeFile('/notes/a.txt', 'a')
  await before.mount('/carol', carols)
  await before.share('/notes', { name: 'papers' })
  await before.share('/carol')
  const { id, volume } = before
  await before.stop()
  await using after = await startWarren({ directory: directory.path })
  assert.equal(after.id, id)
  assert.equal(after.volume, volume)
  assert.equal(await after.fs.readFile('/notes/a.txt', 'utf8'), 'a')
  assert.equal(await after.fs.readFile('/carol/c.txt', 'utf8'), 'c')
  assert.deepEqual(
    after.shares().map(({ path, name }) => [path, name]),
    [
      ['/notes', 'papers'],
      ['/carol', 'carol']
    ]
  )
  assert.deepEqual(
    after.mounts().map(({ path, link }) => [path, link]),
    [['/carol', carols]]
  )
})

test('what is shared has to be durable: the link shows what was written before', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  const file = await alice.fs.open('/buffered.txt', 'w')
  await file.write('still in a buffer')
  const link = await alice.share('/')
  await bob.mount('/alice', link)
  assert.equal(await bob.fs.readFile('/alice/buffered.txt', 'utf8'), 'still in a buffer')
  await file.close()
})

test('a mount is shared on, also a part of it', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await using carol = await startWarren()
  await alice.fs.mkdir('/a/b', { recursive: true })
  await alice.fs.writeFile('/a/b/file.txt', 'hello')
  await bob.mount('/alice', await alice.share('/a'))
  const link = await bob.share('/alice/b')
  await carol.mount('/via-bob', link)
  assert.equal(await carol.fs.readFile('/via-bob/file.txt', 'utf8'), 'hello')
  assert.equal(carol.mounts()[0]?.volume, alice.volume)
})

test('what a peer shares stands under /peers on every peer', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await using host = await createTemporaryDirectory('peers')
  await alice.fs.mkdir('/notes/deep', { recursive: true })
  await alice.fs.writeFile('/notes/deep/a.txt', 'a')
  await alice.fs.writeFile('/secret.txt', 's')
  await alice.share('/notes')
  await bob.connect(alice.addresses()[0]!)
  const path = `/peers/${alice.id}/notes`
  for (const peer of [alice, bob]) {
    assert.deepEqual((await peer.fs.readdir('/peers')).sort(), [alice.id, bob.id].sort())
    assert.deepEqual(await peer.fs.readdir(`/peers/${alice.id}`), ['notes'])
    assert.deepEqual(await peer.fs.readdir(path), ['deep'])
    assert.equal(await peer.fs.readFile(`${path}/deep/a.txt`, 'utf8'), 'a')
    assert.equal(await peer.fs.realpath(`${path}/deep/..`), path)
    await peer.export(`${path}/deep`, host.join(peer.id))
    await rejectsWith(peer.fs.stat(`/peers/${alice.id}/secret.txt`), 'ENOENT')
    await rejectsWith(peer.fs.stat('/peers/12D3KooWNobody'), 'ENOENT')
  }
  assert.deepEqual(await bob.fs.readdir('/'), [])
  await alice.fs.writeFile(`${path}/written.txt`, 'by its own path')
  await rejectsWith(bob.fs.writeFile(`${path}/written.txt`, ''), 'EROFS', { syscall: 'open' })
  await eventually(async () => {
    assert.equal(await bob.fs.readFile(`${path}/written.txt`, 'utf8'), 'by its own path')
  })
  const report = (await bob.peers()).find(({ id }) => id === alice.id)
  assert.equal(report?.connected, true)
  assert.deepEqual(
    report?.shares.map(share => share.path),
    [path]
  )
  await bob.mount('/mounted', report!.shares[0]!.link)
  assert.deepEqual((await bob.fs.readdir('/mounted')).sort(), ['deep', 'written.txt'])
  await bob.unmount('/mounted')
  assert.equal(await bob.fs.readFile(`${path}/deep/a.txt`, 'utf8'), 'a')
})

test('a peer that has gone is listed without shares, and its path ends with a code', async () => {
  await using bob = await startWarren({ fetchTimeoutMs: 2_000 })
  const alice = await startWarren()
  await alice.share('/')
  await bob.connect(alice.addresses()[0]!)
  assert.equal((await bob.peers())[0]?.shares.length, 1)
  await alice.stop()
  await eventually(async () => {
    const [report] = await bob.peers()
    assert.equal(report?.connected, false)
    assert.deepEqual(report?.shares, [])
  })
  await rejectsWith(bob.fs.readdir(`/peers/${alice.id}/none`), 'EHOSTUNREACH')
})

test.run()
