/** Readers ask who else has what they read; what they are told is signed, or is not believed. */
import { encode } from 'cborg'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { CallHandler, PeerId } from '../../../src/peer/index.ts'
import { createMemoryHolderListStore, decodeHolderList } from '../../../src/replication/index.ts'
import type { HolderList } from '../../../src/replication/index.ts'
import { FIND_PAUSE_MS, findHolders } from '../../../src/replication/readers/find-holders.ts'
import {
  decodeHoldersAnswer,
  decodeHoldersRequest,
  encodeHoldersAnswer,
  encodeHoldersRequest
} from '../../../src/replication/readers/holders-messages.ts'
import { createHoldersHandler } from '../../../src/replication/readers/serve-holders.ts'
import { eventually } from '../../fixtures/eventually.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import { createListOwner, holderFor, peerFor } from '../fixtures.ts'
import { Holders, codeOf } from '../replicas-fixtures.ts'

const test = suite('finding holders')

const owner = await createListOwner()
const list = await owner.sign({ holders: [1, 2].map(n => holderFor(n)) })

function serving(
  mayRead: boolean,
  served: () => HolderList | undefined
): Record<string, CallHandler> {
  return {
    holders: createHoldersHandler({
      // It stands still, so that nothing comes back of what may be asked.
      clock: { now: () => 0 },
      addressesOf: peer => [`/ip4/127.0.0.1/tcp/9/p2p/${peer}`],
      listOf: volume => (volume === owner.volume ? served() : undefined),
      mayRead: () => mayRead
    })
  }
}

test('messages come out as they went in, and nothing else is read', () => {
  const request = encodeHoldersRequest(owner.volume)
  assert.equal(decodeHoldersRequest(request), owner.volume)
  const addresses = new Map([[peerFor(1), ['/ip4/127.0.0.1/tcp/9']]])
  const answer = encodeHoldersAnswer({ list: list.bytes, addresses })
  assert.deepEqual(decodeHoldersAnswer(answer), { list: list.bytes, addresses })
  for (const body of [
    undefined,
    1,
    [],
    {},
    { verb: 'holders' },
    { verb: 'x', volume: owner.volume }
  ]) {
    assert.throws(() => decodeHoldersRequest(body), { code: 'EPROTO' })
  }
  const wrong = [
    { list: list.bytes },
    { list: 1, addresses: [] },
    { list: new Uint8Array(300_000), addresses: [] },
    { list: list.bytes, addresses: [[new Uint8Array(31), []]] },
    { list: list.bytes, addresses: [], more: 1 }
  ]
  for (const body of wrong) assert.throws(() => decodeHoldersAnswer(body), { code: 'EPROTO' })
  assert.ok(encode(answer).length < 2_000)
})

test('holders are found, with their addresses, and again when the list is newer', async () => {
  const holders = new Holders()
  let served: HolderList | undefined
  const source = await holders.add(serving(true, () => served))
  const stranger = await holders.add(serving(false, () => list))
  const liar = await holders.add({
    async *holders() {
      const bytes = Uint8Array.from(list.bytes)
      bytes[60]! ^= 1
      yield { body: encodeHoldersAnswer({ list: bytes, addresses: new Map() }) }
    }
  })
  const reader = await holders.add()
  const clock = createManualClock()
  const found: (readonly PeerId[])[] = []
  const lists = createMemoryHolderListStore()
  const search = findHolders(
    { peer: reader, clock, lists },
    {
      volume: owner.volume,
      sources: () => [stranger.id, liar.id, source.id, reader.id],
      found: peers => found.push(peers)
    }
  )
  try {
    await settled()
    assert.equal(found.length, 0)
    served = list
    await clock.advance(FIND_PAUSE_MS)
    await eventually(() => assert.equal(found.length, 1))
    const both = [peerFor(1), peerFor(2)]
    assert.deepEqual(found[0]!.toSorted(), both.toSorted())
    assert.ok(reader.known().some(({ id, addresses }) => id === peerFor(1) && addresses.length > 0))
    await clock.advance(FIND_PAUSE_MS)
    await settled()
    assert.equal(found.length, 1)
    served = await owner.sign({ sequence: 2, holders: [holderFor(3)] })
    await clock.advance(FIND_PAUSE_MS)
    await eventually(() => assert.deepEqual(found[1], [peerFor(3)]))
    search.end()

    // After a restart nobody need be asked, and nothing is left when it is not read any more.
    const again = findHolders(
      { peer: reader, clock, lists },
      { volume: owner.volume, sources: () => [], found: peers => found.push(peers) }
    )
    await eventually(() => assert.deepEqual(found[2], [peerFor(3)]))
    await again.forget()
    assert.deepEqual(await lists.volumes(), [])
  } finally {
    search.end()
    await holders.stop()
  }
})

function settled(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 100))
}

test('those who never answer do not keep it from asking the others', async () => {
  const holders = new Holders()
  const silent = await Promise.all([1, 2, 3, 4].map(() => holders.add(serving(false, () => list))))
  const source = await holders.add(serving(true, () => list))
  const reader = await holders.add()
  const clock = createManualClock()
  const lists = createMemoryHolderListStore()
  let found: readonly PeerId[] = []
  const search = findHolders(
    { peer: reader, clock, lists },
    {
      volume: owner.volume,
      sources: () => [...silent, source].map(({ id }) => id),
      found: peers => (found = peers)
    }
  )
  try {
    await settled()
    assert.deepEqual(found, [])
    await clock.advance(FIND_PAUSE_MS)
    await eventually(() => assert.equal(found.length, 2))
  } finally {
    search.end()
    await holders.stop()
  }
})

test('who may not read a volume is not told who holds it, nor who asks too often', async () => {
  const holders = new Holders()
  const { askOne } = await import('../../../src/replication/circle/ask-one.ts')
  const source = await holders.add(serving(false, () => list))
  const open = await holders.add(serving(true, () => list))
  const asker = await holders.add()
  const request = { body: encodeHoldersRequest(owner.volume) }
  try {
    assert.equal(await codeOf(askOne(asker, source.id, request, {})), 'ENOENT')
    const { list: bytes } = decodeHoldersAnswer(await askOne(asker, open.id, request, {}))
    assert.deepEqual(await decodeHolderList(bytes, owner.volume), list)
    for (let count = 1; count < 256; count++) await askOne(asker, open.id, request, {})
    assert.equal(await codeOf(askOne(asker, open.id, request, {})), 'EBUSY')
  } finally {
    await holders.stop()
  }
})

test.run()
