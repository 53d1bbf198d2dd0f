/** Two peers that hold many volumes together: more than a channel carries calls. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { VolumeId } from '../../../src/namespace/index.ts'
import { createMemoryNetwork } from '../../../src/peer/index.ts'
import type { MemoryNetwork, Peer } from '../../../src/peer/index.ts'
import {
  REPLICAS_PROTOCOL,
  createCircles,
  createMemoryHolderListStore,
  createReplicasHandler
} from '../../../src/replication/index.ts'
import type { Circle, Circles, HolderList } from '../../../src/replication/index.ts'
import {
  ABSENT_MS,
  GRACE_MS,
  SIGN_OF_LIFE_MS
} from '../../../src/replication/circle/circle-limits.ts'
import { createListOwner, holderFor } from '../fixtures.ts'
import { createRandom } from '../replicas-fixtures.ts'
import { reportFor } from './members.ts'
import { createSteppingClock } from './stepping-clock.ts'
import type { SteppingClock } from './stepping-clock.ts'

const VOLUMES = 300

interface Side {
  readonly peer: Peer
  readonly circles: Circles
  readonly open: readonly Circle[]
}

interface Context {
  clock: SteppingClock
  network: MemoryNetwork
  alice: Side
  bob: Side
}

const test = suite<Context>('many volumes')

test.before.each(async context => {
  const clock = createSteppingClock()
  const network = createMemoryNetwork({ clock, random: createRandom(1) })
  const peers = [network.createPeer({ discovery: false }), network.createPeer({ discovery: false })]
  for (const peer of peers) await peer.start()
  await peers[0]!.remember(peers[1]!.id, peers[1]!.addresses())
  const lists = await Promise.all(Array.from({ length: VOLUMES }, () => signFor(peers)))
  const [alice, bob] = [
    await createSide(peers[0]!, clock, lists),
    await createSide(peers[1]!, clock, lists)
  ]
  Object.assign(context, { clock, network, alice, bob })
})

test.after.each(async ({ alice, bob }) => {
  for (const { circles, peer } of [alice, bob]) {
    await circles.close()
    await peer.stop()
  }
})

async function signFor(peers: readonly Peer[]): Promise<HolderList> {
  const owner = await createListOwner()
  return await owner.sign({ holders: peers.map(({ id }) => holderFor(0, { peer: id })) })
}

async function createSide(
  peer: Peer,
  clock: SteppingClock,
  holderLists: readonly HolderList[]
): Promise<Side> {
  const lists = createMemoryHolderListStore()
  for (const list of holderLists) await lists.put(list)
  const circles = createCircles({ peer, clock, random: createRandom(2), lists })
  peer.serve(REPLICAS_PROTOCOL, createReplicasHandler({ ...circles.verbs }))
  const open: Circle[] = []
  for (const { volume } of holderLists) open.push(await circles.open(volume))
  for (const circle of open) circle.publish(reportFor(circle))
  return { peer, circles, open }
}

async function until(clock: SteppingClock, condition: () => boolean): Promise<void> {
  for (let seconds = 0; seconds < 60; seconds++) {
    for (let turns = 0; turns < 50; turns++) {
      if (condition()) return
      await turn()
    }
    await clock.advance(1000)
  }
  throw new Error(`not within a minute: ${String(condition)}`)
}

/** In how many volumes one hears the other. */
function heard({ open }: Side, other: Side): number {
  return open.filter(circle => circle.reportOf(other.peer.id) !== undefined).length
}

function countPresences({ open }: Side, other: Side): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const circle of open) {
    const presence = circle.presenceOf(other.peer.id)
    counts[presence] = (counts[presence] ?? 0) + 1
  }
  return counts
}

test('two peers hear each other in each of three hundred volumes, and stay present', async context => {
  const { clock, alice, bob, network } = context
  await until(clock, () => heard(alice, bob) === VOLUMES && heard(bob, alice) === VOLUMES)
  await clock.advance(GRACE_MS + ABSENT_MS)
  assert.deepEqual(countPresences(alice, bob), { present: VOLUMES })
  assert.deepEqual(countPresences(bob, alice), { present: VOLUMES })
  const before = network.bytesCarried()
  await clock.advance(20 * SIGN_OF_LIFE_MS)
  const perSign = (network.bytesCarried() - before) / 40
  assert.ok(perSign < 40, `${perSign} bytes each way at each sign of life`)
})

test('each of them sees the other as gone in all volumes, and back in all', async context => {
  const { clock, alice, bob, network } = context
  await until(clock, () => heard(alice, bob) === VOLUMES)
  network.cut(alice.peer.id, bob.peer.id)
  await clock.advance(GRACE_MS + ABSENT_MS)
  assert.deepEqual(countPresences(alice, bob), { gone: VOLUMES })
  network.mend(alice.peer.id, bob.peer.id)
  await until(clock, () => countPresences(alice, bob)['present'] === VOLUMES)
  await until(clock, () => countPresences(bob, alice)['present'] === VOLUMES)
  for (const { open } of [alice, bob]) {
    for (const circle of open) circle.publish(reportFor(circle, { knows: 9 }))
  }
  const knows = ({ open }: Side, other: Side): boolean =>
    open.every(circle => circle.reportOf(other.peer.id)?.knows === 9)
  await until(clock, () => knows(alice, bob) && knows(bob, alice))
})

test('a volume that one of them closes is missed, and the others are not', async context => {
  const { clock, alice, bob } = context
  await until(clock, () => heard(alice, bob) === VOLUMES && heard(bob, alice) === VOLUMES)
  const [closed, ...others] = bob.open
  await closed!.close()
  await clock.advance(GRACE_MS + ABSENT_MS)
  assert.equal(alice.circles.get(closed!.volume)?.presenceOf(bob.peer.id), 'gone')
  assert.deepEqual(countPresences({ ...alice, open: alice.open.slice(1) }, bob), {
    present: others.length
  })
  const again = await bob.circles.open(closed!.volume as VolumeId)
  await until(clock, () => again.reportOf(alice.peer.id) !== undefined)
  await until(clock, () => countPresences(alice, bob)['present'] === VOLUMES)
})

test.run()
