import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createBlock } from '../../../src/blocks/index.ts'
import { exportToHost } from '../../../src/namespace/host/index.ts'
import { isHostName } from '../../../src/namespace/host/host-places.ts'
import { DEPTH_MAX } from '../../../src/namespace/host/walk-snapshot.ts'
import type { Change } from '../../../src/namespace/tree/tree.ts'
import { entryKey, extentKey, inlineKey, inodeKey } from '../../../src/namespace/volume/keys.ts'
import { encodeEntry, encodeExtent, encodeInode } from '../../../src/namespace/volume/records.ts'
import { TreeSnapshot } from '../../../src/namespace/volume/tree-snapshot.ts'
import type { Inode, InodeNumber, InodeType, Volume } from '../../../src/namespace/volume/volume.ts'
import { createLocalReader } from '../../../src/blocks/index.ts'
import type { TransferFixture } from './host-fixtures.ts'
import { ROOT, createTransferFixture } from './host-fixtures.ts'

const test = suite('export of a hostile volume')

test('refuses a directory that contains itself or one above it', async () => {
  await using fixture = await createTransferFixture()
  for (const circle of [
    [entry(1, 'root', 1, 'directory'), ...directory(1, 1)],
    [
      ...directory(1, 1),
      entry(1, 'a', 2, 'directory'),
      ...directory(2, 1),
      entry(2, 'up', 1, 'directory')
    ],
    [
      ...directory(1, 1),
      entry(1, 'a', 2, 'directory'),
      ...directory(2, 1),
      entry(2, 'b', 3, 'directory'),
      ...directory(3, 2),
      entry(3, 'again', 2, 'directory')
    ]
  ]) {
    await assert.rejects(exportCrafted(fixture, circle), { code: 'EPROTO' })
  }
})

test('refuses a circle that begins where the export does', async () => {
  await using fixture = await createTransferFixture()
  const changes = [
    ...directory(1, 1),
    entry(1, 'a', 2, 'directory'),
    // Two directories that hold each other: each is what the other says is its parent.
    ...directory(2, 3),
    entry(2, 'b', 3, 'directory'),
    ...directory(3, 2),
    entry(3, 'a', 2, 'directory')
  ]
  await assert.rejects(exportCrafted(fixture, changes, 2), { code: 'EPROTO' })
  await assert.rejects(exportCrafted(fixture, changes, 3), { code: 'EPROTO' })
})

test('refuses a directory under two names, which could double at each level', async () => {
  await using fixture = await createTransferFixture()
  const changes = [...directory(1, 1)]
  for (let level = 1; level <= 40; level++) {
    changes.push(
      entry(level, 'a', level + 1, 'directory'),
      entry(level, 'b', level + 1, 'directory'),
      ...directory(level + 1, level)
    )
  }
  await assert.rejects(exportCrafted(fixture, changes), { code: 'EPROTO' })
})

test('refuses more levels than a host can have', async () => {
  await using fixture = await createTransferFixture()
  const changes = [...directory(1, 1)]
  for (let level = 1; level <= DEPTH_MAX + 1; level++) {
    changes.push(entry(level, 'd', level + 1, 'directory'), ...directory(level + 1, level))
  }
  await assert.rejects(exportCrafted(fixture, changes), { code: 'ENAMETOOLONG' })
})

test('refuses entries without an inode or with another kind of it', async () => {
  await using fixture = await createTransferFixture()
  for (const changes of [
    [...directory(1, 1), entry(1, 'missing', 5, 'file')],
    [...directory(1, 1), entry(1, 'lying', 5, 'file'), inode(5, { type: 'symlink', target: '/' })],
    [...directory(1, 1), entry(1, 'lying', 5, 'directory'), inode(5, { type: 'file' })]
  ]) {
    await assert.rejects(exportCrafted(fixture, changes), { code: 'EPROTO' })
  }
})

test('refuses names that lead elsewhere', async () => {
  await using fixture = await createTransferFixture()
  const { directory: temporary } = fixture
  writeFileSync(temporary.join('victim'), 'precious')
  for (const name of ['..', '.', '../victim', 'a/../../victim', '/etc/victim', 'nul\0', '']) {
    const changes = [...directory(1, 1), entry(1, name, 5, 'file'), inode(5, { type: 'file' })]
    await assert.rejects(exportCrafted(fixture, changes), { code: 'EPROTO' })
  }
  assert.deepEqual(readdirSync(temporary.path).sort(), ['target', 'victim'])
})

test('makes a link that is replaced by a directory of its name a directory', async () => {
  await using fixture = await createTransferFixture()
  const { directory: temporary } = fixture
  const link = [
    ...directory(1, 1),
    entry(1, 'x', 5, 'symlink'),
    inode(5, { type: 'symlink', target: temporary.path })
  ]
  await exportCrafted(fixture, link)
  const through = [
    ...directory(1, 1),
    entry(1, 'x', 6, 'directory'),
    ...directory(6, 1),
    entry(6, 'escaped', 7, 'file'),
    inode(7, { type: 'file' })
  ]
  await exportCrafted(fixture, through)
  assert.equal(existsSync(temporary.join('escaped')), false)
  assert.ok(lstatSync(temporary.join('target/x')).isDirectory())
  // And back: the directory is not empty, so it stays.
  const report = await exportCrafted(fixture, link)
  assert.equal(report.failed.length, 1)
  assert.ok(existsSync(temporary.join('target/x/escaped')))
})

