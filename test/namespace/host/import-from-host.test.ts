import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  cpSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { createServer } from 'node:net'
import { createMemoryBlockStore } from '../../../src/blocks/index.ts'
import { importFromHost } from '../../../src/namespace/host/index.ts'
import type { TransferProgress } from '../../../src/namespace/transfer.ts'
import { testUnless } from '../../fixtures/test-unless.ts'
import {
  ROOT,
  checkProgress,
  codeOf,
  countsOf,
  createTransferFixture,
  describeFolder,
  describeVolume,
  inodeAt,
  openFiles,
  randomBytes,
  readInode
} from './host-fixtures.ts'

const test = suite('import from host')

const nothing = {
  files: 0,
  directories: 0,
  symlinks: 0,
  bytes: 0,
  skipped: 0,
  removed: 0,
  failed: [] as string[]
}

test('takes in files of all sizes, directories and links as they are', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/empty`, { recursive: true })
  mkdirSync(`${source}/a/b/c`, { recursive: true })
  for (const size of [0, 1, 4096, 12_288, 12_289, 20_000, 262_144, 262_145, 2_000_000]) {
    writeFileSync(`${source}/a/${size}`, randomBytes(size))
  }
  for (let index = 0; index < 300; index++) writeFileSync(`${source}/a/b/f${index}`, `${index}`)
  writeFileSync(`${source}/a/b/c/run`, '#!', { mode: 0o755 })
  chmodSync(`${source}/a/b/c/run`, 0o4751)
  chmodSync(`${source}/a/b`, 0o700)
  symlinkSync('../a/1', `${source}/a/relative`)
  symlinkSync('/etc/hostname', `${source}/a/absolute`)
  symlinkSync('nowhere', `${source}/a/dangling`)
  symlinkSync('b', `${source}/a/to-directory`)
  utimesSync(`${source}/a/1`, 1.5, 1_234_567_890.123)
  const report = await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  const bytes = 0 + 1 + 4096 + 12_288 + 12_289 + 20_000 + 262_144 + 262_145 + 2_000_000
  assert.deepEqual(countsOf(report), {
    ...nothing,
    files: 310,
    directories: 4,
    symlinks: 4,
    bytes: bytes + 790 + 2
  })
  assert.equal((await inodeAt(fixture.volume, 'copy/a/b/c/run'))?.mode, 0o4751)
})

test('takes names as they come: newlines, quotes, other scripts, 255 bytes', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const names = [
    'new\nline',
    `quo"te'`,
    ' space ',
    '-rf',
    '...',
    '日本語',
    'ﬀ',
    '𐀀',
    '\uFFFD',
    '\u00e9',
    'e\u0301'
  ]
  for (const name of [...names, 'ö'.repeat(127) + 'x']) writeFileSync(`${source}/${name}`, name)
  for (const name of names) mkdirSync(`${source}/directory ${name}`)
  const report = await fixture.import(source, 'copy')
  assert.deepEqual(report.failed, [])
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  // In the second run names are compared side by side: both sides must be in the same order.
  const second = await fixture.import(source, 'copy')
  assert.deepEqual(countsOf(second), { ...nothing, skipped: 12 })
})

test('reports names and links that are not UTF-8, and takes in the rest', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const raw = (...bytes: number[]): Buffer =>
    Buffer.concat([Buffer.from(`${source}/`), Buffer.from(bytes)])
  writeFileSync(raw(0x63, 0xe9), 'latin 1')
  mkdirSync(raw(0xff))
  writeFileSync(`${source}/c\uFFFD`, 'a name of its own')
  writeFileSync(`${source}/good`, 'good')
  symlinkSync(Buffer.from([0xff, 0xfe]), `${source}/link`)
  const report = await fixture.import(source, 'copy')
  assert.equal(report.files, 2)
  assert.deepEqual(countsOf(report).failed.sort(), [
    'c\uFFFD: EINVAL',
    'link: EINVAL',
    '\uFFFD: EINVAL'
  ])
})

