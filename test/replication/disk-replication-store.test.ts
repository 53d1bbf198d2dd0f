import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { rm, stat, writeFile } from 'node:fs/promises'
import { openDiskReplicationStore } from '../../src/replication/disk/index.ts'
import { DISTRUSTED_MAX } from '../../src/replication/replication-record.ts'
import { recordFor, testReplicationStore } from '../contracts/replication-store-contract.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'

let directory: TemporaryDirectory
testReplicationStore('disk', {
  create: async () => {
    directory = await createTemporaryDirectory('replication')
    return openDiskReplicationStore(directory.path)
  },
  reopen: async () => openDiskReplicationStore(directory.path),
  destroy: () => directory.remove()
})

const test = suite('disk replication store')

/** The file with one change, as text. */
function edited(change: (record: Record<string, unknown>) => void): string {
  const record: Record<string, unknown> = { format: 1, ...structuredClone(recordFor(5)) }
  change(record)
  return JSON.stringify(record)
}

const DAMAGED = [
  '',
  '{',
  'null',
  '[]',
  '{"format":1}',
  edited(record => (record.format = 2)),
  edited(record => (record.pledge = [])),
  edited(record => (record.pledge = { bytes: -1, zone: '', to: [] })),
  edited(record => (record.pledge = { bytes: 1.5, zone: '', to: [] })),
  edited(record => (record.pledge = { bytes: 1, zone: 'a\u0007', to: [] })),
  edited(record => (record.pledge = { bytes: 1, zone: 'z'.repeat(65), to: [] })),
  edited(record => (record.pledge = { bytes: 1, zone: '', to: ['nobody'] })),
  edited(record => (record.held = {})),
  edited(record => (record.held = [{}])),
  edited(({ held }) => ((held as Record<string, unknown>[])[0]!.volume = 'k51')),
  edited(({ held }) => ((held as Record<string, unknown>[])[0]!.leaving = 1)),
  edited(({ held }) => ((held as Record<string, unknown>[])[0]!.addresses = [1])),
  edited(({ held }) => ((held as Record<string, unknown>[])[0]!.holds = { sequence: 1 })),
  edited(record => (record.invitations = [{ token: 'short', untilMs: 1 }])),
  edited(record => (record.invitations = [{ token: 'a'.repeat(26), untilMs: '1' }])),
  edited(record => (record.distrusted = {})),
  edited(record => (record.distrusted = [null])),
  edited(({ distrusted }) => ((distrusted as Record<string, unknown>[])[0]!.volume = 'k51')),
  edited(({ distrusted }) => ((distrusted as Record<string, unknown>[])[0]!.holder = 'nobody')),
  edited(({ distrusted }) => ((distrusted as Record<string, unknown>[])[1]!.reason = 'envy')),
  edited(({ distrusted }) => delete (distrusted as Record<string, unknown>[])[1]!.reason),
  edited(({ distrusted }) => ((distrusted as Record<string, unknown>[])[1]!.sinceMs = -1)),
  edited(record => (record.distrusted = manyDistrusted(DISTRUSTED_MAX + 1)))
]

function manyDistrusted(count: number): unknown[] {
  return Array.from({ length: count }, () => recordFor(5).distrusted[0])
}

test('says which file is damaged', async () => {
  await using directory = await createTemporaryDirectory('replication')
  const path = directory.join('replication.json')
  for (const text of DAMAGED) {
    await writeFile(path, text)
    await assert.rejects(openDiskReplicationStore(directory.path).load(), { code: 'EIO', path })
  }
  const whole = edited(() => {})
  for (const part of [0.1, 0.5, 0.9]) {
    await writeFile(path, whole.slice(0, Math.floor(part * whole.length)))
    await assert.rejects(openDiskReplicationStore(directory.path).load(), { code: 'EIO', path })
  }
  await writeFile(path, whole)
  assert.deepEqual(await openDiskReplicationStore(directory.path).load(), recordFor(5))
})

test('remembers as many who are distrusted as it says, and nobody when none were written', async () => {
  await using directory = await createTemporaryDirectory('replication')
  const path = directory.join('replication.json')
  await writeFile(
    path,
    edited(record => (record.distrusted = manyDistrusted(DISTRUSTED_MAX)))
  )
  const { distrusted } = await openDiskReplicationStore(directory.path).load()
  assert.equal(distrusted.length, DISTRUSTED_MAX)
  await writeFile(
    path,
    edited(record => delete record.distrusted)
  )
  assert.deepEqual((await openDiskReplicationStore(directory.path).load()).distrusted, [])
})

test('is nobody else’s to read', async () => {
  await using directory = await createTemporaryDirectory('replication')
  await openDiskReplicationStore(directory.path).save(recordFor(1))
  assert.equal((await stat(directory.join('replication.json'))).mode & 0o777, 0o600)
})

test('says when it cannot save, and saves again when it can', async () => {
  await using directory = await createTemporaryDirectory('replication')
  const store = openDiskReplicationStore(directory.join('away'))
  await assert.rejects(store.save(recordFor(1)), { code: 'ENOENT' })
  await using again = await createTemporaryDirectory('replication')
  const other = openDiskReplicationStore(again.path)
  await other.save(recordFor(1))
  await rm(again.join('replication.json'))
  await other.save(recordFor(2))
  assert.deepEqual(await other.load(), recordFor(2))
})

test.run()
