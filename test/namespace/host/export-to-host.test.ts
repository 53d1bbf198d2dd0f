import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { createLocalReader, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockReader } from '../../../src/blocks/index.ts'
import { testUnless } from '../../fixtures/test-unless.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { exportToHost } from '../../../src/namespace/host/index.ts'
import type { TransferProgress } from '../../../src/namespace/transfer.ts'
import {
  ROOT,
  checkProgress,
  countsOf,
  createTransferFixture,
  describeFolder,
  inodeAt,
  openFiles,
  randomBytes
} from './host-fixtures.ts'

const test = suite('export to host')

const nothing = {
  files: 0,
  directories: 0,
  symlinks: 0,
  bytes: 0,
  skipped: 0,
  removed: 0,
  failed: [] as string[]
}

test('gives back what was taken in, as diff and rsync see it too', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(`${source}/empty`, { recursive: true })
  mkdirSync(`${source}/a/b/c`, { recursive: true })
  for (const size of [
    0, 1, 4096, 12_288, 12_289, 20_000, 262_144, 524_288, 524_289, 2_000_000, 50_000_000
  ]) {
    writeFileSync(`${source}/a/${size}`, randomBytes(size))
  }
  for (let index = 0; index < 3_000; index++) {
    if (index % 100 === 0) mkdirSync(`${source}/many/${index}`, { recursive: true })
    writeFileSync(`${source}/many/${index - (index % 100)}/${index}`, randomBytes(index % 700))
  }
  writeFileSync(`${source}/a/new\nline "quoted" 𐀀`, 'x', { mode: 0o444 })
  for (const [name, target] of Object.entries({
    relative: '../a/1',
    absolute: '/etc/hostname',
    dangling: 'nowhere',
    directory: 'b'
  })) {
    symlinkSync(target, `${source}/a/b/${name}`)
  }
  linkSync(`${source}/a/4096`, `${source}/a/b/4096 too`)
  linkSync(`${source}/a/2000000`, `${source}/a/2000000 too`)
  utimesSync(`${source}/a/20000`, 1_000_000_000.5, 1_234_567_890.123_456)
  utimesSync(`${source}/a/0`, 0, -86_400)
  chmodSync(`${source}/a/b/c`, 0o500)
  await fixture.import(source, 'copy')
  const report = await fixture.export('copy', back)
  assert.deepEqual(report.failed, [])
  assert.deepEqual(describeFolder(back), describeFolder(source))
  execFileSync('diff', ['-r', '--no-dereference', source, back])
  for (const [one, other] of [
    ['4096', 'b/4096 too'],
    ['2000000', '2000000 too']
  ]) {
    assert.equal(lstatSync(`${back}/a/${one}`).ino, lstatSync(`${back}/a/${other}`).ino)
  }
  assert.equal(lstatSync(`${back}/a/b/relative`).mtimeMs > 0, true)

  // Times survive to a microsecond: a second import of the copy finds nothing to read.
  const files = countsOf(report).files
  const second = await fixture.export('copy', back)
  assert.deepEqual(countsOf(second), { ...nothing, skipped: files })
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('writes in a second run only what is missing or different', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(source)
  for (let index = 0; index < 10; index++) writeFileSync(`${source}/f${index}`, `${index}`)
  writeFileSync(`${source}/large`, randomBytes(100_000))
  await fixture.import(source, 'copy')
  await fixture.export('copy', back)
  rmSync(`${back}/f1`)
  writeFileSync(`${back}/f2`, 'longer')
  chmodSync(`${back}/f3`, 0o600)
  writeFileSync(`${back}/own`, 'stays')
  const report = await fixture.export('copy', back)
  assert.deepEqual(countsOf(report), { ...nothing, files: 2, bytes: 2, skipped: 9 })
  assert.equal(readFileSync(`${back}/own`, 'utf8'), 'stays')
  rmSync(`${back}/own`)
  await fixture.export('copy', back)
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('reads what looks finished if it is told to', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(source)
  writeFileSync(`${source}/small`, 'right')
  writeFileSync(`${source}/fine`, 'fine')
  writeFileSync(`${source}/large`, randomBytes(700_000))
  writeFileSync(`${source}/large fine`, randomBytes(700_000))
  await fixture.import(source, 'copy')
  await fixture.export('copy', back)
  for (const name of ['small', 'large']) {
    const { atime, mtime } = statSync(`${back}/${name}`)
    const file = openSync(`${back}/${name}`, 'r+')
    writeSync(file, 'wrong', 0)
    closeSync(file)
    utimesSync(`${back}/${name}`, atime, mtime)
  }
  for (const name of ['small', 'large']) {
    const { mtimeMs } = statSync(`${source}/${name}`)
    utimesSync(`${back}/${name}`, mtimeMs / 1000, mtimeMs / 1000)
  }
  assert.equal((await fixture.export('copy', back)).files, 0)
  const report = await fixture.export('copy', back, { verify: true })
  assert.deepEqual([report.files, report.skipped], [2, 2])
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('goes on in the middle of a large file and does not fetch what is there', async () => {
  const store = createMemoryBlockStore()
  const local = createLocalReader(store)
  let raw = 0
  const count = (id: string): void => {
    if (id.startsWith('bafkrei')) raw++
  }
  const reader: BlockReader = {
    get: (id, options) => {
      count(id)
      return local.get(id, options)
    },
    getMany: async function* (ids, options) {
      for await (const block of local.getMany(ids, options)) {
        count(block.id)
        yield block
      }
    }
  }
  await using fixture = await createTransferFixture({}, {}, { store, reader })
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(source)
  writeFileSync(`${source}/large`, randomBytes(10_000_000))
  await fixture.import(source, 'copy')
  const stop = new AbortController()
  const onProgress = ({ bytes }: TransferProgress): void => {
    if (bytes > 1_000_000) stop.abort(new Error('cut'))
  }
  await assert.rejects(fixture.export('copy', back, { signal: stop.signal, onProgress }), /cut/)
  const there = statSync(`${back}/large`).size
  assert.ok(there > 1_000_000 && there < 10_000_000, `${there} bytes were written`)
  raw = 0
  await fixture.export('copy', back)
  const missing = Math.ceil((10_000_000 - there) / 65_536) + 1
  assert.ok(raw > 0 && raw <= missing, `${raw} blocks fetched, ${missing} were missing`)
  assert.deepEqual(describeFolder(back), describeFolder(source))

  // A block that was damaged in the middle, and an end that is too long.
  raw = 0
  const file = openSync(`${back}/large`, 'r+')
  writeSync(file, 'damaged', 5_000_000)
  closeSync(file)
  truncateSync(`${back}/large`, 11_000_000)
  await fixture.export('copy', back)
  assert.equal(raw, 1)
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('makes zeros of what stood where the file has holes', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(source)
  mkdirSync(back)
  const file = openSync(`${source}/sparse`, 'w')
  writeSync(file, 'begin', 0)
  writeSync(file, randomBytes(50_000), 0, 50_000, 4 * 1024 * 1024)
  closeSync(file)
  truncateSync(`${source}/sparse`, 7_500_000)
  writeFileSync(`${back}/sparse`, randomBytes(7_000_000))
  await fixture.import(source, 'copy')
  await fixture.export('copy', back)
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('never writes through links, pipes or other names that stand in its way', async () => {
  await using fixture = await createTransferFixture()
  const { directory } = fixture
  const source = directory.join('source')
  const back = directory.join('back')
  const outside = directory.join('outside')
  mkdirSync(`${source}/d/e`, { recursive: true })
  for (const name of ['small', 'large', 'linked', 'linked large', 'pipe', 'pipe large', 'd/e/in']) {
    writeFileSync(`${source}/${name}`, randomBytes(name.includes('large') ? 600_000 : 100))
  }
  symlinkSync('target', `${source}/link`)
  await fixture.import(source, 'copy')
  mkdirSync(`${outside}/e`, { recursive: true })
  mkdirSync(back)
  for (const name of ['victim', 'linked', 'linked large', 'e/in']) {
    writeFileSync(`${outside}/${name}`, 'precious')
  }
  // What looks finished behind a link is not.
  const { mtimeMs } = statSync(`${source}/d/e/in`)
  writeFileSync(`${outside}/e/in`, randomBytes(100))
  utimesSync(`${outside}/e/in`, mtimeMs / 1000, mtimeMs / 1000)
  const before = describeFolder(outside)
  symlinkSync(`${outside}/victim`, `${back}/small`)
  symlinkSync(`${outside}/victim`, `${back}/large`)
  linkSync(`${outside}/linked`, `${back}/linked`)
  linkSync(`${outside}/linked large`, `${back}/linked large`)
  symlinkSync(outside, `${back}/d`)
  symlinkSync(`${outside}/victim`, `${back}/link`)
  execFileSync('mkfifo', [`${back}/pipe`, `${back}/pipe large`])
  const report = await fixture.export('copy', back)
  assert.deepEqual(report.failed, [])
  assert.deepEqual(describeFolder(back), describeFolder(source))
  assert.deepEqual(describeFolder(outside), before)
})

test('does not write below a directory it could not make', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(`${source}/x/y`, { recursive: true })
  writeFileSync(`${source}/x/y/file`, 'x')
  writeFileSync(`${source}/file`, 'x')
  await fixture.import(source, 'copy')
  mkdirSync(`${back}/file/full`, { recursive: true })
  mkdirSync(`${back}/x`)
  writeFileSync(`${back}/x/y`, 'a file of the owner')
  const report = await fixture.export('copy', back)
  assert.deepEqual(countsOf(report).failed, ['file: ENOTEMPTY'])
  assert.ok(existsSync(`${back}/file/full`), 'nobody asked for it to go')
  assert.equal(readFileSync(`${back}/x/y/file`, 'utf8'), 'x')
})

test('follows a directory that became a file and back', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(`${source}/a`, { recursive: true })
  writeFileSync(`${source}/b`, 'x')
  symlinkSync('b', `${source}/c`)
  await fixture.import(source, 'copy')
  await fixture.export('copy', back)
  rmSync(`${source}/a`, { recursive: true })
  rmSync(`${source}/b`)
  rmSync(`${source}/c`)
  writeFileSync(`${source}/a`, randomBytes(20_000))
  mkdirSync(`${source}/b`)
  writeFileSync(`${source}/b/inside`, 'x')
  mkdirSync(`${source}/c`)
  await fixture.import(source, 'copy')
  assert.deepEqual((await fixture.export('copy', back)).failed, [])
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('takes no set-user-id, set-group-id or sticky bits from a volume', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(`${source}/d`, { recursive: true })
  writeFileSync(`${source}/small`, 'x')
  writeFileSync(`${source}/large`, randomBytes(600_000))
  for (const name of ['d', 'small', 'large']) chmodSync(`${source}/${name}`, 0o7755)
  await fixture.import(source, 'copy')
  await fixture.export('copy', back)
  for (const name of ['d', 'small', 'large']) {
    assert.equal(lstatSync(`${back}/${name}`).mode & 0o7777, 0o755)
  }
})

test('exports a single file or link, or fails', async () => {
  await using fixture = await createTransferFixture()
  const { directory } = fixture
  for (const [name, size] of [
    ['small', 10],
    ['large', 1_000_000]
  ] as const) {
    writeFileSync(directory.join(name), randomBytes(size))
    await fixture.import(directory.join(name), name)
    const to = directory.join('deep', 'er', name)
    const report = await fixture.export(name, to)
    assert.deepEqual(countsOf(report), { ...nothing, files: 1, bytes: size })
    assert.deepEqual(describeFolder(to), describeFolder(directory.join(name)))
    assert.equal((await fixture.export(name, to)).skipped, 1)
    mkdirSync(directory.join(`${name}-taken`, 'full'), { recursive: true })
    await assert.rejects(fixture.export(name, directory.join(`${name}-taken`)), {
      code: 'ENOTEMPTY'
    })
  }
  await assert.rejects(fixture.export('nothing', directory.join('x')), { code: 'ENOENT' })
  mkdirSync(directory.join('folder'))
  await fixture.import(directory.join('folder'), 'folder')
  await assert.rejects(fixture.export('folder', directory.join('small')), { code: 'EEXIST' })
})

test('leaves the mode of a directory that is there alone', async () => {
  await using fixture = await createTransferFixture()
  const { directory, volume } = fixture
  mkdirSync(directory.join('source'))
  writeFileSync(directory.join('source/file'), 'x')
  await fixture.import(directory.join('source'), 'copy')
  mkdirSync(directory.join('home'), { mode: 0o700 })
  await exportToHost({}, { volume, directory: ROOT, name: undefined }, directory.join('home'), {})
  assert.equal(statSync(directory.join('home')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(directory.join('home/copy')), ['file'])
})

test('tells how far it has come, up to the end', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(source)
  for (let index = 0; index < 1_000; index++) {
    writeFileSync(`${source}/f${index}`, randomBytes(2_000))
  }
  writeFileSync(`${source}/large`, randomBytes(20_000_000))
  await fixture.import(source, 'copy')
  for (let run = 0; run < 2; run++) {
    const told: TransferProgress[] = []
    await fixture.export('copy', back, { onProgress: progress => told.push(progress) })
    checkProgress(told, { files: 1_001, bytes: 22_000_000 })
  }
})

test('can be stopped at any time, leaves nothing open and goes on where it was', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(`${source}/d`, { recursive: true })
  for (let index = 0; index < 1_500; index++) {
    writeFileSync(`${source}/d/f${index}`, randomBytes(1_000))
  }
  for (let index = 0; index < 4; index++) {
    writeFileSync(`${source}/large${index}`, randomBytes(4_000_000))
  }
  await fixture.import(source, 'copy')
  let stopped = 0
  for (const delayMs of [0, 2, 5, 10, 20, 40, 80]) {
    try {
      await fixture.export('copy', back, { signal: AbortSignal.timeout(delayMs) })
    } catch (error) {
      assert.equal((error as Error).name, 'TimeoutError')
      stopped++
    }
    assert.deepEqual(openFiles(back), [])
  }
  assert.ok(stopped > 0)
  await fixture.export('copy', back)
  assert.deepEqual(describeFolder(back), describeFolder(source))
})

test('stops when a block cannot be had, and loses nothing that was written', async () => {
  const store = createMemoryBlockStore()
  await using fixture = await createTransferFixture({}, {}, { store })
  const source = fixture.directory.join('source')
  const back = fixture.directory.join('back')
  mkdirSync(source)
  writeFileSync(`${source}/a small`, 'x')
  writeFileSync(`${source}/large`, randomBytes(3_000_000))
  await fixture.import(source, 'copy')
  const snapshot = await fixture.volume.snapshot()
  const content = await snapshot.content((await inodeAt(fixture.volume, 'copy/large'))!)
  const blocks = []
  if ('extents' in content) {
    for await (const extents of content.extents) blocks.push(...extents.map(({ block }) => block))
  }
  await store.deleteMany([blocks.at(-3)!])
  await assert.rejects(fixture.export('copy', back), { code: 'EHOSTUNREACH' })
  assert.equal(readFileSync(`${back}/a small`, 'utf8'), 'x')
  assert.deepEqual(openFiles(back), [])
  renameSync(`${source}/large`, fixture.directory.join('large'))
  await fixture.import(fixture.directory.join('large'), 'again')
  await fixture.export('copy', back)
})

testUnless(await reasonNotToMount(), test)(
  'throws when the host is full, with what was written intact',
  async () => {
    await using fixture = await createTransferFixture()
    const source = fixture.directory.join('source')
    const back = fixture.directory.join('back')
    mkdirSync(source)
    for (let index = 0; index < 300; index++)
      writeFileSync(`${source}/a${index}`, randomBytes(5_000))
    writeFileSync(`${source}/large`, randomBytes(3_000_000))
    await fixture.import(source, 'copy')
    for (const size of ['500k', '3m']) {
      mkdirSync(back)
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', back])
      try {
        await assert.rejects(fixture.export('copy', back), { code: 'ENOSPC' })
        const written = readdirSync(back).filter(name => name.startsWith('a'))
        assert.ok(written.length > 50)
        for (const name of written) {
          assert.deepEqual(readFileSync(`${back}/${name}`), readFileSync(`${source}/${name}`))
        }
        assert.deepEqual(openFiles(back), [])
      } finally {
        execFileSync('umount', [back])
        rmSync(back, { recursive: true })
      }
    }
  }
)

test.run()

async function reasonNotToMount(): Promise<string | undefined> {
  await using directory = await createTemporaryDirectory('mount')
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'none', directory.path], { stdio: 'ignore' })
    execFileSync('umount', [directory.path])
    return undefined
  } catch {
    return 'a small file system cannot be mounted here'
  }
}