test('reports pipes and sockets', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  execFileSync('mkfifo', [`${source}/pipe`])
  const server = createServer()
  await new Promise<void>(resolve => server.listen(`${source}/socket`, resolve))
  writeFileSync(`${source}/file`, 'x')
  const report = await fixture.import(source, 'copy')
  await new Promise(resolve => server.close(resolve))
  assert.deepEqual(countsOf(report), {
    ...nothing,
    files: 1,
    bytes: 1,
    failed: ['pipe: ENOTSUP', 'socket: ENOTSUP']
  })
})

testUnless(process.getuid?.() === 0 ? 'root may read everything' : undefined, test)(
  'reports what it may not read, and keeps what the volume has of it',
  async () => {
    await using fixture = await createTransferFixture()
    const source = fixture.directory.join('source')
    mkdirSync(`${source}/locked`, { recursive: true })
    writeFileSync(`${source}/locked/inside`, '1')
    writeFileSync(`${source}/file`, '1')
    await fixture.import(source, 'copy')
    writeFileSync(`${source}/file`, 'changed')
    chmodSync(`${source}/file`, 0)
    chmodSync(`${source}/locked`, 0)
    const report = await fixture.import(source, 'copy')
    chmodSync(`${source}/locked`, 0o700)
    assert.deepEqual(countsOf(report).failed.sort(), ['file: EACCES', 'locked: EACCES'])
    assert.ok(await inodeAt(fixture.volume, 'copy/locked/inside'))
    assert.equal((await inodeAt(fixture.volume, 'copy/file'))?.size, 1)
  }
)

test('reads in a second run only what changed, also in small directories', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  for (let index = 0; index < 30; index++) {
    mkdirSync(`${source}/d${index}`, { recursive: true })
    writeFileSync(`${source}/d${index}/small`, 'x')
    writeFileSync(`${source}/d${index}/large`, randomBytes(15_000))
  }
  await fixture.import(source, 'copy')
  const rootBefore = (await fixture.volume.roots()).current.at(-1)
  assert.deepEqual(countsOf(await fixture.import(source, 'copy')), { ...nothing, skipped: 60 })
  assert.equal((await fixture.volume.roots()).current.at(-1), rootBefore, 'nothing was written')
  writeFileSync(`${source}/d3/small`, 'yy')
  writeFileSync(`${source}/d4/large`, randomBytes(16_000))
  writeFileSync(`${source}/d5/new`, 'new')
  rmSync(`${source}/d6`, { recursive: true })
  rmSync(`${source}/d7/small`)
  chmodSync(`${source}/d8/small`, 0o600)
  assert.deepEqual(countsOf(await fixture.import(source, 'copy')), {
    ...nothing,
    files: 4,
    bytes: 2 + 16_000 + 3,
    skipped: 54,
    removed: 4
  })
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
})

