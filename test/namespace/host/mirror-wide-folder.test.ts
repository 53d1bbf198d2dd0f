import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mirrorFromHost } from '../../../src/namespace/host/index.ts'
import type { TransferReport } from '../../../src/namespace/transfer.ts'
import {
  ROOT,
  createTransferFixture,
  describeFolder,
  describeVolume,
  inodeAt
} from './host-fixtures.ts'

const DIRECTORIES = 50
const FILES_EACH = 100

const test = suite('mirror of a wide folder')

// What a round costs is told by what it looked at: written, removed, and left as it was.
test('a change costs a look at its directory, however many files there are', async () => {
  await using fixture = await createTransferFixture()
  const source = fixture.directory.join('source')
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    mkdirSync(`${source}/d${directory}`, { recursive: true })
    for (let file = 0; file < FILES_EACH; file++) {
      writeFileSync(`${source}/d${directory}/f${file}`, `${directory} ${file}`)
    }
  }
  const stop = new AbortController()
  const place = { volume: fixture.volume, directory: ROOT, name: 'mirror' }
  const reports = mirrorFromHost({}, source, place, {
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)])
  })
  const next = async (): Promise<TransferReport> => {
    const { value, done } = await reports.next()
    assert.ok(done !== true, 'nothing was told in time')
    assert.deepEqual(value.failed, [])
    return value
  }
  /** Adds up rounds until the volume has what was done, as its events may come apart. */
  const until = async (isThere: () => Promise<boolean>): Promise<number> => {
    let looks = 0
    do {
      const { files, removed, skipped } = await next()
      looks += files + removed + skipped
    } while (!(await isThere()))
    return looks
  }
  const has = async (path: string): Promise<boolean> =>
    (await inodeAt(fixture.volume, `mirror/${path}`)) !== undefined
  const sizeOf = async (path: string): Promise<number | undefined> =>
    (await inodeAt(fixture.volume, `mirror/${path}`))?.size

  assert.equal((await next()).files, DIRECTORIES * FILES_EACH)
  // Events of one change may come in several rounds, each of which looks at the directory again.
  const few = 4 * FILES_EACH

  writeFileSync(`${source}/d3/f5`, 'changed by more')
  assert.ok((await until(async () => (await sizeOf('d3/f5')) === 15)) <= few)

  writeFileSync(`${source}/d4/new`, 'new')
  assert.ok((await until(async () => (await sizeOf('d4/new')) === 3)) <= few)

  rmSync(`${source}/d5/f1`)
  assert.ok((await until(async () => !(await has('d5/f1')))) <= few)

  renameSync(`${source}/d6`, `${source}/renamed`)
  const moved = async (): Promise<boolean> => (await has('renamed/f99')) && !(await has('d6'))
  assert.ok((await until(moved)) <= 2 * few)

  // What was renamed goes on being watched, under its new name.
  writeFileSync(`${source}/renamed/f7`, 'changed in its new place')
  assert.ok((await until(async () => (await sizeOf('renamed/f7')) === 24)) <= few)

  assert.deepEqual(await describeVolume(fixture.volume, 'mirror'), describeFolder(source))
  stop.abort()
  assert.equal((await reports.next()).done, true)
})

test.run()
