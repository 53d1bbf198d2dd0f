import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync
} from 'node:fs'
import { mirrorFromHost } from '../../../src/namespace/host/index.ts'
import type { MirrorComponents } from '../../../src/namespace/host/mirror-from-host.ts'
import type { MirrorOptions, TransferReport } from '../../../src/namespace/transfer.ts'
import { eventually } from '../../fixtures/eventually.ts'
import type { TransferFixture } from './host-fixtures.ts'
import {
  createTransferFixture,
  describeFolder,
  describeVolume,
  inodeAt,
  ROOT,
  codeOf
} from './host-fixtures.ts'

const test = suite('mirror from host')

/** How long a change may take to be seen on a busy machine. */
const SEEN_MS = 40_000

test('takes in what is made, changed, renamed and removed', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/a/b`, { recursive: true })
  writeFileSync(`${source}/a/one`, '1')
  await using mirror = startMirror(fixture, source)
  await mirror.isEqual()

  writeFileSync(`${source}/a/two`, '2')
  await mirror.isEqual()
  appendFileSync(`${source}/a/one`, 'more')
  await mirror.isEqual()
  mkdirSync(`${source}/a/b/c/d`, { recursive: true })
  writeFileSync(`${source}/a/b/c/d/deep`, 'deep')
  await mirror.isEqual()
  appendFileSync(`${source}/a/b/c/d/deep`, 'er')
  await mirror.isEqual()
  renameSync(`${source}/a/b`, `${source}/moved`)
  await mirror.isEqual()
  writeFileSync(`${source}/moved/c/d/deep`, 'after the move')
  await mirror.isEqual()
  rmSync(`${source}/moved`, { recursive: true })
  await mirror.isEqual()
  symlinkSync('a/one', `${source}/link`)
  chmodSync(`${source}/a`, 0o750)
  await mirror.isEqual()
})

test('takes in a directory that is replaced by a file and back, and by another', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/x`, { recursive: true })
  writeFileSync(`${source}/x/inside`, '1')
  await using mirror = startMirror(fixture, source)
  await mirror.isEqual()
  rmSync(`${source}/x`, { recursive: true })
  writeFileSync(`${source}/x`, 'a file')
  await mirror.isEqual()
  rmSync(`${source}/x`)
  mkdirSync(`${source}/x`)
  writeFileSync(`${source}/x/again`, '2')
  await mirror.isEqual()
  // The very same name, and often the very same inode number, within one round.
  rmSync(`${source}/x`, { recursive: true })
  mkdirSync(`${source}/x/y`, { recursive: true })
  writeFileSync(`${source}/x/y/z`, '3')
  await mirror.isEqual()
  writeFileSync(`${source}/x/y/z`, 'four')
  await mirror.isEqual()
  mkdirSync(`${source}/other/y`, { recursive: true })
  writeFileSync(`${source}/other/y/z`, 'another')
  await mirror.isEqual()
  renameSync(`${source}/x`, `${source}/old`)
  renameSync(`${source}/other`, `${source}/x`)
  await mirror.isEqual()
  writeFileSync(`${source}/x/y/z`, 'in the new one')
  writeFileSync(`${source}/old/y/z`, 'in the old one')
  await mirror.isEqual()
})

test('looks at changed directories only', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  for (let index = 0; index < 20; index++) {
    mkdirSync(`${source}/d${index}`, { recursive: true })
    for (let file = 0; file < 20; file++) writeFileSync(`${source}/d${index}/f${file}`, '1')
  }
  await using mirror = startMirror(fixture, source)
  await mirror.isEqual()
  writeFileSync(`${source}/d7/f3`, 'changed')
  await mirror.isEqual()
  const later = await mirror.laterReports()
  // The file is emptied and then written: where that takes long, those are two changes.
  for (const { files, skipped } of later) assert.deepEqual([files, skipped], [1, 19])
  assert.equal(later.at(-1)!.bytes, 7)
})

test('sees a change that left size and time as they were', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  writeFileSync(`${source}/file`, 'one')
  const time = new Date()
  utimesSync(`${source}/file`, time, time)
  await using mirror = startMirror(fixture, source)
  await mirror.isEqual()
  writeFileSync(`${source}/file`, 'two')
  utimesSync(`${source}/file`, time, time)
  await mirror.isEqual()
})

test('reports now and then under constant change', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  writeFileSync(`${source}/log`, '')
  await using mirror = startMirror(fixture, source)
  await mirror.isEqual()
  const before = mirror.reports.length
  const began = performance.now()
  await eventually(async () => {
    appendFileSync(`${source}/log`, 'line\n')
    await sleep(20)
    assert.ok(mirror.reports.length > before && performance.now() > began + 2_000)
  })
  // Where the writing pauses, a change is at rest after a tenth of a second.
  const tenths = (performance.now() - began) / 100
  const during = mirror.reports.length - before
  assert.ok(during <= tenths, `${during} reports in ${tenths / 10} s`)
  await mirror.isEqual()
})