test('keeps others if it is told to', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/gone`, { recursive: true })
  writeFileSync(`${source}/gone/file`, 'x')
  await fixture.import(source, 'copy')
  rmSync(`${source}/gone`, { recursive: true })
  writeFileSync(`${source}/new`, 'x')
  const report = await fixture.import(source, 'copy', { keepOthers: true })
  assert.deepEqual([report.removed, report.files], [0, 1])
  assert.ok(await inodeAt(fixture.volume, 'copy/gone/file'))
  assert.equal((await fixture.import(source, 'copy')).removed, 2)
})

test('follows directories, files and links that take each others places', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const make: Record<string, (path: string) => void> = {
    directory: path => {
      mkdirSync(`${path}/below`, { recursive: true })
      for (let index = 0; index < 300; index++) writeFileSync(`${path}/below/f${index}`, 'x')
    },
    small: path => writeFileSync(path, 'small'),
    large: path => writeFileSync(path, randomBytes(100_000)),
    link: path => symlinkSync('target', path)
  }
  const kinds = Object.keys(make)
  mkdirSync(source)
  for (const from of kinds) for (const to of kinds) make[from]!(`${source}/${from}-${to}`)
  await fixture.import(source, 'copy')
  for (const from of kinds) {
    for (const to of kinds) {
      rmSync(`${source}/${from}-${to}`, { recursive: true })
      make[to]!(`${source}/${from}-${to}`)
    }
  }
  const report = await fixture.import(source, 'copy')
  assert.deepEqual(report.failed, [])
  assert.equal(report.removed, 3 * 301, 'what was below the directories')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
})

test('keeps hard links, makes new ones and parts them', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/d`, { recursive: true })
  for (const [name, size] of [
    ['small', 10],
    ['large', 50_000]
  ] as const) {
    writeFileSync(`${source}/${name}`, randomBytes(size))
    linkSync(`${source}/${name}`, `${source}/d/${name}-too`)
    linkSync(`${source}/${name}`, `${source}/${name}-again`)
  }
  await fixture.import(source, 'copy')
  const numberOf = async (name: string): Promise<number | undefined> =>
    (await inodeAt(fixture.volume, `copy/${name}`))?.number
  for (const name of ['small', 'large']) {
    assert.equal(await numberOf(name), await numberOf(`d/${name}-too`))
    assert.equal((await inodeAt(fixture.volume, `copy/${name}`))?.links, 3)
  }
  assert.deepEqual(countsOf(await fixture.import(source, 'copy')), { ...nothing, skipped: 6 })

  // One more name of what is there already.
  linkSync(`${source}/large`, `${source}/d/more`)
  await fixture.import(source, 'copy')
  assert.equal(await numberOf('large'), await numberOf('d/more'))

  // Replacing one name must leave the others as they are.
  const before = await describeVolume(fixture.volume, 'copy')
  writeFileSync(`${source}/new`, 'replaced')
  renameSync(`${source}/new`, `${source}/small-again`)
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  assert.ok(before.length > 0)
  assert.equal((await inodeAt(fixture.volume, 'copy/small'))?.links, 2)

  // Changed through one name, all are changed and still one file.
  writeFileSync(`${source}/large`, randomBytes(60_000))
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  assert.equal((await inodeAt(fixture.volume, 'copy/large'))?.links, 4)
  assert.equal(await numberOf('large'), await numberOf('d/more'))
})

test('takes in large files with holes without their zeros', async () => {
  const store = createMemoryBlockStore()
  await using fixture = await createTransferFixture({}, {}, { store })
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const file = openSync(`${source}/sparse`, 'w')
  writeSync(file, randomBytes(100_000), 0, 100_000, 5 * 1024 * 1024 + 17)
  writeSync(file, Buffer.from('end'), 0, 3, 60 * 1024 * 1024)
  closeSync(file)
  const zeros = openSync(`${source}/zeros`, 'w')
  ftruncateSync(zeros, 3_000_001)
  closeSync(zeros)
  await fixture.import(source, 'copy')
  assert.ok(store.usage().bytes < 500_000, `${store.usage().bytes} bytes stored`)
  const sparse = (await inodeAt(fixture.volume, 'copy/sparse'))!
  assert.equal(sparse.size, 60 * 1024 * 1024 + 3)
  const back = fixture.directory.join('back')
  await fixture.export('copy', back)
  assert.ok(statSync(`${back}/sparse`).blocks < 10_000, 'the hole is a hole again')
  execFileSync('cmp', [`${source}/sparse`, `${back}/sparse`])
  execFileSync('cmp', [`${source}/zeros`, `${back}/zeros`])
})

test('takes in a file with more extents than are held at once', async () => {
  await using fixture = await createTransferFixture({}, { blockBytes: 4096 })
  const source = fixture.directory.join('source')
  mkdirSync(source)
  writeFileSync(`${source}/many`, randomBytes(10_000_001))
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  writeFileSync(`${source}/many`, randomBytes(9_000_001))
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  assert.equal([...fixture.volume.inFlight()].length, 0)
})

