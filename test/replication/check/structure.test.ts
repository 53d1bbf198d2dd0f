/** Inodes, names and counts that do not fit each other are told, and mended where nothing is lost by it. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../../src/errors.ts'
import type { Inode, InodeNumber } from '../../../src/namespace/index.ts'
import {
  VOLUME_KEY,
  entryKey,
  extentKey,
  inlineKey,
  inodeKey,
  orphanKey
} from '../../../src/namespace/volume/keys.ts'
import {
  encodeEntry,
  encodeInode,
  encodeVolumeRecord
} from '../../../src/namespace/volume/records.ts'
import { CheckedVolume, ROOT, summary } from './check-fixtures.ts'

const test = suite<{ checked: CheckedVolume; a: Inode; b: Inode; file: Inode }>(
  'check of structure'
)

const EMPTY = new Uint8Array(0)
const NOBODY = 4711 as InodeNumber

test.before.each(async context => {
  const checked = await CheckedVolume.create()
  context.checked = checked
  context.a = await checked.directory(ROOT, 'a')
  context.b = await checked.directory(context.a.number, 'b')
  context.file = await checked.small(context.b.number, 'file')
  await checked.volume.sync()
})
test.after.each(({ checked }) => checked.volume.close())

/** Finds this without repair, mends it, and finds nothing any more. */
async function mends(checked: CheckedVolume, ...problems: string[]): Promise<void> {
  const told = await checked.check()
  assert.deepEqual(summary(told), problems)
  assert.equal(told.repaired, 0)
  const mended = await checked.check({ repair: true })
  assert.deepEqual(
    summary(mended),
    problems.map(problem => `${problem} repaired`)
  )
  assert.equal(mended.repaired, problems.length)
  assert.deepEqual(summary(await checked.check()), [])
  await checked.reopen()
  assert.deepEqual(summary(await checked.check()), [])
}

test('a sound volume has no problems, with all that a volume can have', async ({
  checked,
  b,
  file
}) => {
  await checked.large(b.number, 'large', 3)
  await checked.volume.update(async t => {
    await t.create(ROOT, 'link', { type: 'symlink', mode: 0o777, target: 'a/b' })
    await t.link(ROOT, 'again', file.number)
    await t.setAttribute(file.number, 'user.colour', Uint8Array.of(1))
    const open = await t.createUnlinked({ type: 'file', mode: 0o600, inline: Uint8Array.of(1) })
    assert.equal(open.links, 0)
    await t.rename({ directory: ROOT, name: 'a' }, { directory: ROOT, name: 'c' })
    await t.create(b.number, 'short-lived', { type: 'directory', mode: 0o700 })
    await t.unlink(b.number, 'short-lived')
  })
  const report = await checked.check()
  assert.deepEqual([report.problems, report.found, report.complete], [[], 0, true])
  const { directories, files, symlinks, entries, extents, blocks } = report.counts
  assert.deepEqual([directories, files, symlinks, entries], [3, 3, 1, 6])
  assert.deepEqual([extents, blocks], [3, 3])
  assert.ok(report.counts.nodes >= 1 && report.counts.blockBytes === 3 * 16 * 1024)
})

test('wrong link counts', async ({ checked, a, file }) => {
  await checked.changeInode(file.number, { links: 3 })
  await checked.changeInode(a.number, { links: 2 })
  await mends(checked, 'links /a', 'links /a/b/file')
  const snapshot = await checked.volume.snapshot()
  assert.equal((await snapshot.inode(file.number))!.links, 1)
  assert.equal((await snapshot.inode(a.number))!.links, 3)
})

test('a wrong parent hides a directory, and comes right', async ({ checked, b }) => {
  await checked.changeInode(b.number, { parent: ROOT })
  await mends(checked, 'parent /a/b')
  assert.equal((await (await checked.volume.snapshot()).inode(b.number))!.parent, b.parent)
})

test('what has no name is put in lost+found, directories with all that is in them', async context => {
  const { checked, b, file } = context
  await checked.large(b.number, 'large', 2)
  await checked.directory(b.number, 'c')
  await checked.write({ key: entryKey(b.parent as InodeNumber, 'b'), value: undefined })
  const report = await checked.check({ repair: true })
  assert.deepEqual(summary(report), ['inode-orphan ? repaired', 'links /a repaired'])
  const lost = await (await checked.volume.snapshot()).lookup(ROOT, 'lost+found')
  assert.deepEqual(await checked.names(lost!.inode), [`#${b.number}`])
  assert.deepEqual(await checked.names(b.number), ['c', 'file', 'large'])
  assert.deepEqual(summary(await checked.check()), [])
  // A second one goes to the same place.
  await checked.write({ key: entryKey(b.number, 'file'), value: undefined })
  assert.deepEqual(summary(await checked.check({ repair: true })), ['inode-orphan ? repaired'])
  assert.deepEqual(await checked.names(lost!.inode), [`#${b.number}`, `#${file.number}`].sort())
  assert.deepEqual(summary(await checked.check()), [])
})

