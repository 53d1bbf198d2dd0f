/**
 * A folder goes from one user to another, each with the command in processes of its own.
 *
 * time limit: 240 s
 */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { LOOPBACK, runHere, runWarren, startWarren } from './command-line.ts'
import type { RunningCommand } from './command-line.ts'
import { assertSameTree } from './trees.ts'

const OFFLINE = '--no-discovery'

const test = suite('share and get')

test('carries a folder with all that is in it, and follows its changes', async () => {
  await using place = await createTemporaryDirectory('share')
  const photos = await makeFolder(place)
  await using alice = startShare(place, [photos])
  const link = await alice.firstLine()
  assert.match(link, /^warren:\S+$/)
  assert.equal(alice.stdout, `${link}\n`)
  assert.match(alice.stderr, /photos: 23 files/)

  const first = await runWarren(['get', link, OFFLINE], { cwd: await bobs(place) })
  assert.deepEqual(
    { code: first.code, stdout: first.stdout },
    { code: 0, stdout: '' },
    first.stderr
  )
  await assertSameTree(photos, place.join('bob/photos'))

  await writeFile(join(photos, 'new.txt'), 'a new one')
  await rm(join(photos, 'letters/letter-3.txt'))
  await alice.said(/files? changed, 1 removed/, 'stderr')
  const again = await runHere(['get', link, place.join('bob/elsewhere'), OFFLINE])
  assert.equal(again.code, 0, again.stderr)
  await assertSameTree(photos, place.join('bob/elsewhere'))

  alice.kill('SIGINT')
  assert.equal((await alice.ended).code, 0)
})

test('carries one file, to a name and into a folder', async () => {
  await using place = await createTemporaryDirectory('share')
  const path = place.join('note.txt')
  await writeFile(path, 'one file')
  await using alice = startShare(place, [path])
  const link = await alice.firstLine()
  const cwd = await bobs(place)
  await mkdir(join(cwd, 'folder'))
  for (const [target, expected] of [
    ['copy.txt', 'copy.txt'],
    ['folder', 'folder/note.txt']
  ] as const) {
    const { code, stderr } = await runHere(['get', link, join(cwd, target), OFFLINE])
    assert.equal(code, 0, stderr)
    assert.equal(await readFile(join(cwd, expected), 'utf8'), 'one file')
  }
  assert.equal((await runHere(['cat', link, OFFLINE])).stdout, 'one file')
})

test('keeps link and port over a restart, and shares again what was shared', async () => {
  await using place = await createTemporaryDirectory('share')
  const photos = await makeFolder(place)
  const directory = ['--directory', place.join('store'), OFFLINE]
  const first = startWarren(['share', photos, '--name', 'holiday', ...directory])
  const link = await first.firstLine()
  first.kill('SIGKILL')
  await first.ended
  await appendFile(join(photos, 'letters/letter-1.txt'), ' and more')

  await using second = startWarren(['share', ...directory])
  assert.equal(await second.firstLine(), link)
  await second.said(/holiday: \d+ files? changed/, 'stderr')
  const cwd = await bobs(place)
  const { code, stderr } = await runHere(['get', link, join(cwd, 'holiday'), OFFLINE])
  assert.equal(code, 0, stderr)
  await assertSameTree(photos, join(cwd, 'holiday'))
  second.kill('SIGTERM')
  assert.equal((await second.ended).code, 0)
})

test('gives folders of one name paths of their own', async () => {
  await using place = await createTemporaryDirectory('share')
  const folders = [place.join('one/files'), place.join('two/files')]
  for (const folder of folders) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'where'), folder)
  }
  await using alice = startShare(place, folders)
  await alice.said(/^.*\n.*\n/)
  const links = alice.stdout.trim().split('\n')
  const read = links.map(async link => (await runHere(['cat', link, 'where', OFFLINE])).stdout)
  assert.deepEqual((await Promise.all(read)).toSorted(), folders)
})

test('goes on where a get has ended that was killed or interrupted', async () => {
  await using place = await createTemporaryDirectory('share')
  const folder = place.join('large')
  await mkdir(folder)
  for (let i = 0; i < 24; i++) await writeFile(join(folder, `file-${i}`), randomBytes(4_000_000))
  await using alice = startShare(place, [folder])
  const link = await alice.firstLine()
  const cwd = await bobs(place)
  const bob = startWarren(['get', link, '--json', '--progress', OFFLINE], { cwd })
  await bob.said(/"event":"progress","files":[1-9]/)
  bob.kill('SIGKILL')
  assert.equal((await bob.ended).code, null)
  const interrupted = startWarren(['get', link, '--json', '--progress', OFFLINE], { cwd })
  await interrupted.said(/"event":"progress"/)
  interrupted.kill('SIGINT')
  assert.deepEqual(await interrupted.ended.then(({ code, stderr }) => [code, stderr]), [130, ''])

  const { code, stdout, stderr } = await runHere([
    'get',
    link,
    join(cwd, 'large'),
    '--json',
    OFFLINE
  ])
  assert.equal(code, 0, stderr)
  const done = JSON.parse(stdout)
  assert.equal(done.files + done.skipped, 24)
  assert.ok(done.skipped > 0 && done.files > 0, stdout)
  await assertSameTree(folder, join(cwd, 'large'))
})

