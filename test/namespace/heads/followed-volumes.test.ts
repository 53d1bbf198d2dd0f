import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Peer, PeerEvents, PeerId, TypedEventTarget } from '../../../src/peer/index.ts'
import { PEERS_ASKED_MAX, askForNewest } from '../../../src/namespace/heads/fetch-heads.ts'
import {
  FollowedVolumes,
  PEERS_FOLLOWED_MAX
} from '../../../src/namespace/heads/followed-volumes.ts'
import { decodeRequest } from '../../../src/namespace/heads/head-messages.ts'
import type { VolumeId } from '../../../src/namespace/heads/head.ts'
import { createOwner } from './fixtures.ts'
import { createManualClock, settle } from './manual-clock.ts'

const test = suite('followed volumes')

/** A peer whose connections are named by the test and whose calls stay open until they are cancelled. */
function createFakePeer() {
  const events = new EventTarget() as EventTarget & TypedEventTarget<PeerEvents>
  const connected: PeerId[] = []
  const calls = new Map<PeerId, readonly VolumeId[]>()
  const peer: Pick<Peer, 'id' | 'events' | 'connected' | 'call'> = {
    id: 'self' as PeerId,
    events,
    connected: () => connected,
    // oxlint-disable-next-line require-yield
    async *call(to, _protocol, request, options) {
      const asked = decodeRequest(request.body)
      assert.ok(asked.kind !== 'offers')
      calls.set(to, asked.volumes)
      const signal = options!.signal!
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      if (calls.get(to) === asked.volumes) calls.delete(to)
      throw signal.reason
    }
  }
  const clock = createManualClock()
  const learn = async (): Promise<void> => {}
  const followed = new FollowedVolumes({ peer, clock, random: Math.random, learn })
  const dispatch = (name: 'connect' | 'disconnect', detail: PeerId): void => {
    events.dispatchEvent(new CustomEvent(name, { detail }))
  }
  return { peer, connected, calls, clock, followed, dispatch }
}

const names = (count: number): PeerId[] =>
  Array.from({ length: count }, (_, index) => `peer ${index}` as PeerId)
const listener = (): void => {}

test('follows at connected peers and at sources, and where one has gone no more', async () => {
  const { connected, calls, clock, followed, dispatch } = createFakePeer()
  const [alice, bob, carol] = names(3) as [PeerId, PeerId, PeerId]
  const [one, two] = [await createOwner(), await createOwner()]
  connected.push(alice)
  followed.start()
  const stopOne = followed.add(one.volume, { listener, sources: [bob, 'self' as PeerId] })
  const stopTwo = followed.add(two.volume, { listener, sources: [] })
  await clock.advance(100)
  assert.deepEqual(
    calls,
    new Map([
      [alice, [one.volume, two.volume]],
      [bob, [one.volume]]
    ])
  )

  connected.push(carol)
  dispatch('connect', carol)
  connected.shift()
  dispatch('disconnect', alice)
  await clock.advance(100)
  assert.deepEqual(
    calls,
    new Map([
      [bob, [one.volume]],
      [carol, [one.volume, two.volume]]
    ])
  )

  stopOne()
  await clock.advance(100)
  assert.deepEqual(calls, new Map([[carol, [two.volume]]]))
  stopTwo()
  await clock.advance(100)
  assert.equal(calls.size, 0)
  followed.stop()
  assert.equal(clock.waiting, 0)
})

test('follows at no more peers than allowed', async () => {
  const { connected, calls, clock, followed } = createFakePeer()
  connected.push(...names(PEERS_FOLLOWED_MAX + 1))
  followed.start()
  followed.add((await createOwner()).volume, { listener, sources: [] })
  await clock.advance(100)
  assert.equal(calls.size, PEERS_FOLLOWED_MAX)
  followed.stop()
  await settle()
  assert.equal(calls.size, 0)
  assert.equal(clock.waiting, 0)
})

test('asks no more peers at once than allowed, and ends at the deadline', async () => {
  const { peer, calls, clock } = createFakePeer()
  const { volume } = await createOwner()
  const question = { volume, peers: names(PEERS_ASKED_MAX + 1) }
  const options = { timeoutMs: 5_000, graceMs: 100, found: async () => {} }
  const asking = askForNewest({ peer, clock }, question, options)
  await clock.advance(4_999)
  assert.deepEqual([...calls.keys()], question.peers.slice(0, PEERS_ASKED_MAX))
  await clock.advance(1)
  assert.equal(await asking, false)
  await settle()
  assert.equal(calls.size, 0)
  assert.equal(clock.waiting, 0)
})

test('tells each listener each head once and never an older one after a newer', async () => {
  const { followed } = createFakePeer()
  const { volume, sign } = await createOwner()
  const heard: string[] = []
  const hear = (who: string) => ({
    listener: (head: { sequence: number }) => void heard.push(`${who}${head.sequence}`),
    sources: []
  })
  const stop = followed.add(volume, hear('a'))
  followed.add(volume, hear('b'))
  followed.publish(await sign(2))
  followed.publish(await sign(1))
  await settle()
  assert.deepEqual(heard, ['a2', 'b2'])
  followed.publish(await sign(3))
  stop()
  await settle()
  assert.deepEqual(heard, ['a2', 'b2', 'b3'])
})

test.run()