test('compares everything when more happened than the host can tell', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  for (let index = 0; index < 10; index++) mkdirSync(`${source}/d${index}`, { recursive: true })
  await using mirror = startMirror(fixture, source)
  await mirror.isEqual()
  // Without a turn of the event loop these fill the queue of the host, and what follows is lost.
  for (let index = 0; index < 20_000; index++) {
    writeFileSync(`${source}/d${index % 2}/f${index % 4}`, String(index))
  }
  for (let index = 0; index < 10; index++) writeFileSync(`${source}/d${index}/late`, 'late')
  await mirror.isEqual()
})

test('compares from time to time where directories cannot be watched, and says so', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(`${source}/a/b`, { recursive: true })
  let watchers = 0
  const failing: MirrorComponents = {
    watch: (path, listener) => {
      if (watchers++ === 1) {
        throw Object.assign(new Error('no watchers left'), { code: 'ENOSPC', syscall: 'watch' })
      }
      return watch(path, { persistent: false }, listener)
    }
  }
  await using mirror = startMirror(fixture, source, {}, failing)
  await mirror.isEqual()
  assert.deepEqual(
    mirror.reports[0]!.failed.map(({ path, error }) => [path, codeOf(error)]),
    [['', 'ENOSPC']]
  )
  writeFileSync(`${source}/a/b/file`, 'polled')
  await mirror.isEqual()
  for (const { failed } of await mirror.laterReports()) {
    assert.equal(failed.length, 0, 'it is said once')
  }
})

test('finds in a full walk what no event told', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const deaf: MirrorComponents = {
    watch: path => watch(path, { persistent: false }, () => {})
  }
  await using mirror = startMirror(fixture, source, { fullWalkMs: 200 }, deaf)
  await mirror.isEqual()
  writeFileSync(`${source}/silent`, 'x')
  await mirror.isEqual()
})

test('ends without an error when it is aborted, also during the first import', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  for (let index = 0; index < 2_000; index++) writeFileSync(`${source}/f${index}`, String(index))
  const place = { volume: fixture.volume, directory: ROOT, name: 'mirror' }
  const controller = new AbortController()
  const reports: TransferReport[] = []
  setTimeout(() => controller.abort(), 10)
  for await (const report of mirrorFromHost({}, source, place, { signal: controller.signal })) {
    reports.push(report)
  }
  assert.ok(reports.length <= 1)
  for await (const report of mirrorFromHost({}, source, place, { signal: AbortSignal.abort() })) {
    assert.fail(`a report after the end: ${report.files} files`)
  }
})

test('lets go of everything when its reader leaves', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  const place = { volume: fixture.volume, directory: ROOT, name: 'mirror' }
  let open = 0
  const counted: MirrorComponents = {
    watch: (path, listener) => {
      const watcher = watch(path, { persistent: false }, listener)
      open++
      watcher.once('close', () => open--)
      return watcher
    }
  }
  for await (const report of mirrorFromHost(counted, source, place, {})) {
    assert.equal(report.failed.length, 0)
    assert.equal(open, 1)
    break
  }
  await eventually(() => assert.equal(open, 0))
})

test('fails when the folder itself goes away, and keeps what the volume has', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  mkdirSync(source)
  writeFileSync(`${source}/kept`, 'x')
  const place = { volume: fixture.volume, directory: ROOT, name: 'mirror' }
  const reading = mirrorFromHost({}, source, place, { signal: AbortSignal.timeout(SEEN_MS) })
  await reading.next()
  rmSync(source, { recursive: true })
  await assert.rejects(
    async () => {
      for (;;) {
        const { done } = await reading.next()
        if (done === true) break
      }
    },
    { code: 'ENOENT' }
  )
  assert.notEqual(await inodeAt(fixture.volume, 'mirror/kept'), undefined)
})

test.run()

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

interface RunningMirror extends AsyncDisposable {
  readonly reports: TransferReport[]
  /** Resolves when the volume is as the folder; rejects when that takes too long. */
  isEqual(): Promise<void>
  /** Waits for a report after the first, which may come a moment after the change; all but the first. */
  laterReports(): Promise<readonly TransferReport[]>
}

function startMirror(
  { volume }: TransferFixture,
  source: string,
  options: MirrorOptions = {},
  components: MirrorComponents = {}
): RunningMirror {
  const controller = new AbortController()
  const reports: TransferReport[] = []
  const place = { volume, directory: ROOT, name: 'mirror' }
  const { signal } = controller
  const running = (async () => {
    for await (const report of mirrorFromHost(components, source, place, { ...options, signal })) {
      reports.push(report)
    }
  })()
  let failure: unknown
  running.catch(error => (failure = error))
  return {
    reports,
    isEqual: async () => {
      const end = performance.now() + SEEN_MS
      for (;;) {
        if (failure !== undefined) throw failure
        const expected = describeFolder(source)
        const actual = reports.length === 0 ? [] : await describeVolume(volume, 'mirror')
        if (JSON.stringify(actual) === JSON.stringify(expected)) return
        if (performance.now() > end) assert.deepEqual(actual, expected)
        await sleep(30)
      }
    },
    laterReports: () =>
      eventually(() => {
        assert.ok(reports.length > 1)
        return reports.slice(1)
      }),
    [Symbol.asyncDispose]: async () => {
      controller.abort()
      await running
    }
  }
}
