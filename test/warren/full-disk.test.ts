/** A real disk that is full harms nothing: writes fail, reads go on, and what is removed makes room. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createSmallDisk, findSmallDiskObstacle } from '../fixtures/small-disk.ts'
import type { SmallDisk } from '../fixtures/small-disk.ts'
import { testUnless } from '../fixtures/test-unless.ts'
import { eventually } from './fixtures.ts'
import type { WarrenOptions } from '../../src/index.ts'

const MIB = 2 ** 20
const LARGE = 2 * MIB
const SMALL = 3_000
const CHILD = new URL('./children/filling-peer.ts', import.meta.url)

const test = suite('a full disk')
const testOnDisk = testUnless(await findSmallDiskObstacle(), test)

interface Filled {
  readonly files: number
  readonly code: string
  readonly at: 'write' | 'sync'
}

interface Checked {
  readonly files: number
  readonly wrong: readonly string[]
}

function startOn(disk: SmallDisk, options: WarrenOptions = {}): Promise<PeerProcess> {
  const directory = `${disk.path}/alice`
  return spawnPeer(CHILD, [JSON.stringify({ directory, retentionMs: 0, ...options })], disk)
}

async function checkAll(
  alice: PeerProcess,
  files: Readonly<Record<string, number>>
): Promise<void> {
  for (const [path, count] of Object.entries(files)) {
    const bytes = path === '/large' ? LARGE : SMALL
    const checked = await alice.call<Checked>('check', path, bytes)
    assert.deepEqual(checked, { files: count, wrong: [] }, path)
  }
}

testOnDisk('what was synced survives, and what is removed makes room again', async () => {
  await using disk = await createSmallDisk(48)
  let alice = await startOn(disk)
  const large = await alice.call<Filled>('fill', '/large', LARGE, { sync: false })
  assert.deepEqual({ ...large, files: 0 }, { files: 0, code: 'ENOSPC', at: 'write' })
  assert.ok(large.files >= 20, `${large.files} files of 2 MiB on 48 MiB`)
  await checkAll(alice, { '/large': large.files })
  assert.equal(await alice.call('attempt', 'sync'), undefined)
  const small = await alice.call<Filled>('fill', '/small', SMALL, { sync: true })
  assert.equal(small.code, 'ENOSPC')
  const files = { '/large': large.files, '/small': small.files }
  await checkAll(alice, files)
  await alice.kill()

  alice = await startOn(disk)
  await checkAll(alice, files)
  assert.equal(await alice.call('attempt', 'collect'), undefined)
  await checkAll(alice, files)
  const removed = await alice.call<number>('removeEveryOther', '/large')
  assert.equal(
    await alice.call('attempt', 'sync'),
    undefined,
    'there is room left to remove something'
  )
  assert.equal(await alice.call('attempt', 'collect'), undefined)
  const free = await disk.freeBytes()
  assert.ok(free > (removed - 2) * LARGE, `${free} bytes free, ${removed} files removed`)
  await alice.call('write', '/more', 8 * MIB)
  assert.equal(await alice.call('attempt', 'sync'), undefined)
  await alice.kill()

  alice = await startOn(disk)
  await checkAll(alice, { '/large': large.files - removed, '/small': small.files })
  await alice.stop()
})

testOnDisk(
  'room that a removal has made is found by itself, soon after a write was refused',
  async () => {
    await using disk = await createSmallDisk(48)
    await using alice = await startOn(disk)
    const { files } = await alice.call<Filled>('fill', '/large', LARGE, { sync: true })
    const removed = await alice.call<number>('removeEveryOther', '/large')
    assert.equal(await alice.call('attempt', 'sync'), undefined)
    await eventually(() => alice.call('write', '/more', 8 * MIB))
    await checkAll(alice, { '/large': files - removed })
  }
)

testOnDisk('a disk that others have filled to the last byte keeps what it has', async () => {
  await using disk = await createSmallDisk(48)
  let alice = await startOn(disk, { collectEveryMs: 0 })
  for (const path of ['/one', '/two']) await alice.call('write', path, SMALL)
  assert.equal(await alice.call('attempt', 'share', '/one'), undefined)
  await alice.call('write', '/going', 8 * MIB)
  assert.equal(await alice.call('attempt', 'sync'), undefined)
  await disk.run('head --bytes=100M /dev/zero > filler || true')
  assert.equal(await disk.freeBytes(), 0)
  assert.equal(await alice.call('attempt', 'share', '/two'), 'ENOSPC')
  await alice.kill()

  alice = await startOn(disk, { collectEveryMs: 0 })
  assert.deepEqual(await alice.call('shares'), ['/one'], 'the old list is whole')
  await alice.call('remove', '/going')
  assert.equal(await alice.call('attempt', 'sync'), undefined)
  assert.equal(await alice.call('attempt', 'collect'), undefined)
  assert.ok((await disk.freeBytes()) > 7 * MIB, `${await disk.freeBytes()} bytes free`)
  await alice.call('write', '/new', 2 * MIB)
  assert.equal(await alice.call('attempt', 'share', '/two'), undefined)
  await alice.stop()
  alice = await startOn(disk)
  assert.deepEqual(await alice.call('shares'), ['/one', '/two'])
  await alice.stop()
})

test.run()
