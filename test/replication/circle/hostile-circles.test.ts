/** Mallory watches what she may not, floods, lies and forges. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../../src/errors.ts'
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
  WATCHES_BURST
} from '../../../src/replication/circle/circle-limits.ts'
import {
  SIGN_OF_LIFE,
  decodeWatchAnswer,
  encodeListenRequest,
  encodeNews,
  encodeUnwatchRequest,
  encodeWatchAnswer,
  encodeWatchRequest
} from '../../../src/replication/circle/watch-messages.ts'
import type { WatchAnswer, WatchNews } from '../../../src/replication/circle/watch-messages.ts'
import { pause } from '../../../src/replication/pause.ts'
import { createListOwner, peerFor } from '../fixtures.ts'
import { codeOf } from '../replicas-fixtures.ts'
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
  const request = { body: encodeWatchRequest({ watch: 1, volume, addresses: [], list }) }
  for await (const { body } of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request)) {
    return decodeWatchAnswer(body)
  }
  return undefined
}

/** Mallory listens to Alice, whatever she says. */
function listen({ alice, mallory }: Context): {
  readonly told: unknown[]
  readonly end: () => void
} {
  const told: unknown[] = []
  const end = new AbortController()
  const request = { body: encodeListenRequest() }
  const options = { signal: end.signal, silenceMs: Infinity }
  void (async () => {
    for await (const { body } of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request, options)) {
      told.push(body)
    }
    told.push('ended')
  })().catch(() => {})
  return { told, end: () => end.abort() }
}

/** Mallory answers whoever listens to her with what she makes for each watch. */
function speak(
  verbs: Record<string, CallHandler>,
  news: (watch: number) => AsyncIterable<WatchNews>
): void {
  let watched = Promise.withResolvers<number>()
  verbs['listen'] = async function* tell(): AsyncGenerator<OutgoingMessage> {
    yield { body: SIGN_OF_LIFE }
    const watch = await watched.promise
    watched = Promise.withResolvers()
    for await (const item of news(watch)) yield { body: encodeNews({ ...item, watch }) }
  }
  verbs['watch'] = async function* letIn({ body }): AsyncGenerator<OutgoingMessage> {
    watched.resolve((body as { watch: number }).watch)
    yield { body: encodeWatchAnswer({}) }
  }
}

/** Says that it is alive, and nothing else. */
function live({ clock }: Members): CallHandler {
  return async function* tell(_, { signal }): AsyncGenerator<OutgoingMessage> {
    while (!signal.aborted) {
      yield { body: SIGN_OF_LIFE }
      await pause(clock, SIGN_OF_LIFE_MS, signal)
    }
  }
}

async function forEver(signal?: AbortSignal): Promise<void> {
  await new Promise(resolve => signal?.addEventListener('abort', resolve))
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
  const told: WatchAnswer[] = []
  const request = {
    body: encodeWatchRequest({ watch: 1, volume: list.volume, addresses: [], list: old.bytes })
  }
  const asking = (async () => {
    for await (const { body } of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, request)) {
      told.push(decodeWatchAnswer(body))
    }
  })()
  assert.equal(await codeOf(asking), 'EACCES')
  assert.deepEqual(told, [{ list: list.bytes }])
})

test('who is removed while it watches is told so, and nothing after that', async context => {
  const { members, alice, bob } = context
  await admit(context)
  const { told, end } = listen(context)
  await members.until(() => told.length > 0)
  await watch(context)
  await members.until(() => told.length === 2)
  const list = await members.sign([alice, bob])
  await alice.circle.learn(list)
  alice.circle.publish(reportFor(alice.circle, { knows: 99 }))
  await members.until(() => told.length >= 3)
  assert.deepEqual(told.at(-1), { watch: 1, list: list.bytes, ended: true })
  await members.clock.advance(2 * SIGN_OF_LIFE_MS)
  assert.deepEqual(told.slice(3), [{}, {}])
  end()
})