test('writes no more than the size says, whatever the content', async () => {
  await using fixture = await createTransferFixture()
  const block = await createBlock('raw', new Uint8Array(60_000).fill(1))
  await fixture.store.putMany([block])
  const extent = (number: number, offset: number, length: number): Change => ({
    key: extentKey(number as InodeNumber, offset),
    value: encodeExtent({ offset, length, block: block.id }),
    link: block.id
  })
  const file = (number: number, size: number): Change[] => [
    entry(1, `f${number}`, number, 'file'),
    inode(number, { type: 'file', size })
  ]
  const report = await exportCrafted(fixture, [
    ...directory(1, 1),
    ...file(5, 100_000),
    extent(5, 0, 60_000),
    extent(5, 90_000, 60_000),
    ...file(6, 20),
    { key: inlineKey(6 as InodeNumber), value: new Uint8Array(5_000) },
    ...file(7, 5_000),
    { key: inlineKey(7 as InodeNumber), value: new Uint8Array(20) },
    ...file(8, 4_000_000)
  ])
  assert.deepEqual(report.failed, [])
  const sizes = [5, 6, 7, 8].map(n => statSync(fixture.directory.join(`target/f${n}`)).size)
  assert.deepEqual(sizes, [100_000, 20, 5_000, 4_000_000])
  for (const lie of [[extent(9, 0, 50_000)], [extent(9, 0, 60_000), extent(9, 30_000, 60_000)]]) {
    const changes = [...directory(1, 1), ...file(9, 100_000), ...lie]
    const once = exportCrafted(fixture, changes)
    await once.then(
      () => assert.ok(statSync(fixture.directory.join('target/f9')).size <= 100_000),
      error => assert.equal((error as { code: string }).code, 'EPROTO')
    )
  }
})

test('gives up on a file larger than the host can keep, not on the others', async () => {
  await using fixture = await createTransferFixture()
  const report = await exportCrafted(fixture, [
    ...directory(1, 1),
    entry(1, 'huge', 5, 'file'),
    inode(5, { type: 'file', size: 2 ** 48 - 1 }),
    entry(1, 'other', 6, 'file'),
    inode(6, { type: 'file' })
  ])
  assert.equal(report.failed.length, 1)
  assert.ok(existsSync(fixture.directory.join('target/other')))
})

test('survives times and link counts beyond reason', async () => {
  await using fixture = await createTransferFixture()
  const changes = [...directory(1, 1)]
  const times = [1e300, -1e300, 8.64e15, -8.64e15, 0.0001, -0.5]
  for (const [index, mtimeMs] of times.entries()) {
    changes.push(
      entry(1, `f${index}`, 10 + index, 'file'),
      inode(10 + index, { type: 'file', mtimeMs, atimeMs: mtimeMs, links: 1_000_000 })
    )
  }
  const report = await exportCrafted(fixture, changes)
  assert.equal(report.files + report.failed.length, times.length)
})

test('knows which names are paths on other systems', () => {
  for (const name of ['a\\b', '..\\x', 'C:', 'x:stream', 'dot.', 'space ', 'a?', '"']) {
    assert.equal(isHostName(name, 'win32'), false, name)
    assert.equal(isHostName(name, 'linux'), true, name)
  }
  assert.equal(isHostName('plain name.txt', 'win32'), true)
})

test.run()

/** Exports a volume made of these records and no others. */
async function exportCrafted(
  { volume, store, directory: temporary }: TransferFixture,
  changes: readonly Change[],
  top = ROOT as number
): ReturnType<typeof exportToHost> {
  const reader = createLocalReader(store)
  const { createTree } = await import('../../../src/namespace/tree/create-tree.ts')
  const { createNodeCache } = await import('../../../src/namespace/tree/node-cache.ts')
  const empty = createTree({ reader, cache: createNodeCache() })
  const sorted = changes.toSorted((a, b) => Buffer.compare(a.key, b.key))
  const snapshot = new TreeSnapshot(await empty.apply(sorted), reader)
  const crafted: Volume = Object.create(volume, { snapshot: { value: async () => snapshot } })
  const place = { volume: crafted, directory: top as InodeNumber, name: undefined }
  const signal = AbortSignal.timeout(80_000)
  return exportToHost({}, place, temporary.join('target'), { signal })
}

function directory(number: number, parent: number): Change[] {
  return [inode(number, { type: 'directory', mode: 0o755, parent })]
}

function entry(parent: number, name: string, number: number, type: InodeType): Change {
  return {
    key: entryKey(parent as InodeNumber, name),
    value: encodeEntry({ inode: number as InodeNumber, type })
  }
}

function inode(number: number, given: Partial<Inode> & { readonly type: InodeType }): Change {
  const value = encodeInode({
    number: number as InodeNumber,
    generation: 1,
    mode: 0o644,
    uid: 0,
    gid: 0,
    links: 1,
    size: 0,
    atimeMs: 1_000,
    mtimeMs: 1_000,
    ctimeMs: 1_000,
    birthtimeMs: 1_000,
    parent: 0,
    ...given
  })
  return { key: inodeKey(number as InodeNumber), value }
}