test('nothing is put over a name that is taken', async ({ checked, b, file }) => {
  const lost = await checked.directory(ROOT, 'lost+found')
  await checked.small(lost.number, `#${file.number}`, 'mine')
  await checked.volume.sync()
  await checked.write({ key: entryKey(b.number, 'file'), value: undefined })
  assert.deepEqual(summary(await checked.check({ repair: true })), ['inode-orphan ?'])
  assert.deepEqual(await checked.names(lost.number), [`#${file.number}`])
})

test('directories that are only within each other come out', async ({ checked, a, b }) => {
  await checked.write(
    { key: entryKey(ROOT, 'a'), value: undefined },
    { key: entryKey(b.number, 'a'), value: encodeEntry({ inode: a.number, type: 'directory' }) },
    { key: inodeKey(a.number), value: encodeInode({ ...a, links: 3, parent: b.number }) },
    { key: inodeKey(b.number), value: encodeInode({ ...b, links: 3 }) }
  )
  const told = summary(await checked.check())
  assert.deepEqual(told, ['directory-cycle ?', 'links /'])
  const report = await checked.check({ repair: true })
  assert.equal(report.repaired, 2)
  assert.deepEqual(summary(await checked.check()), [])
  const lost = (await (await checked.volume.snapshot()).lookup(ROOT, 'lost+found'))!.inode
  assert.deepEqual((await checked.names(lost)).length, 1)
})

test('a name of nothing stays, and is told', async ({ checked, b }) => {
  await checked.write({
    key: entryKey(b.number, 'gone'),
    value: encodeEntry({ inode: NOBODY, type: 'file' })
  })
  for (const repair of [false, true]) {
    const report = await checked.check({ repair })
    assert.deepEqual(summary(report), ['entry-dangling /a/b/gone'])
    assert.equal(report.problems[0]!.inode, NOBODY)
  }
  assert.deepEqual(await checked.names(b.number), ['file', 'gone'])
})

test('a name that says another type', async ({ checked, b, file }) => {
  await checked.write({
    key: entryKey(b.number, 'file'),
    value: encodeEntry({ inode: file.number, type: 'symlink' })
  })
  await mends(checked, 'entry-type /a/b/file')
})

test('a directory with two names', async ({ checked, b }) => {
  await checked.write({
    key: entryKey(ROOT, 'second'),
    value: encodeEntry({ inode: b.number, type: 'directory' })
  })
  const report = await checked.check({ repair: true })
  assert.deepEqual(summary(report), ['directory-names /a/b', 'links / repaired'])
  assert.deepEqual(await checked.names(ROOT), ['a', 'second'], 'which name is wrong, nobody knows')
})

test('entries of what is no directory, content of what is no file', async context => {
  const { checked, b, file } = context
  await checked.write(
    { key: entryKey(file.number, 'x'), value: encodeEntry({ inode: file.number, type: 'file' }) },
    { key: entryKey(NOBODY, 'y'), value: encodeEntry({ inode: file.number, type: 'file' }) },
    { key: inlineKey(b.number), value: Uint8Array.of(1) },
    { key: inlineKey(NOBODY), value: Uint8Array.of(1) }
  )
  assert.deepEqual(summary(await checked.check()), [
    'content-stray /a/b',
    'content-stray ?',
    'entry-stray /a/b/file',
    'entry-stray ?'
  ])
})

test('content that does not fit its file', async ({ checked, b, file }) => {
  const large = await checked.large(b.number, 'large', 2)
  const [first] = await checked.blocksOf(large.number)
  const short = await checked.large(b.number, 'short', 2)
  const both = await checked.small(b.number, 'both')
  await checked.volume.sync()
  const extent = Uint8Array.of(0x19, 0x40, 0x00)
  const inode = (await (await checked.volume.snapshot()).inode(short.number))!
  await checked.write(
    { key: inlineKey(file.number), value: new Uint8Array(100) },
    { key: extentKey(large.number, 100), value: extent, link: first! },
    { key: inodeKey(short.number), value: encodeInode({ ...inode, size: 20_000 }) },
    { key: extentKey(both.number, 0), value: Uint8Array.of(1), link: first! }
  )
  const report = await checked.check()
  assert.deepEqual(
    report.problems.map(({ kind, path, detail }) => [kind, path, detail]),
    [
      ['content', '/a/b/file', '100 inline bytes of 4'],
      ['content', '/a/b/large', 'extents overlap at 100'],
      ['content', '/a/b/short', 'an extent to 32768 in a file of 20000 bytes'],
      ['content', '/a/b/both', 'both inline bytes and extents'],
      ['content', '/a/b/both', 'a block of 16384 bytes, not 1']
    ]
  )
})

test('a block of another length than its extent', async ({ checked, b, file }) => {
  const large = await checked.large(b.number, 'large', 1)
  const [block] = await checked.blocksOf(large.number)
  await checked.volume.sync()
  await checked.write(
    { key: inlineKey(file.number), value: undefined },
    { key: extentKey(file.number, 0), value: Uint8Array.of(4), link: block! },
    { key: extentKey(large.number, 0), value: undefined }
  )
  const report = await checked.check()
  assert.deepEqual(summary(report), ['content /a/b/file'])
  assert.equal(report.problems[0]!.detail, 'a block of 16384 bytes, not 4')
})

