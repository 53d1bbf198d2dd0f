import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DiskFile } from '../../../src/blocks/disk/index.ts'
import { READ_HERE_BYTES_MAX, ReadTurn } from '../../../src/blocks/disk/read-turn.ts'

const test = suite('read turn')

let nowMs = 0
const now = (): number => nowMs

function fileThatTakes(milliseconds: number): DiskFile {
  const unused = (): never => assert.fail('only reading here is tested')
  return {
    size: unused,
    read: unused,
    write: unused,
    truncate: unused,
    sync: unused,
    close: unused,
    readHere: target => {
      nowMs += milliseconds
      return target.length
    }
  }
}

test('reads small blocks at once and leaves larger ones to the pool', () => {
  const turn = new ReadTurn(now)
  const quick = fileThatTakes(0)
  assert.equal(turn.readHere(quick, new Uint8Array(READ_HERE_BYTES_MAX), 0), READ_HERE_BYTES_MAX)
  assert.equal(turn.readHere(quick, new Uint8Array(READ_HERE_BYTES_MAX + 1), 0), undefined)
})

test('lets the event loop turn', async () => {
  const turn = new ReadTurn(now)
  const quick = fileThatTakes(0)
  let reads = 0
  while (turn.readHere(quick, new Uint8Array(1), 0) !== undefined) {
    assert.ok(++reads <= 1000, 'it never stops')
  }
  assert.ok(reads > 0)
  await nextTurn()
  assert.equal(turn.readHere(quick, new Uint8Array(1), 0), 1)
})

test('leaves reading to the pool for a while after a slow read', async () => {
  const turn = new ReadTurn(now)
  const quick = fileThatTakes(0)
  assert.equal(turn.readHere(fileThatTakes(5), new Uint8Array(1), 0), 1)
  await nextTurn()
  assert.equal(turn.readHere(quick, new Uint8Array(1), 0), undefined)
  nowMs += 99
  assert.equal(turn.readHere(quick, new Uint8Array(1), 0), undefined)
  nowMs += 1
  assert.equal(turn.readHere(quick, new Uint8Array(1), 0), 1)
})

test.run()
