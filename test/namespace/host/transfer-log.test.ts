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
  let nowMs = 0
  const log = new TransferLog({ onProgress: progress => told.push(progress) }, () => nowMs)
  for (; nowMs < 350; nowMs++) {
    log.passed('f', 1)
    log.file('f', 1)
  }
  assert.deepEqual(
    told.map(({ bytes }) => bytes),
    [1, 101, 201, 301]
  )
  log.report()
  const last = { files: 350, bytes: 350, path: 'f', filesTotal: 350, bytesTotal: 350 }
  assert.deepEqual(told.slice(4), [last])
})

test.run()