test('waits for a source that is killed in the middle and comes again', async () => {
  await using place = await createTemporaryDirectory('share')
  const folder = place.join('large')
  await mkdir(folder)
  for (let i = 0; i < 24; i++) await writeFile(join(folder, `file-${i}`), randomBytes(4_000_000))
  const directory = ['--directory', place.join('store'), OFFLINE]
  const alice = startWarren(['share', folder, ...directory])
  const link = await alice.firstLine()
  const cwd = await bobs(place)
  await using bob = startWarren(['get', link, '--json', '--progress', OFFLINE], { cwd })
  await bob.said(/"event":"progress","files":[1-9]/)
  alice.kill('SIGKILL')
  await alice.ended
  await using again = startWarren(['share', ...directory])
  assert.equal(await again.firstLine(), link)
  const { code, stderr } = await bob.ended
  assert.equal(code, 0, stderr)
  await assertSameTree(folder, join(cwd, 'large'))
})

test('gets all that can be had, and names the rest', async () => {
  await using place = await createTemporaryDirectory('share')
  const photos = await makeFolder(place)
  await using alice = startShare(place, [photos])
  const link = await alice.firstLine()
  const cwd = await bobs(place)
  // A directory in the place of a file cannot be overwritten.
  await mkdir(join(cwd, 'photos/letters/letter-1.txt/inside'), { recursive: true })
  const args = ['get', link, join(cwd, 'photos'), OFFLINE]
  const { code, stdout, stderr } = await runHere([...args, '--json'])
  assert.equal(code, 1, stderr)
  const { failed, files } = JSON.parse(stdout)
  assert.equal(files, 22)
  assert.equal(failed.length, 1)
  assert.equal(failed[0].path, 'letters/letter-1.txt')
  const plain = await runHere(args)
  assert.equal(plain.code, 1)
  assert.match(plain.stderr, /failed: letters\/letter-1\.txt: /)
})

test('prints JSON lines for programs', async () => {
  await using place = await createTemporaryDirectory('share')
  const photos = await makeFolder(place)
  await using alice = startShare(place, [photos, '--copy', '--json'])
  const shared = JSON.parse(await alice.firstLine())
  assert.deepEqual(Object.keys(shared).toSorted(), ['event', 'link', 'name', 'path'])
  assert.deepEqual([shared.event, shared.path, shared.name], ['shared', '/photos', 'photos'])
  await writeFile(join(photos, 'letters/letter-1.txt'), 'changed')
  const changed = JSON.parse(await alice.said(/(?<=\n).*"changed".*\n/))
  assert.equal(changed.path, '/photos')
  assert.ok(changed.files >= 1 && changed.bytes >= 7)
  const args = ['get', shared.link, place.join('bob'), '--json', OFFLINE]
  const { stdout, stderr } = await runHere(args)
  assert.equal(stderr, '')
  const done = JSON.parse(stdout)
  assert.deepEqual([done.event, done.files, done.failed], ['done', 23, []])
  assert.equal(done.folder, place.join('bob'))
})

test('ends at once when asked twice', async () => {
  await using place = await createTemporaryDirectory('share')
  await using alice = startShare(place, [await makeFolder(place)])
  await alice.firstLine()
  alice.kill('SIGINT')
  alice.kill('SIGTERM')
  const { code } = await alice.ended
  assert.ok(code === 0 || code === 143 || code === 130, String(code))
})

function startShare(place: TemporaryDirectory, args: readonly string[]): RunningCommand {
  return startWarren(['share', ...args, '--directory', place.join('store'), ...LOOPBACK])
}

async function bobs(place: TemporaryDirectory): Promise<string> {
  await mkdir(place.join('bob'), { recursive: true })
  return place.join('bob')
}

/** 23 files: small ones, empty ones, a large one; directories, a symlink, modes and times. */
async function makeFolder(place: TemporaryDirectory): Promise<string> {
  const folder = place.join('photos')
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  for (let i = 0; i < 20; i++) await write(`letters/letter-${i}.txt`, `letter ${i}`)
  await write('empty', '')
  await write('large.bin', randomBytes(3_000_000))
  await write('bin/run', '#!/bin/sh')
  await chmod(join(folder, 'bin/run'), 0o755)
  await mkdir(join(folder, 'nothing in it'))
  await symlink('letters/letter-0.txt', join(folder, 'first'))
  await utimes(join(folder, 'empty'), 1_000_000_000, 1_000_000_000.5)
  return folder
}

test.run()
