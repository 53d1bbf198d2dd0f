/** Damage of the own volume. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { codecOf, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import {
  LOST_RETRY_MS,
  LOST_RETRY_SOON_MS,
  OwnRepair
} from '../../../src/replication/upkeep/own-repair.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import { blockFor } from '../fixtures.ts'

const test = suite('repair of the own volume')

const BLOCK = 4096

function fill(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at >>> 8) * 7 + at * 3 + seed * (at >>> 12))
}

test('what is of the volume comes back, what nobody has is told and asked for again', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.writeFile('/file', fill(50 * BLOCK, 1))
  await fs.sync()
  const ids: BlockId[] = []
  for await (const id of root.store.ids()) if (codecOf(id) === 'raw') ids.push(id)
  const [one, other] = ids as [BlockId, BlockId]
  const elsewhere = createMemoryBlockStore()
  await elsewhere.putMany([{ id: one, bytes: (await root.store.get(one))! }])
  const here = createMemoryBlockStore()
  const clock = createManualClock()
  const told: unknown[] = []
  const asked: BlockId[] = []
  const repair = new OwnRepair({
    own: root.volume,
    clock,
    store: here,
    reader: {
      async get(id) {
        asked.push(id)
        const bytes = await elsewhere.get(id)
        if (bytes === undefined) throw new WarrenError('EHOSTUNREACH')
        return bytes
      },
      flush: async () => {}
    },
    on: {
      damaged: blocks => told.push(['damaged', blocks]),
      repaired: detail => told.push(['repaired', detail]),
      lost: lost => told.push(['lost', lost])
    }
  })
  repair.damaged([one, blockFor(1)])
  repair.damaged([other])
  await clock.advance(1_000)
  await eventually(() => assert.equal(told.length, 3))
  assert.deepEqual(told.splice(0), [
    ['damaged', 2],
    ['repaired', { blocks: 1, bytes: BLOCK }],
    ['lost', [other]]
  ])
  assert.deepEqual(asked.splice(0).sort(), [one, other].sort())
  assert.equal(repair.lacks(other), true)
  assert.equal(repair.lacks(one), false)
  await clock.advance(LOST_RETRY_MS)
  await settled()
  assert.deepEqual(told, [])
  assert.deepEqual(asked.splice(0), [other])
  const signal = AbortSignal.timeout(10_000)
  await repair.lookAgain({ signal })
  assert.equal(repair.lacks(other), true)
  await here.putMany([{ id: other, bytes: (await root.store.get(other))! }])
  await repair.lookAgain({ signal })
  assert.equal(repair.lacks(other), false)
  repair.damaged([other])
  await clock.advance(1_000)
  await eventually(() => assert.equal(told.length, 2))
  assert.deepEqual(told.splice(0), [
    ['damaged', 1],
    ['lost', [other]]
  ])
  assert.deepEqual(asked.splice(0), [other])
  await elsewhere.putMany([{ id: other, bytes: (await root.store.get(other))! }])
  await clock.advance(LOST_RETRY_MS)
  await eventually(() => assert.equal(told.length, 1))
  assert.deepEqual(told.splice(0), [['repaired', { blocks: 1, bytes: BLOCK }]])
  assert.equal(repair.lacks(other), false)
  await clock.advance(10 * LOST_RETRY_MS)
  await settled()
  assert.equal(asked.length, 1)
  repair.retry()
  repair.damaged([other])
  await elsewhere.deleteMany([other])
  await clock.advance(1_000)
  await settled()
  assert.equal(repair.lacks(other), true)
  assert.equal(asked.splice(0).length, 2)
  // Somebody is there again, and says so over and over.
  for (let count = 0; count < 10; count++) {
    await clock.advance(LOST_RETRY_SOON_MS / 10 - 1)
    await settled()
    repair.retry()
  }
  assert.deepEqual(asked, [])
  await clock.advance(LOST_RETRY_SOON_MS / 5)
  await settled()
  assert.deepEqual(asked, [other])
  await repair.stop()
})

test('what there is no room for is asked for again, and is lacking until it is on disk', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.writeFile('/file', fill(5 * BLOCK, 1))
  await fs.sync()
  const ids: BlockId[] = []
  for await (const id of root.store.ids()) if (codecOf(id) === 'raw') ids.push(id)
  const [id] = ids as [BlockId]
  const clock = createManualClock()
  const told: unknown[] = []
  let isFull = true
  let isLacking: boolean | undefined
  const repair: OwnRepair = new OwnRepair({
    own: root.volume,
    clock,
    store: {
      get: root.store.get.bind(root.store),
      async sync() {
        isLacking = repair.lacks(id)
      }
    },
    reader: {
      get: async () => fill(BLOCK, 1),
      async flush() {
        if (isFull) throw new WarrenError('ENOSPC')
      }
    },
    on: { damaged: () => {}, repaired: detail => told.push(detail), lost: lost => told.push(lost) }
  })
  repair.damaged([id])
  assert.equal(repair.lacks(id), true)
  await clock.advance(1_000)
  await settled()
  assert.deepEqual(told.splice(0), [[id]])
  assert.equal(repair.lacks(id), true)
  assert.equal(isLacking, undefined)
  isFull = false
  await clock.advance(LOST_RETRY_MS)
  await settled()
  assert.deepEqual(told, [{ blocks: 1, bytes: BLOCK }])
  assert.equal(isLacking, true)
  assert.equal(repair.lacks(id), false)
  await repair.stop()
})

function settled(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 20))
}

test.run()
