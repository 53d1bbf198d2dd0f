import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { FAILURES_MAX, TransferLog } from '../../../src/namespace/host/transfer-log.ts'
import type { TransferProgress } from '../../../src/namespace/transfer.ts'

const test = suite('transfer log')

test('keeps so many failures and no more', () => {
  const log = new TransferLog({})
  for (let index = 0; index <= FAILURES_MAX; index++) log.fail(`f${index}`, new Error('no'))
  assert.equal(log.report().failed.length, FAILURES_MAX)
})

test('tells ten times a second at most, and once at the end', () => {
  const told: TransferProgress[] = []
  const log = new TransferLog({ onProgress: progress => told.push(progress) })
  const end = performance.now() + 350
  let files = 0
  while (performance.now() < end) {
    log.passed('f', 1)
    log.file('f', 1)
    files++
  }
  log.report()
  assert.ok(told.length >= 4 && told.length <= 6, `${told.length} times`)
  assert.deepEqual(told.at(-1), {
    files,
    bytes: files,
    path: 'f',
    filesTotal: files,
    bytesTotal: files
  })
})

test.run()
