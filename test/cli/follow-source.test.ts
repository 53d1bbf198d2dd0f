import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { followSource } from '../../src/cli/follow-source.ts'
import { createWarren } from '../../src/index.ts'
import type { TransferReport, Warren } from '../../src/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'

const test = suite('follow source')

test('takes in a file, and each new one that is put in its place', async () => {
  await using place = await createTemporaryDirectory('follow')
  await using warren = await offline()
  const controller = new AbortController()
  const source = { hostPath: place.join('file'), path: '/file' }
  await writeFile(source.hostPath, 'one')
  const reports = followSource(warren, source, { signal: controller.signal })
  assert.equal((await next(reports)).files, 1)
  await writeFile(place.join('new'), 'second')
  await rename(place.join('new'), source.hostPath)
  assert.equal((await next(reports)).files, 1)
  assert.equal(await warren.fs.readFile('/file', 'utf8'), 'second')
  controller.abort()
  assert.equal((await reports.next()).done, true)
})

test('tells that a folder has gone, and takes it in again when it returns', async () => {
  await using place = await createTemporaryDirectory('follow')
  await using warren = await offline()
  const source = { hostPath: place.join('folder'), path: '/folder' }
  await mkdir(source.hostPath)
  await writeFile(place.join('folder/a'), 'a')
  const reports = followSource(warren, source, { signal: AbortSignal.timeout(30_000) })
  assert.equal((await next(reports)).files, 1)
  await rm(source.hostPath, { recursive: true })
  let report = await next(reports)
  while (report.failed.length === 0) report = await next(reports)
  await mkdir(source.hostPath)
  await writeFile(place.join('folder/b'), 'b')
  while (!(await warren.fs.exists('/folder/b'))) await next(reports)
  await reports.return(undefined)
})

test('throws when there is nothing to begin with', async () => {
  await using place = await createTemporaryDirectory('follow')
  await using warren = await offline()
  const source = { hostPath: place.join('nothing'), path: '/nothing' }
  const reports = followSource(warren, source, { signal: AbortSignal.timeout(5_000) })
  await assert.rejects(reports.next(), { code: 'ENOENT' })
})

async function offline(): Promise<Warren> {
  return await createWarren({ listen: [], discovery: false })
}

async function next(reports: AsyncGenerator<TransferReport>): Promise<TransferReport> {
  const result = await reports.next()
  if (result.done === true) assert.fail('the reports have ended')
  return result.value
}

test.run()