test('takes in and replaces a single file', async () => {
  await using fixture = await createTransferFixture()
  const { directory, volume } = fixture
  writeFileSync(directory.join('file'), 'one')
  symlinkSync('file', directory.join('link'))
  const place = { volume, directory: ROOT, name: 'other name' }
  const report = await importFromHost({}, directory.join('link'), place, {})
  assert.deepEqual(countsOf(report), { ...nothing, files: 1, bytes: 3 })
  const snapshot = await volume.snapshot()
  const inode = (await inodeAt(volume, 'other name'))!
  assert.equal(Buffer.from(await readInode(snapshot, inode)).toString(), 'one')
  assert.equal((await importFromHost({}, directory.join('file'), place, {})).skipped, 1)
  writeFileSync(directory.join('file'), randomBytes(70_000))
  await importFromHost({}, directory.join('file'), place, {})
  assert.equal((await inodeAt(volume, 'other name'))?.size, 70_000)
  await importFromHost({}, directory.join('file'), { ...place, name: undefined }, {})
  assert.equal((await inodeAt(volume, 'file'))?.size, 70_000)
})

test('takes a folder into the root of a volume and into a directory that is there', async () => {
  await using fixture = await createTransferFixture()
  const { directory, volume } = fixture
  mkdirSync(directory.join('source/sub'), { recursive: true })
  writeFileSync(directory.join('source/sub/file'), 'x')
  await importFromHost(
    {},
    directory.join('source'),
    { volume, directory: ROOT, name: undefined },
    {}
  )
  assert.ok(await inodeAt(volume, 'sub/file'))
  symlinkSync('source', directory.join('link'))
  const sub = (await inodeAt(volume, 'sub'))!.number
  await importFromHost({}, directory.join('link'), { volume, directory: sub, name: undefined }, {})
  assert.ok(await inodeAt(volume, 'sub/sub/file'))
  assert.equal(await inodeAt(volume, 'sub/file'), undefined)
  assert.notEqual((await inodeAt(volume, 'sub'))!.mode, 0o777, 'not that of the link')
})

test('refuses what cannot be', async () => {
  await using fixture = await createTransferFixture()
  const { directory, volume } = fixture
  mkdirSync(directory.join('source'))
  writeFileSync(directory.join('file'), 'x')
  await fixture.import(directory.join('source'), 'folder')
  await fixture.import(directory.join('file'), 'file')
  await assert.rejects(fixture.import(directory.join('nowhere'), 'x'), { code: 'ENOENT' })
  await assert.rejects(fixture.import(directory.join('source'), 'file'), { code: 'ENOTDIR' })
  await assert.rejects(fixture.import(directory.join('file'), 'folder'), { code: 'EISDIR' })
  await assert.rejects(fixture.import(directory.join('file'), 'a/b'), { code: 'EINVAL' })
  await assert.rejects(fixture.import('/dev/null', 'null'), { code: 'ENOTSUP' })
  await assert.rejects(fixture.import(directory.join('source'), 'x', { inPlace: true }), {
    code: 'ENOTSUP'
  })
  assert.equal((await inodeAt(volume, 'folder'))?.type, 'directory')
})

test('passes over directories where blocks are kept', async () => {
  await using fixture = await createTransferFixture()
  const { directory, volume } = fixture
  for (const path of ['source/a', 'source/own/blocks', 'source/own-not']) {
    mkdirSync(directory.join(path), { recursive: true })
    writeFileSync(directory.join(path, 'file'), 'x')
  }
  const exclude = [directory.join('source/own')]
  const place = { volume, directory: ROOT, name: 'copy' }
  const report = await importFromHost({ exclude }, directory.join('source'), place, {})
  assert.deepEqual([report.files, report.failed], [2, []])
  assert.equal(await inodeAt(volume, 'copy/own'), undefined)
  for (const path of ['source/own', 'source/own/blocks']) {
    await assert.rejects(importFromHost({ exclude }, directory.join(path), place, {}), {
      code: 'EINVAL'
    })
  }
})

