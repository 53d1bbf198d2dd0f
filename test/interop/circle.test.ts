/** A circle over sockets: three holders of whom two know only the owner. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { systemClock } from '../../src/peer/index.ts'
import { createNodePeer } from '../../src/peer/node-peer.ts'
import type { CallHandler, Peer } from '../../src/peer/index.ts'
import {
  REPLICAS_PROTOCOL,
  callJoin,
  createCircles,
  createMembershipHandlers,
  createMemoryHolderListStore,
  createReplicasHandler
} from '../../src/replication/index.ts'
import type { Circle, Holder } from '../../src/replication/index.ts'
import { createListOwner } from '../replication/fixtures.ts'
import { reportFor } from '../replication/circle/members.ts'

interface Context {
  closers: (() => Promise<void>)[]
}

const DEADLINE_MS = 60_000

const test = suite<Context>('circle over sockets')
test.before.each(context => {
  context.closers = []
})
test.after.each(async ({ closers }) => {
  for (const close of closers) await close()
})

async function createPeer(verbs: Record<string, CallHandler>): Promise<Peer> {
  const peer = await createNodePeer({ listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false })
  peer.serve(REPLICAS_PROTOCOL, createReplicasHandler(verbs))
  await peer.start()
  return peer
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + DEADLINE_MS
  while (!condition()) {
    assert.ok(Date.now() < endMs, String(condition))
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

test('who joins at the owner finds the others and hears them', async ({ closers }) => {
  const owner = await createListOwner()
  const { volume } = owner
  const holders: Holder[] = []
  const circles: Circle[] = []
  const peers: Peer[] = []
  for (let count = 0; count < 3; count++) {
    const verbs: Record<string, CallHandler> = {}
    const peer = await createPeer(verbs)
    const lists = createMemoryHolderListStore()
    if (count > 0) await peer.remember(peers[0]!.id, peers[0]!.addresses())
    const mine = createCircles({ peer, clock: systemClock, lists }, { signOfLifeMs: 200 })
    Object.assign(verbs, mine.verbs)
    closers.push(
      () => mine.close(),
      () => peer.stop()
    )
    circles.push(await mine.open(volume, { sources: peers.slice(0, 1).map(({ id }) => id) }))
    peers.push(peer)
    const onJoin = async (_: unknown, from: Peer['id']): Promise<NonNullable<Circle['list']>> => {
      holders.push({ peer: from, pledgeBytes: 1e9, zone: '', state: 'active' })
      const list = await owner.sign({ sequence: holders.length, holders })
      await circles[0]!.learn(list)
      return list
    }
    if (count === 0) {
      Object.assign(verbs, createMembershipHandlers({ peer, clock: systemClock, onJoin }))
      await onJoin(volume, peer.id)
      continue
    }
    const addresses = peer.addresses()
    const request = { volume, token: 'abc', pledgeBytes: 1e9, zone: '', addresses }
    await circles.at(-1)!.learn(await callJoin(peer, peers[0]!.id, request))
  }
  await until(() => circles.every(circle => circle.list?.sequence === 3))
  for (const circle of circles) circle.publish(reportFor(circle))
  await until(() => circles.every(circle => peers.every(({ id }) => circle.reportOf(id))))
  assert.ok(peers[1]!.connected().includes(peers[2]!.id))
})

test.run()
