/** Alice owns a volume; bob, carol and others hold it. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Circle } from '../../../src/replication/index.ts'
import {
  ABSENT_MS,
  GRACE_MS,
  SIGN_OF_LIFE_MS
} from '../../../src/replication/circle/circle-limits.ts'
import { Members, ids, reportFor } from './members.ts'
import type { Member } from './members.ts'

interface Context {
  members: Members
}

const test = suite<Context>('circle')
test.before.each(async context => {
  context.members = await Members.create()
})
test.after.each(({ members }) => members.stop())

function sequenceOf({ circle }: Pick<Member, 'circle'>): number | undefined {
  return circle.list?.sequence
}

function countedBy(circle: Circle): string[] {
  return circle.counted().map(({ peer }) => peer)
}

test('a new list comes to everybody, and is stored before it counts', async ({ members }) => {
  const all = await members.addCircle(4)
  const list = await members.sign(all)
  assert.equal(await all[2]!.circle.learn(list), true)
  assert.equal(await all[2]!.circle.learn(list), false)
  await members.until(() => all.every(one => sequenceOf(one) === list.sequence), 0)
  for (const { lists, circle, happened } of all) {
    assert.deepEqual((await lists.get(circle.volume))?.bytes, list.bytes)
    assert.deepEqual(happened, [`list ${list.sequence}`])
  }
})

test('the newer list counts, whichever is heard first', async ({ members }) => {
  const [alice, bob, carol] = await members.addCircle(3)
  const older = await members.sign([alice!, bob!, carol!])
  const newer = await members.sign([alice!, bob!, carol!])
  const [one, two] = await Promise.all([alice!.circle.learn(newer), bob!.circle.learn(older)])
  assert.ok(one)
  assert.ok(two)
  await members.until(() => [alice!, bob!, carol!].every(one => sequenceOf(one) === newer.sequence))
  assert.equal(await bob!.circle.learn(older), false)
})

test('a list that was put in the store meanwhile counts', async ({ members }) => {
  const all = await members.addCircle(2)
  const [older, newer] = [await members.sign(all), await members.sign(all)]
  await all[0]!.lists.put(newer)
  assert.equal(await all[0]!.circle.learn(older), false)
  await members.until(() => all.every(one => sequenceOf(one) === newer.sequence))
})

test('a circle goes on with the list in the store', async ({ members }) => {
  const [alice, bob] = await members.addCircle(2)
  await bob!.circle.close()
  const again = await bob!.circles.open(bob!.circle.volume)
  assert.equal(again.list?.sequence, alice!.circle.list?.sequence)
  await members.until(() => again.reportOf(alice!.peer.id) !== undefined, 5000)
  await assert.rejects(bob!.circles.open(bob!.circle.volume), { code: 'EEXIST' })
})

test('who has just been listed is let in by the list that says so', async ({ members }) => {
  const all = await members.addCircle(3)
  const dave = await members.add([all[1]!.peer])
  const list = await members.sign([...all, dave])
  // Neither the owner nor the others have it yet.
  await dave.circle.learn(list)
  await members.until(() => all.every(one => sequenceOf(one) === list.sequence), 60_000)
})

test('who knows nothing is told by the owner, which was told where it is', async ({ members }) => {
  const all = await members.addCircle(3)
  const dave = await members.add()
  await all[0]!.peer.remember(dave.peer.id, dave.peer.addresses())
  await all[0]!.circle.learn(await members.sign([...all, dave]))
  await members.until(() => sequenceOf(dave) === sequenceOf(all[0]!), 5000)
})

test('holders who never met are told where the others are', async ({ members }) => {
  const [, bob, carol] = await members.addCircle(3)
  assert.ok(bob!.peer.connected().includes(carol!.peer.id))
  assert.deepEqual(
    carol!.peer.known().find(({ id }) => id === bob!.peer.id)?.addresses,
    bob!.peer.addresses()
  )
})

test('who was removed is told so, also when it comes back later', async ({ members }) => {
  const [alice, bob, carol] = await members.addCircle(3)
  members.network.cut(alice!.peer.id, carol!.peer.id)
  members.network.cut(bob!.peer.id, carol!.peer.id)
  const list = await members.sign([alice!, bob!])
  await alice!.circle.learn(list)
  await members.clock.advance(60_000)
  assert.notEqual(sequenceOf(carol!), list.sequence)
  members.network.mend(bob!.peer.id, carol!.peer.id)
  await members.until(() => sequenceOf(carol!) === list.sequence, 120_000)
  assert.equal(alice!.circles.isHolder(list.volume, carol!.peer.id), false)
  assert.equal(carol!.circle.presenceOf(carol!.peer.id), 'present')
  assert.equal(carol!.circle.counted().length, 2)
})

test('what a holder says is heard by all, once', async ({ members }) => {
  const all = await members.addCircle(4)
  const [bob] = [all[1]!]
  const report = reportFor(bob.circle, { progress: 'full', holds: -1, knows: 9, missingBlocks: 7 })
  bob.circle.publish(report)
  bob.circle.publish({ ...report })
  await members.until(() => all.every(one => one.happened.length > 0), 0)
  await members.clock.advance(30_000)
  for (const { circle, happened } of all) {
    assert.deepEqual(happened, [`report ${bob.peer.id}`])
    assert.deepEqual(circle.reportOf(bob.peer.id), report)
  }
})

test('who speaks without end is heard two hundred times a second, and last', async ({
  members
}) => {
  const [alice, bob] = await members.addCircle(2)
  const before = members.network.bytesCarried()
  for (let missingBlocks = 2000; missingBlocks >= 0; missingBlocks--) {
    bob!.circle.publish(reportFor(bob!.circle, { missingBlocks }))
    if (missingBlocks % 4 === 0) await members.clock.advance(1)
  }
  await members.clock.advance(1000)
  assert.equal(alice!.circle.reportOf(bob!.peer.id)?.missingBlocks, 0)
  assert.ok(alice!.happened.length < 200, `${alice!.happened.length} reports`)
  assert.ok(members.network.bytesCarried() - before < 20_000)
})

test('silence makes absent, then gone; a word makes present', async ({ members }) => {
  const [alice, bob, carol] = await members.addCircle(3)
  const { id } = carol!.peer
  for (const one of [alice!, bob!]) members.network.mute(one.peer.id, id)
  await members.clock.advance(ABSENT_MS - SIGN_OF_LIFE_MS)
  assert.equal(alice!.circle.presenceOf(id), 'present')
  await members.clock.advance(2 * SIGN_OF_LIFE_MS)
  assert.equal(alice!.circle.presenceOf(id), 'absent')
  assert.equal(alice!.circle.counted().length, 3)
  await members.clock.advance(GRACE_MS - ABSENT_MS)
  assert.equal(alice!.circle.presenceOf(id), 'gone')
  assert.deepEqual(countedBy(alice!.circle).toSorted(), ids([alice!, bob!]).toSorted())
  assert.equal(alice!.circle.counted(), alice!.circle.counted())
  assert.deepEqual(alice!.happened, [`absent ${id}`, `gone ${id}`])
  for (const one of [alice!, bob!]) members.network.mend(one.peer.id, id)
  await members.until(() => alice!.circle.presenceOf(id) === 'present', 61_000)
  assert.equal(alice!.circle.counted().length, 3)
  assert.equal(bob!.happened.at(-1), `present ${id}`)
})

test('a holder that is cut off and comes back within the grace is never gone', async context => {
  const { members } = context
  const [alice, bob] = await members.addCircle(2)
  members.network.cut(alice!.peer.id, bob!.peer.id)
  await members.clock.advance(GRACE_MS / 2)
  members.network.mend(alice!.peer.id, bob!.peer.id)
  await members.clock.advance(GRACE_MS)
  const { id } = bob!.peer
  assert.deepEqual(alice!.happened, [`absent ${id}`, `present ${id}`])
})

test('audits make a holder distrusted, and trusted again', async ({ members }) => {
  const [alice, bob, carol] = await members.addCircle(3)
  const { id } = bob!.peer
  alice!.circle.distrust(id, true)
  alice!.circle.distrust(id, true)
  assert.deepEqual(countedBy(alice!.circle).toSorted(), ids([alice!, carol!]).toSorted())
  assert.equal(alice!.circle.presenceOf(id), 'present')
  alice!.circle.distrust(alice!.peer.id, true)
  alice!.circle.distrust('nobody' as typeof id, true)
  assert.equal(alice!.circle.counted().length, 2)
  alice!.circle.distrust(id, false)
  assert.equal(alice!.circle.counted().length, 3)
  assert.deepEqual(alice!.happened, [`present ${id}`, `present ${id}`])
  alice!.circle.distrust(id, true)
  await alice!.circle.learn(await members.sign([alice!, carol!]))
  await alice!.circle.learn(await members.sign([alice!, bob!, carol!]))
  assert.equal(alice!.circle.counted().length, 3)
})

test('twenty holders hear each other, and miss who has gone', async ({ members }) => {
  const all = await members.addCircle(20)
  const gone = all[7]!
  await gone.circles.close()
  await gone.peer.stop()
  const left = all.filter(one => one !== gone)
  await members.clock.advance(ABSENT_MS + SIGN_OF_LIFE_MS)
  for (const { happened } of left) assert.deepEqual(happened, [`absent ${gone.peer.id}`])
})

test('nothing is left of a circle that was closed', async ({ members }) => {
  const [alice, bob] = await members.addCircle(2)
  await Promise.all([alice!.circle.close(), alice!.circle.close()])
  await bob!.circles.close()
  await members.stop()
  await members.clock.advance(0)
  assert.equal(members.clock.waiting, 0)
  assert.equal(alice!.circles.get(alice!.circle.volume), undefined)
  const list = await members.sign([])
  await assert.rejects(alice!.circle.learn(list), { code: 'EBADF' })
  alice!.circle.publish(reportFor(alice!.circle))
  await assert.rejects(bob!.circles.open(list.volume), { code: 'EBADF' })
})

test.run()
