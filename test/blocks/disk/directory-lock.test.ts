import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { lockDirectory } from '../../../src/blocks/disk/directory-lock.ts'
import { spawnPeer } from '../../fixtures/child-process.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const locker = new URL('./children/locker.ts', import.meta.url)
const test = suite('directory lock')

test('makes the directory and refuses a second opener of the same process', async () => {
  await using directory = await createTemporaryDirectory('lock')
  const path = directory.join('made', 'here')
  const lock = await lockDirectory(path)
  await assert.rejects(lockDirectory(path), { code: 'EBUSY', message: RegExp(`${process.pid}`) })
  await assert.rejects(lockDirectory(path), { code: 'EBUSY' })
  await lock.release()
  await lock.release()
  const again = await lockDirectory(path)
  await assert.rejects(lockDirectory(path), { code: 'EBUSY' })
  await again.release()
  assert.deepEqual(await readdir(path), ['LOCK'])
})

test('keeps another process out, and names it', async () => {
  await using directory = await createTemporaryDirectory('lock')
  await using child = await spawnPeer(locker)
  await child.call('lock', directory.path)
  await assert.rejects(lockDirectory(directory.path), {
    code: 'EBUSY',
    message: RegExp(`in use by process ${child.pid}`)
  })
  await child.call('release')
  const lock = await lockDirectory(directory.path)
  await assert.rejects(child.call('lock', directory.path), { code: 'EBUSY' })
  await lock.release()
})

test('ends with a process that is killed', async () => {
  await using directory = await createTemporaryDirectory('lock')
  await using child = await spawnPeer(locker)
  await child.call('lock', directory.path)
  await child.kill('SIGKILL')
  const lock = await lockDirectory(directory.path)
  await lock.release()
})

test('lets exactly one of many through', async () => {
  await using directory = await createTemporaryDirectory('lock')
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, () => lockDirectory(directory.path))
  )
  const locks = outcomes.filter(outcome => outcome.status === 'fulfilled')
  assert.equal(locks.length, 1)
  await locks[0]!.value.release()
})

test('says so when the directory cannot be made', async () => {
  await using directory = await createTemporaryDirectory('lock')
  await writeFile(directory.join('file'), 'no directory')
  await assert.rejects(lockDirectory(directory.join('file', 'below')), {
    name: 'WarrenError',
    code: 'ENOTDIR'
  })
})

test.run()
