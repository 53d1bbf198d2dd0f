/** Alice asks a holder which blocks it has; mallory asks too, and lies. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Peer } from '../../../src/peer/index.ts'
import { askHas, createHasHandler } from '../../../src/replication/index.ts'
import { HAS_BURST, HAS_IDS_MAX } from '../../../src/replication/circle/circle-limits.ts'
import {
  decodeHasAnswer,
  decodeHasRequest,
  encodeHasAnswer,
  encodeHasRequest
} from '../../../src/replication/circle/has-messages.ts'
import { createListOwner } from '../fixtures.ts'
import { Holders, codeOf, counting, makeIds } from '../replicas-fixtures.ts'

interface Context {
  holders: Holders
  alice: Peer
  mallory: Peer
  bob: Peer
}

const { volume } = await createListOwner()
const ids = makeIds(2 * HAS_IDS_MAX + 3)
const had = new Set(ids.filter((_, index) => index % 3 === 0))

const test = suite<Context>('has')
test.before.each(async context => {
  context.holders = new Holders()
  context.alice = await context.holders.add()
  context.mallory = await context.holders.add()
  context.bob = await context.holders.add({
    has: createHasHandler({
      clock: { now: () => 0 },
      isHolder: (asked, from) => asked === volume && from === context.alice.id,
      hasBlocks: async (_, asked) => asked.map(id => had.has(id))
    })
  })
})
test.after.each(({ holders }) => holders.stop())

test('says of each block whether it is there, with a question for thousands', async context => {
  const { alice, bob } = context
  const peer = counting(alice)
  const has = await askHas(peer, bob.id, volume, ids)
  assert.deepEqual(
    has,
    ids.map(id => had.has(id))
  )
  assert.equal(peer.calls, 3)
  assert.deepEqual(await askHas(peer, bob.id, volume, []), [])
  assert.equal(peer.calls, 3)
})

test('says nothing to who is no holder of that volume', async ({ alice, mallory, bob }) => {
  const other = (await createListOwner()).volume
  assert.equal(await codeOf(askHas(mallory, bob.id, volume, ids)), 'EACCES')
  assert.equal(await codeOf(askHas(alice, bob.id, other, ids)), 'EACCES')
})

test('who asks without end is told to wait', async ({ alice, bob }) => {
  const some = ids.slice(0, HAS_IDS_MAX)
  for (let asked = 0; asked < HAS_BURST; asked += some.length) {
    await askHas(alice, bob.id, volume, some)
  }
  assert.equal(await codeOf(askHas(alice, bob.id, volume, ids)), 'EBUSY')
})

test('an answer that is none is refused', async ({ holders, alice }) => {
  const answers: unknown[] = [
    {},
    { has: new Uint8Array(1) },
    { has: Uint8Array.of(255, 255) },
    null
  ]
  const mallory = await holders.add({
    async *has() {
      yield { body: answers.pop() }
    }
  })
  while (answers.length > 0) {
    assert.equal(await codeOf(askHas(alice, mallory.id, volume, ids.slice(0, 9))), 'EPROTO')
  }
  const silent = await holders.add({ async *has() {} })
  assert.equal(await codeOf(askHas(alice, silent.id, volume, ids.slice(0, 9))), 'EPROTO')
})

test('refuses what is not exactly a question', () => {
  const { body, payload } = encodeHasRequest({ volume, ids: ids.slice(0, 2) })
  const good = { body, payload: payload![0]! }
  assert.deepEqual(decodeHasRequest(good), { volume, ids: ids.slice(0, 2) })
  const tooMany = encodeHasRequest({ volume, ids: ids.slice(0, HAS_IDS_MAX + 1) }).payload![0]!
  const bodies = [null, [], { verb: 'has' }, { verb: 'had', volume }, { verb: 'has', volume: 'k' }]
  for (const wrong of [...bodies, { verb: 'has', volume, extra: 1 }]) {
    assert.throws(() => decodeHasRequest({ ...good, body: wrong }), { code: 'EPROTO' })
  }
  const payloads = [0, 1, 35, 37, 71].map(length => good.payload.slice(0, length))
  for (const wrong of [...payloads, new Uint8Array(36), tooMany]) {
    assert.throws(() => decodeHasRequest({ body, payload: wrong }), { code: 'EPROTO' })
  }
})

test('bits come back as they were, and bits too many do not', () => {
  for (let length = 1; length < 20; length++) {
    const has = Array.from({ length }, (_, index) => index % 3 === 1)
    const { body } = encodeHasAnswer(has)
    assert.deepEqual(decodeHasAnswer(body, length), has)
    assert.throws(() => decodeHasAnswer(body, length + 8), { code: 'EPROTO' })
  }
  assert.throws(() => decodeHasAnswer({ has: Uint8Array.of(0b1000) }, 3), { code: 'EPROTO' })
})

test.run()
