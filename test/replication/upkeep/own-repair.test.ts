/** Damage of the own volume, and random blocks of what others say they have. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { codecOf, createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { WarrenError } from '../../../src/errors.ts'
import { createPlacement } from '../../../src/replication/index.ts'
import { LOST_RETRY_MS, OwnRepair } from '../../../src/replication/upkeep/own-repair.ts'
import { samplePart } from '../../../src/replication/upkeep/sample-part.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import { blockFor, createListOwner, holderFor, peerFor } from '../fixtures.ts'
import { createRandom } from '../replicas-fixtures.ts'
import { reportFor } from '../owning/fixtures.ts'

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
  const clock = createManualClock()
  const told: unknown[] = []
  const asked: BlockId[] = []
  const repair = new OwnRepair({
    own: root.volume,
    clock,
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
  await settled()
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
  await elsewhere.putMany([{ id: other, bytes: (await root.store.get(other))! }])
  await clock.advance(LOST_RETRY_MS)
  await settled()
  assert.deepEqual(told.splice(0), [['repaired', { blocks: 1, bytes: BLOCK }]])
  assert.equal(repair.lacks(other), false)
  await clock.advance(10 * LOST_RETRY_MS)
  await settled()
  assert.equal(asked.length, 1)
  await repair.stop()
})

function settled(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 20))
}

test('samples are of the part of the holder, whoever it has given up, and all of it is met', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.writeFile('/file', fill(100 * BLOCK, 1))
  await fs.sync()
  const owner = await createListOwner()
  const policy = { replicas: 2, minimum: 1, on: [] }
  const list = await owner.sign({ policy, holders: [0, 1, 2, 3].map(n => holderFor(n)) })
  const signal = AbortSignal.timeout(10_000)
  const holder = peerFor(1)
  for (const gone of [[], [peerFor(2)]]) {
    const holders = list.holders.filter(({ peer }) => !gone.includes(peer))
    const part = createPlacement({ holders }).assignmentOf(holder, policy)
    const data: BlockId[] = []
    for await (const id of root.store.ids()) {
      if (codecOf(id) === 'raw' && part.has(id)) data.push(id)
    }
    const claim = reportFor(owner.volume, { gone })
    const question = { holder, claim, list, root: root.volume.head!.root, count: 500, signal }
    const components = { store: root.store, random: createRandom(7) }
    const found = await samplePart(components, question)
    assert.ok(data.length > 20)
    const raw = found.filter(id => codecOf(id) === 'raw')
    assert.deepEqual(raw.sort(), data.sort())
    assert.ok(found.length > raw.length)
    assert.equal((await samplePart(components, { ...question, count: 5 })).length, 5)
  }
  const claim = reportFor(owner.volume, { gone: [holder] })
  const nobody = { holder, claim, list, root: blockFor(1), count: 5, signal }
  const components = { store: root.store, random: createRandom(7) }
  assert.deepEqual(await samplePart(components, nobody), [])
  const unknown = { ...nobody, claim: reportFor(owner.volume) }
  assert.deepEqual(await samplePart(components, unknown), [])
})

test.run()
