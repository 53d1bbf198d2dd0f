/** Mallory watches what she may not, floods, lies and forges. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createVolumeId } from '../../../src/namespace/index.ts'
import { createSigningKey } from '../../../src/peer/index.ts'
import type { CallHandler, OutgoingMessage, Peer, PeerId } from '../../../src/peer/index.ts'
import { REPLICAS_PROTOCOL } from '../../../src/replication/index.ts'
import type { HolderList } from '../../../src/replication/index.ts'
import {
  HEAR_BURST,
  HEAR_PER_SECOND,
  LISTS_BURST,
  SIGN_OF_LIFE_MS,
  WATCHES_BURST,
  WATCHES_PER_PEER_MAX
} from '../../../src/replication/circle/circle-limits.ts'
import {
  decodeWatchAnswer,
  encodeWatchAnswer,
  encodeWatchRequest
} from '../../../src/replication/circle/watch-messages.ts'
import type { WatchAnswer } from '../../../src/replication/circle/watch-messages.ts'
import { WatchSlots } from '../../../src/replication/circle/watch-slots.ts'
import { createListOwner, peerFor } from '../fixtures.ts'
import { SOMEBODY, codeOf } from '../replicas-fixtures.ts'
import { Members, reportFor } from './members.ts'
import type { Member } from './members.ts'

interface Context {
  members: Members
  alice: Member
  bob: Member
  /** Listed as the third, and serving what a test has her serve. */
  mallory: Peer
  verbs: Record<string, CallHandler>
}

const test = suite<Context>('hostile circles')
test.before.each(async context => {
  const members = await Members.create()
  context.members = members
  context.verbs = {}
  context.mallory = await members.addPeer(context.verbs)
  const [alice, bob] = await members.addCircle(2)
  context.alice = alice!
  context.bob = bob!
  for (const { peer } of [alice!, bob!]) {
    await context.mallory.remember(peer.id, peer.addresses())
    await peer.remember(context.mallory.id, context.mallory.addresses())
  }
})
test.after.each(({ members }) => members.stop())

async function admit({ members, alice, bob, mallory }: Context): Promise<HolderList> {
  const list = await members.sign([alice, bob, { peer: mallory }])
  await alice.circle.learn(list)
  await members.until(() => bob.circle.list?.sequence === list.sequence)
  return list
}

/** What a watch of Alice is told first; `undefined`: the call ended without. */
async function watch(
  { alice, mallory }: Context,
  fields: { readonly list?: Uint8Array; readonly volume?: HolderList['volume'] } = {}
): Promise<WatchAnswer | undefined> {
  const { volume = alice.circle.volume, list } = fields
  const request = { body: encodeWatchRequest({ volume, addresses: [], list }) }
  for await (const { body } of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request)) {
    return decodeWatchAnswer(body, volume)
  }
  return undefined
}

test('who is not listed is told nothing, nor whether there is such a volume', async context => {
  const volume = createVolumeId((await createSigningKey()).publicKey)
  assert.equal(await codeOf(watch(context)), 'EACCES')
  assert.equal(await codeOf(watch(context, { volume })), 'EACCES')
})

test('a list of another owner, or one that was changed, opens nothing', async context => {
  const { alice, members, mallory } = context
  const forger = await createListOwner()
  const { bytes } = await forger.sign({ holders: [] })
  assert.equal(await codeOf(watch(context, { list: bytes })), 'EPROTO')
  const changed = (await members.sign([{ peer: mallory }])).bytes.slice()
  changed[80]! ^= 1
  assert.equal(await codeOf(watch(context, { list: changed })), 'EBADMSG')
  assert.equal(alice.circle.list?.sequence, 1)
})

test('who was a holder once learns the list that names it no more, and not what follows', async context => {
  const { members, alice, bob, mallory } = context
  const old = await admit(context)
  const list = await members.sign([alice, bob])
  await alice.circle.learn(list)
  const request = {
    body: encodeWatchRequest({ volume: list.volume, addresses: [], list: old.bytes })
  }
  const told: WatchAnswer[] = []
  const listening = (async () => {
    for await (const { body } of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request)) {
      told.push(decodeWatchAnswer(body, list.volume))
    }
  })()
  assert.equal(await codeOf(listening), 'EACCES')
  assert.deepEqual(told, [{ list: list.bytes }])
})

test('who has Alice verify lists without end is not heard any more', async context => {
  const { members, mallory } = context
  const bytes = (await members.sign([{ peer: mallory }])).bytes.slice()
  bytes[80]! ^= 1
  const codes = new Map<string, number>()
  for (let count = 0; count < LISTS_BURST + 10; count++) {
    const code = await codeOf(watch(context, { list: bytes }))
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  assert.deepEqual(Object.fromEntries(codes), { EBADMSG: LISTS_BURST, EACCES: 10 })
})

test('who watches again and again is told to wait, and keeps one watch', async context => {
  const { alice, mallory, members } = context
  await admit(context)
  const request = {
    body: encodeWatchRequest({ volume: alice.circle.volume, addresses: [], list: undefined })
  }
  const end = new AbortController()
  let [told, ended] = [0, 0]
  const calls = Array.from({ length: 20 }, async () => {
    const options = { signal: end.signal }
    for await (const _ of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request, options)) told++
    ended++
  })
  await members.until(() => told === 20 && ended === 19)
  end.abort()
  await Promise.allSettled(calls)
  let count = 20
  while ((await watch(context).catch(() => undefined)) !== undefined) count++
  assert.equal(count, WATCHES_BURST)
  assert.equal(await codeOf(watch(context)), 'EBUSY')
})

