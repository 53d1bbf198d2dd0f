/** `writeFile` and `sync` with `durable`: what they wait for, and what they refuse. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../../src/errors.ts'
import { createFileSystem } from '../../../src/namespace/fs/index.ts'
import type { WaitForCopies } from '../../../src/namespace/fs/context.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import { systemClock } from '../../../src/peer/index.ts'
import { createFileSystemFixture, createMounts, readOnly } from '../../fixtures/file-system.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'

const test = suite('durable writes')

async function create(durable?: WaitForCopies) {
  const fixture = await createVolumeFixture()
  const { volume } = fixture
  const there = { volume, inode: ROOT_INODE }
  const mounts = createMounts(new Map([['/', there]]))
  const fs = createFileSystem({ mounts, clock: systemClock, ...(durable && { durable }) })
  return { fs, reopen: () => fixture.reopen() }
}

test('one copy is on this disk when it resolves', async () => {
  for (const flag of ['w', 'a', 'r+']) {
    const { fs, ...again } = await create()
    await fs.writeFile('/file', 'before', { flush: true })
    await fs.writeFile('/file', 'after!', { durable: 1, flag })
    const volume = await again.reopen()
    const snapshot = await volume.snapshot()
    const entry = await snapshot.lookup(ROOT_INODE, 'file')
    const content = await snapshot.content((await snapshot.inode(entry!.inode))!)
    assert.ok('inline' in content)
    const text = new TextDecoder().decode(content.inline)
    assert.equal(text, flag === 'a' ? 'beforeafter!' : 'after!')
  }
})

test('more copies are waited for by the path, with the signal', async () => {
  const asked: unknown[] = []
  const { fs } = await create(async (path, { copies, signal }) => {
    asked.push([path, copies, signal?.aborted])
    assert.equal(await fs.readFile('/file', 'utf8'), 'text')
  })
  await fs.writeFile('/file', 'text', { durable: 3, signal: AbortSignal.timeout(10_000) })
  await fs.writeFile('/file', 'text', { durable: 0 })
  await fs.writeFile('/file', 'text')
  assert.deepEqual(asked, [['/file', 3, false]])
})

test('what was written stays written when there are not enough copies', async () => {
  const { fs } = await create(async () => {
    throw new WarrenError('ETIMEDOUT')
  })
  await assert.rejects(fs.writeFile('/file', 'text', { durable: 2 }), {
    code: 'ETIMEDOUT',
    syscall: 'fsync',
    path: '/file'
  })
  assert.equal(await fs.readFile('/file', 'utf8'), 'text')
})

test('numbers that cannot be are refused before anything is written', async () => {
  const { fs } = await create()
  for (const durable of [-1, 1.5, Number.NaN, Infinity]) {
    await assert.rejects(fs.writeFile('/file', 'text', { durable }), { code: 'EINVAL' })
  }
  assert.equal(await fs.exists('/file'), false)
  // Where nobody else keeps anything, there is one copy.
  await assert.rejects(fs.writeFile('/file', 'text', { durable: 2 }), { code: 'EINVAL' })
  const handle = await fs.open('/file', 'w')
  await assert.rejects(fs.writeFile(handle, 'text', { durable: 2 }), { code: 'EINVAL' })
  await fs.writeFile(handle, 'text', { durable: 1 })
  await handle.close()
})

test('a handle waits for copies of what is at its path', async () => {
  const asked: unknown[] = []
  const { fs } = await create(async (path, { copies }) => {
    asked.push([path, copies, await fs.readFile(path, 'utf8')])
  })
  const handle = await fs.open('/file', 'w')
  await handle.write('text')
  await handle.sync({ durable: 3, signal: AbortSignal.timeout(10_000) })
  await handle.datasync({ durable: 2 })
  await fs.writeFile(handle, ' more', { durable: 2 })
  await handle.sync({ durable: 1 })
  await handle.sync()
  assert.deepEqual(asked, [
    ['/file', 3, 'text'],
    ['/file', 2, 'text'],
    ['/file', 2, 'text more']
  ])
  await assert.rejects(handle.sync({ durable: -1 }), { code: 'EINVAL', syscall: 'fsync' })
  await handle.close()
})

test('a handle whose file is not at its path any more says so, and never waits for another', async () => {
  let replaced = false
  const { fs } = await create(async () => {
    if (replaced) await fs.rename('/other', '/file')
  })
  await fs.writeFile('/other', 'other')
  const handle = await fs.open('/file', 'w')
  await fs.rename('/file', '/moved')
  await assert.rejects(handle.sync({ durable: 2 }), { code: 'ESTALE', syscall: 'fsync' })
  await handle.sync()
  await fs.rename('/moved', '/file')
  await handle.sync({ durable: 2 })
  replaced = true
  await assert.rejects(handle.sync({ durable: 2 }), { code: 'ESTALE' })
  await handle.close()
  await assert.rejects(handle.sync({ durable: 2 }), { code: 'EBADF' })
})

test('of a volume that is somebody else’s nothing is written', async () => {
  const other = await createVolumeFixture()
  await using fixture = await createFileSystemFixture({
    mounts: { '/other': readOnly(other.volume) }
  })
  await assert.rejects(fixture.fs.writeFile('/other/file', 'text', { durable: 2 }), {
    code: 'EROFS'
  })
})

test.run()