test('tells how far it has come, up to the end', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  for (let index = 0; index < 3_000; index++)
    writeFileSync(`${source}/f${index}`, randomBytes(2_000))
  writeFileSync(`${source}/large`, randomBytes(30_000_000))
  execFileSync('mkfifo', [`${source}/pipe`])
  const told: TransferProgress[] = []
  await fixture.import(source, 'copy', { onProgress: progress => told.push(progress) })
  checkProgress(told, { files: 3_001, bytes: 36_000_000 })
  const again: TransferProgress[] = []
  await fixture.import(source, 'copy', { onProgress: progress => again.push(progress) })
  checkProgress(again, { files: 3_001, bytes: 36_000_000 })
})

test('can be stopped at any time, leaves nothing open and goes on where it was', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/d`, { recursive: true })
  for (let index = 0; index < 1_500; index++)
    writeFileSync(`${source}/d/f${index}`, randomBytes(1_000))
  for (let index = 0; index < 4; index++)
    writeFileSync(`${source}/large${index}`, randomBytes(4_000_000))
  let stopped = 0
  for (const delayMs of [0, 2, 5, 10, 20, 40, 80]) {
    const signal = AbortSignal.timeout(delayMs)
    try {
      await fixture.import(source, 'copy', { signal })
    } catch (error) {
      assert.equal((error as Error).name, 'TimeoutError')
      stopped++
    }
    assert.deepEqual(openFiles(source), [])
    assert.equal([...fixture.volume.inFlight()].length, 0)
  }
  assert.ok(stopped > 0)
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
})

test('reports files that change or vanish while they are read, and gets them the next time', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  for (let index = 0; index < 7; index++)
    writeFileSync(`${source}/f${index}`, randomBytes(3_000_000))
  let change = (): void => {
    writeFileSync(`${source}/f5`, randomBytes(2_000_000))
    rmSync(`${source}/f6`)
    mkdirSync(`${source}/new`)
    change = () => {}
  }
  const onProgress = ({ bytes }: TransferProgress): void => {
    if (bytes > 0) change()
  }
  const report = await fixture.import(source, 'copy', { onProgress })
  const codes = new Map(report.failed.map(({ path, error }) => [path, codeOf(error)]))
  assert.deepEqual(Object.fromEntries(codes), { f5: 'EBUSY', f6: 'ENOENT' })
  const again = await fixture.import(source, 'copy')
  assert.deepEqual(again.failed, [])
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
})

test('stores nothing of a full store but what it was told, and says so', async () => {
  const store = createMemoryBlockStore({ bytesMax: 3_000_000 })
  await using fixture = await createTransferFixture({}, {}, { store })
  const source = fixture.directory.join('source')
  mkdirSync(source)
  writeFileSync(`${source}/fits`, randomBytes(500_000))
  await fixture.import(source, 'copy')
  writeFileSync(`${source}/too much`, randomBytes(5_000_000))
  await assert.rejects(fixture.import(source, 'copy'), { code: 'ENOSPC' })
  assert.equal((await inodeAt(fixture.volume, 'copy/fits'))?.size, 500_000)
  assert.equal([...fixture.volume.inFlight()].length, 0)
})

test('takes in thousands of files in wide and deep directories', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/wide`, { recursive: true })
  for (let index = 0; index < 4_500; index++) writeFileSync(`${source}/wide/name ${index}`, '')
  const deep = `${source}/${Array.from({ length: 150 }, (_, level) => `l${level}`).join('/')}`
  mkdirSync(deep, { recursive: true })
  writeFileSync(`${deep}/bottom`, 'x')
  await fixture.import(source, 'copy')
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
  cpSync(deep, `${source}/elsewhere`, { recursive: true })
  rmSync(`${source}/wide`, { recursive: true })
  rmSync(`${source}/l0`, { recursive: true })
  const report = await fixture.import(source, 'copy')
  assert.equal(report.removed, 4_501 + 151)
  assert.deepEqual(await describeVolume(fixture.volume, 'copy'), describeFolder(source))
})

test.run()
