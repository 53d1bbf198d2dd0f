/** What is not ours cannot be written: `EROFS` from each verb, with the call and the path that Node names. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { Warren } from '../../src/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { rejectsWith, startWarren } from './fixtures.ts'

const test = suite('read only')

/** Each changes something under `/alice`, which is not ours. */
const changes: Readonly<Record<string, (bob: Warren) => Promise<unknown>>> = {
  'open /alice/new': bob => bob.fs.writeFile('/alice/new', ''),
  'open /alice/file': bob => bob.fs.writeFile('/alice/file', 'x'),
  'open /alice/file (append)': bob => bob.fs.appendFile('/alice/file', 'x'),
  'open /alice/file (r+)': bob => bob.fs.open('/alice/file', 'r+'),
  'open /alice/new (wx)': bob => bob.fs.open('/alice/new', 'wx'),
  'open /alice/file (truncate)': bob => bob.fs.truncate('/alice/file', 1),
  'mkdir /alice/new': bob => bob.fs.mkdir('/alice/new'),
  'rmdir /alice/dir': bob => bob.fs.rmdir('/alice/dir'),
  'unlink /alice/file': bob => bob.fs.unlink('/alice/file'),
  'rm /alice/file': bob => bob.fs.rm('/alice/file'),
  'rm /alice/dir': bob => bob.fs.rm('/alice/dir', { recursive: true }),
  'rename /alice/file': bob => bob.fs.rename('/alice/file', '/alice/moved'),
  'link /alice/file': bob => bob.fs.link('/alice/file', '/alice/second'),
  'symlink to': bob => bob.fs.symlink('to', '/alice/symlink'),
  'chmod /alice/file': bob => bob.fs.chmod('/alice/file', 0o600),
  'chown /alice/file': bob => bob.fs.chown('/alice/file', 1, 1),
  'utime /alice/file': bob => bob.fs.utimes('/alice/file', 1, 1),
  'mkdtemp /alice/tmp-XXXXXX': bob => bob.fs.mkdtemp('/alice/tmp-'),
  'copyfile /own': bob => bob.fs.copyFile('/own', '/alice/copy')
}

for (const [name, change] of Object.entries(changes)) {
  const [, syscall, path] = /^(\S+) (\S+)/.exec(name)!
  test(`${name} is refused`, async () => {
    await using alice = await startWarren()
    await using bob = await startWarren()
    await alice.fs.writeFile('/file', 'hello')
    await alice.fs.mkdir('/dir')
    await alice.fs.writeFile('/dir/inside', '')
    await bob.fs.writeFile('/own', 'mine')
    await bob.mount('/alice', await alice.share('/'))
    await rejectsWith(change(bob), 'EROFS', { syscall: syscall!, path: path! })
    assert.equal(await bob.fs.readFile('/alice/file', 'utf8'), 'hello')
    assert.deepEqual(await bob.fs.readdir('/alice'), ['dir', 'file'])
  })
}

test('nothing is moved or linked between volumes', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.writeFile('/file', 'hello')
  await bob.fs.writeFile('/own', 'mine')
  await bob.mount('/alice', await alice.share('/'))
  await rejectsWith(bob.fs.rename('/alice/file', '/moved'), 'EXDEV', { syscall: 'rename' })
  await rejectsWith(bob.fs.rename('/own', '/alice/moved'), 'EXDEV', { syscall: 'rename' })
  await rejectsWith(bob.fs.link('/alice/file', '/linked'), 'EXDEV', { syscall: 'link' })
  await bob.fs.copyFile('/alice/file', '/copied')
  assert.equal(await bob.fs.readFile('/copied', 'utf8'), 'hello')
})

test('nothing is imported into what is not ours', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await using host = await createTemporaryDirectory('import')
  await alice.fs.mkdir('/dir')
  await bob.mount('/alice', await alice.share('/'))
  for (const path of ['/alice', '/alice/dir', '/alice/new', '/peers', `/peers/${alice.id}`]) {
    await rejectsWith(bob.import(host.path, path), 'EROFS', { syscall: 'import', path })
  }
  await rejectsWith(bob.import(host.path, '/none/new'), 'ENOENT', { syscall: 'import' })
  await rejectsWith(bob.export('/none', host.join('out')), 'ENOENT', { syscall: 'export' })
})

test('the directory of all peers cannot be changed', async () => {
  await using bob = await startWarren()
  await rejectsWith(bob.fs.mkdir('/peers/new'), 'EROFS', { syscall: 'mkdir' })
  await rejectsWith(bob.fs.writeFile('/peers/new', ''), 'EROFS', { syscall: 'open' })
  await rejectsWith(bob.fs.mkdir('/peers'), 'EEXIST', { syscall: 'mkdir' })
  await rejectsWith(bob.fs.rmdir('/peers'), 'EBUSY', { syscall: 'rmdir' })
})

test.run()