test('who does not listen watches nothing', async context => {
  await admit(context)
  assert.equal(await codeOf(watch(context)), 'ECONNRESET')
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

test('who watches again and again is told to wait, and keeps one line and one watch', async context => {
  const { alice, mallory, members } = context
  const { volume } = await admit(context)
  const lines = Array.from({ length: 20 }, () => listen(context))
  await members.until(() => lines.filter(({ told }) => told.includes('ended')).length === 19)
  const told = lines.find(line => !line.told.includes('ended'))!.told
  let watches = 0
  for (let number = 0; number < 20; number++, watches++) {
    const body = encodeWatchRequest({ watch: number, volume, addresses: [], list: undefined })
    for await (const _ of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, { body }));
  }
  told.length = 0
  alice.circle.publish(reportFor(alice.circle, { knows: 99 }))
  await members.until(() => told.length > 0)
  assert.deepEqual(
    told.map(body => (body as { watch: number }).watch),
    [19]
  )
  while ((await watch(context).catch(() => undefined)) !== undefined) watches++
  assert.equal(watches, WATCHES_BURST - lines.length)
  assert.equal(await codeOf(watch(context)), 'EBUSY')
  for (const { end } of lines) end()
})

test('who watches no more is told nothing, whatever else it says', async context => {
  const { alice, mallory, members } = context
  await admit(context)
  const { told, end } = listen(context)
  await members.until(() => told.length > 0)
  await watch(context)
  for (const number of [1, 1, 77]) {
    const body = encodeUnwatchRequest(number)
    for await (const _ of mallory.call(alice.peer.id, REPLICAS_PROTOCOL, { body }));
  }
  told.length = 0
  alice.circle.publish(reportFor(alice.circle, { knows: 99 }))
  await members.clock.advance(SIGN_OF_LIFE_MS)
  assert.deepEqual(told, [{}])
  end()
})

test('a holder that speaks without end is read at a pace', async context => {
  const { alice, members } = context
  const { volume } = alice.circle
  let made = 0
  speak(context.verbs, async function* flood() {
    for (;;) {
      const report = reportFor({ volume }, { missingBlocks: ++made })
      yield { said: { made, report } }
    }
  })
  await admit(context)
  alice.happened.length = 0
  await members.clock.advance(10_000)
  const heard = alice.happened.length
  assert.ok(heard > HEAR_BURST && heard <= HEAR_BURST + 11 * HEAR_PER_SECOND, `${heard}`)
})

test('a holder that breaks the protocol, or never lets us in, is asked ever more rarely', async context => {
  const { members, verbs } = context
  const spoilt = [{ nonsense: true }, { watch: -1 }, { ended: true }, undefined]
  for (const verb of ['listen', 'watch']) {
    for (const answer of spoilt) {
      let calls = 0
      verbs['listen'] = live(members)
      verbs[verb] = async function* spoil(): AsyncGenerator<OutgoingMessage> {
        calls++
        if (answer !== undefined) yield { body: answer }
        throw new WarrenError('EACCES')
      }
      await admit(context)
      await members.clock.advance(300_000)
      // Two ask, each some eight times while the pauses grow, and then about once a minute.
      assert.ok(calls > 10 && calls < 40, `${calls} calls of ${verb}, ${JSON.stringify(answer)}`)
    }
  }
})

test('who answers one question without end is cut short', async context => {
  const { members, verbs } = context
  let questions = 0
  speak(verbs, async function* nothing() {})
  verbs['watch'] = async function* repeat(): AsyncGenerator<OutgoingMessage> {
    questions++
    for (;;) yield { body: encodeWatchAnswer({}) }
  }
  await admit(context)
  await members.clock.advance(30_000)
  // Two ask, after pauses of 1, 2, 4, 8 and 16 seconds at most, and are done with each at once.
  assert.ok(questions >= 8 && questions <= 20, `${questions} questions`)
})

test('a sign of life is none in a volume that a holder refuses us in', async context => {
  const { alice, members, mallory, verbs } = context
  verbs['listen'] = live(members)
  verbs['watch'] = async function* never(_, { signal }): AsyncGenerator<OutgoingMessage> {
    await forEver(signal)
    yield { body: encodeWatchAnswer({}) }
  }
  await admit(context)
  await members.clock.advance(1_000_000)
  assert.equal(alice.circle.presenceOf(mallory.id), 'gone')
})

test('a holder that says nothing is asked again, and gone in the end', async context => {
  const { alice, members, mallory, verbs } = context
  verbs['listen'] = async function* silent(_, { signal }): AsyncGenerator<OutgoingMessage> {
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
  speak(verbs, async function* lie() {
    const { sequence, holders } = alice.circle.list!
    const addresses = new Map<PeerId, string[]>([
      [stranger, ['/ip4/192.0.2.1/tcp/1']],
      [bob.peer.id, ['/ip4/192.0.2.2/tcp/2']],
      [alice.peer.id, ['/ip4/192.0.2.3/tcp/3']]
    ])
    const places = [...holders.keys(), holders.length, 5000]
    const heard = { sequence, holders: places.map(place => ({ place, ageMs: 0, said })) }
    yield { addresses, heard }
    count++
    await forEver()
  })
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

test('the silence of a holder whose connection is up is noticed', async context => {
  const { alice, bob, members } = context
  members.network.mute(alice.peer.id, bob.peer.id)
  await members.clock.advance(20 * SIGN_OF_LIFE_MS)
  assert.equal(alice.circle.presenceOf(bob.peer.id), 'absent')
})

test('two who do not understand each other do not call each other without end', async context => {
  const { alice, mallory, members, verbs } = context
  let asked = 0
  verbs['listen'] = async function* () {
    asked++
    yield { body: 'nothing of ours' }
  }
  await admit(context)
  const { end } = listen(context)
  await members.until(() => asked > 0)
  const before = asked
  // Each watch of hers tells Alice that she is there.
  for (let round = 0; round < 50; round++) {
    await watch(context)
    await members.clock.advance(100)
  }
  // After pauses that grow: in five seconds from each of two, and not fifty times.
  assert.ok(asked - before < 12, `asked ${asked - before} times`)
  assert.ok(mallory.connected().includes(alice.peer.id))
  end()
})

test.run()