test('what is marked as open', async ({ checked, file }) => {
  const open = await checked.volume.update(t => t.createUnlinked({ type: 'file', mode: 0o600 }))
  assert.deepEqual(summary(await checked.check({ repair: true })), [])
  const isOpen = (inode: InodeNumber): boolean => inode === open.number
  assert.deepEqual(summary(await checked.check({ repair: true }, { isOpen })), [])
  const left = await checked.check({ repair: true }, { isOpen: () => false })
  assert.deepEqual(summary(left), ['inode-open ? repaired'])
  assert.deepEqual(summary(await checked.check({}, { isOpen: () => false })), [])
  await checked.write({ key: orphanKey(file.number), value: EMPTY })
  const named = await checked.check({ repair: true })
  assert.deepEqual(summary(named), ['orphan-mark /a/b/file repaired'])
  await checked.volume.repair(async t => {
    t.putInode({ ...file, links: 0 })
    await t.createUnlinked({ type: 'file', mode: 0o600 })
  })
  await checked.volume.repair(async t => t.putInode({ ...file, links: 1 }))
  assert.deepEqual(summary(await checked.check()), [])
  await checked.write({ key: orphanKey(NOBODY), value: EMPTY })
  // Opening it releases marks; this one is of nobody.
  const nobody = await checked.check({ repair: true })
  assert.deepEqual(summary(nobody), ['orphan-mark ? repaired'])
  assert.deepEqual(summary(await checked.check()), [])
})

test('no number is used again', async ({ checked, file }) => {
  await checked.write({ key: VOLUME_KEY, value: encodeVolumeRecord({ nextInode: file.number }) })
  await mends(checked, 'next-inode ?')
  const made = await checked.small(ROOT, 'new')
  assert.equal(made.number, file.number + 1)
  await checked.volume.sync()
  await checked.write({ key: VOLUME_KEY, value: undefined })
  await mends(checked, 'next-inode ?')
  assert.equal((await checked.small(ROOT, 'newer')).number, made.number + 1)
})

test('records that nobody can read do no harm to others', async ({ checked, a, b, file }) => {
  const junk = Uint8Array.of(0xff, 1, 2)
  await checked.write({ key: inodeKey(file.number), value: junk })
  assert.deepEqual(summary(await checked.check({ repair: true })), ['record-malformed /a/b/file'])
  await checked.write(
    { key: entryKey(a.number, 'b'), value: junk },
    { key: Uint8Array.of(9), value: EMPTY }
  )
  const report = await checked.check({ repair: true })
  assert.deepEqual(summary(report), [
    'record-malformed /a',
    'record-malformed ?',
    'record-malformed ?'
  ])
  assert.equal(report.complete, false)
  assert.deepEqual(await checked.names(b.number), ['file'])
})

test('no root directory', async ({ checked }) => {
  await checked.write({ key: inodeKey(ROOT), value: undefined })
  assert.ok(summary(await checked.check({ repair: true })).includes('root-missing /'))
})

test('what happened since it was looked at is respected', async ({ checked, b, file }) => {
  await checked.changeInode(file.number, { links: 3 })
  const orphan = await checked.small(b.number, 'orphan')
  const renamed = await checked.directory(b.number, 'renamed')
  await checked.volume.sync()
  await checked.write({ key: entryKey(b.number, 'orphan'), value: undefined })
  await checked.changeInode(renamed.number, { parent: ROOT })
  // Between the look and the repair.
  const { volume } = checked
  const pin = volume.pin.bind(volume)
  volume.pin = async () => {
    const pinned = await pin()
    await volume.update(async t => {
      await t.link(ROOT, 'one more', file.number)
      await t.link(ROOT, 'found', orphan.number)
      await t.rename({ directory: b.number, name: 'renamed' }, { directory: ROOT, name: 'moved' })
    })
    return pinned
  }
  const report = await checked.check({ repair: true })
  assert.deepEqual(report.byKind, { 'inode-orphan': 1, links: 1, parent: 1 })
  assert.equal(report.repaired, 1)
  const snapshot = await volume.snapshot()
  assert.equal((await snapshot.inode(file.number))!.links, 2)
  assert.equal((await snapshot.inode(orphan.number))!.links, 2)
  assert.equal(await snapshot.lookup(ROOT, 'lost+found'), undefined)
  volume.pin = pin
  assert.deepEqual(summary(await checked.check({ repair: true })), ['links /found repaired'])
  assert.deepEqual(summary(await checked.check()), [])
})

test('one check at a time, and it ends when told', async ({ checked }) => {
  const first = checked.check()
  await assert.rejects(checked.check(), (error: unknown) => {
    return error instanceof WarrenError && error.code === 'EBUSY'
  })
  await first
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(checked.check({ signal }), /enough/)
  await checked.check()
})

test.run()
