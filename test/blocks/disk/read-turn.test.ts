import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DiskFile } from '../../../src/blocks/disk/index.ts'
import { READ_HERE_BYTES_MAX, ReadTurn } from '../../../src/blocks/disk/read-turn.ts'

const test = suite('read turn')

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
      const end = performance.now() + milliseconds
      while (performance.now() < end);
      return target.length
    }
  }
}

test('reads small blocks at once and leaves larger ones to the pool', () => {
  const turn = new ReadTurn()
  const quick = fileThatTakes(0)
  assert.equal(turn.readHere(quick, new Uint8Array(READ_HERE_BYTES_MAX), 0), READ_HERE_BYTES_MAX)
  assert.equal(turn.readHere(quick, new Uint8Array(READ_HERE_BYTES_MAX + 1), 0), undefined)
})

test('lets the event loop turn', async () => {
  const turn = new ReadTurn()
  const quick = fileThatTakes(0)
  let reads = 0
  while (turn.readHere(quick, new Uint8Array(1), 0) !== undefined) {
    assert.ok(++reads <= 1000, 'it never stops')
  }
  assert.ok(reads > 0)
  await readsAgain(turn)
})

test('leaves reading to the pool for a while after a slow read', async () => {
  const turn = new ReadTurn()
  assert.equal(turn.readHere(fileThatTakes(5), new Uint8Array(1), 0), 1)
  await nextTurn()
  assert.equal(turn.readHere(fileThatTakes(0), new Uint8Array(1), 0), undefined)
  await readsAgain(turn)
})

/** A busy machine can make any read look slow, and so the pause longer. */
async function readsAgain(turn: ReadTurn): Promise<void> {
  const begin = performance.now()
  do {
    await nextTurn()
    assert.ok(performance.now() - begin < 5000, 'it never tries again')
  } while (turn.readHere(fileThatTakes(0), new Uint8Array(1), 0) === undefined)
}

test.run()