test('a holder that speaks without end is read at a pace', async context => {
  const { alice, members } = context
  const { volume } = alice.circle
  let made = 0
  context.verbs['watch'] = async function* flood(): AsyncGenerator<OutgoingMessage> {
    for (;;) {
      const report = reportFor({ volume }, { missingBlocks: ++made })
      yield { body: encodeWatchAnswer({ said: { made, report } }) }
    }
  }
  await admit(context)
  alice.happened.length = 0
  await members.clock.advance(10_000)
  const heard = alice.happened.length
  assert.ok(heard > HEAR_BURST && heard <= HEAR_BURST + 11 * HEAR_PER_SECOND, `${heard}`)
})

test('a holder that breaks the protocol, or never lets us in, is asked ever more rarely', async context => {
  const { members, verbs } = context
  for (const answer of [{ nonsense: true }, { report: [] }, undefined]) {
    let calls = 0
    verbs['watch'] = async function* spoilt(): AsyncGenerator<OutgoingMessage> {
      calls++
      if (answer !== undefined) yield { body: answer }
    }
    await admit(context)
    await members.clock.advance(600_000)
    // Two ask, each some ten times while the pauses grow, and then about once a minute.
    assert.ok(calls > 20 && calls < 60, `${calls} calls`)
  }
})

test('a holder that says nothing is asked again, and gone in the end', async context => {
  const { alice, members, mallory, verbs } = context
  verbs['watch'] = async function* silent(_, { signal }): AsyncGenerator<OutgoingMessage> {
    if (signal.aborted) yield { body: {} }
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  }
  await admit(context)
  await members.clock.advance(1_000_000)
  assert.equal(alice.circle.presenceOf(mallory.id), 'gone')
})

test('where others are is believed of holders only, and what they said of nobody we hear', async context => {
  const { alice, bob, members, mallory, verbs } = context
  const { volume } = alice.circle
  const stranger = peerFor(77)
  const said = { made: Number.MAX_SAFE_INTEGER, report: reportFor({ volume }, { knows: 99 }) }
  let count = 0
  verbs['watch'] = async function* lie(_, { signal }): AsyncGenerator<OutgoingMessage> {
    const { sequence, holders } = alice.circle.list!
    const addresses = new Map<PeerId, string[]>([
      [stranger, ['/ip4/192.0.2.1/tcp/1']],
      [bob.peer.id, ['/ip4/192.0.2.2/tcp/2']],
      [alice.peer.id, ['/ip4/192.0.2.3/tcp/3']]
    ])
    const places = [...holders.keys(), holders.length, 5000]
    const heard = { sequence, holders: places.map(place => ({ place, ageMs: 0, said })) }
    yield { body: encodeWatchAnswer({ addresses, heard }) }
    count++
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  }
  await admit(context)
  await members.until(() => count === 2)
  await members.clock.advance(1000)
  const known = new Map(alice.peer.known().map(({ id, addresses }) => [id, addresses]))
  assert.ok(known.get(bob.peer.id)?.includes('/ip4/192.0.2.2/tcp/2'))
  assert.equal(known.has(stranger), false)
  assert.equal(known.has(alice.peer.id), false)
  assert.equal(alice.circle.reportOf(bob.peer.id)?.knows, 3)
  assert.equal(alice.circle.reportOf(mallory.id), undefined)
  assert.equal(alice.circle.reportOf(stranger), undefined)
})

test('nobody is watched more often than it bears', () => {
  const slots = new WatchSlots()
  for (let count = 0; count < WATCHES_PER_PEER_MAX; count++) assert.ok(slots.take(SOMEBODY))
  assert.equal(slots.take(SOMEBODY), false)
  assert.ok(slots.take(peerFor(1)))
  slots.free(SOMEBODY)
  assert.ok(slots.take(SOMEBODY))
})

test('the silence of a holder whose connection is up is noticed', async context => {
  const { alice, bob, members } = context
  members.network.mute(alice.peer.id, bob.peer.id)
  await members.clock.advance(20 * SIGN_OF_LIFE_MS)
  assert.equal(alice.circle.presenceOf(bob.peer.id), 'absent')
})

test('two who do not understand each other do not call each other without end', async context => {
  const { alice, mallory, members, verbs } = context
  let asked = 0
  verbs['watch'] = async function* () {
    asked++
    yield { body: 'nothing of ours' }
  }
  const list = await admit(context)
  const request = {
    body: encodeWatchRequest({ volume: list.volume, addresses: [], list: undefined })
  }
  await members.until(() => asked > 0)
  const before = asked
  // Each watch of hers tells Alice that she is there.
  for (let round = 0; round < 50; round++) {
    for await (const _ of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request)) break
    await members.clock.advance(100)
  }
  // After pauses that grow: in five seconds from each of two, and not fifty times.
  assert.ok(asked - before < 12, `asked ${asked - before} times`)
})

test.run()
