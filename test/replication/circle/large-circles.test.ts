/** More holders than one of them can watch. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  ABSENT_MS,
  SIGN_OF_LIFE_MS,
  WATCHED_MAX
} from '../../../src/replication/circle/circle-limits.ts'
import { Members, reportFor } from './members.ts'

interface Context {
  members: Members
}

const test = suite<Context>('large circles')
test.before.each(async context => {
  context.members = await Members.create()
})
test.after.each(({ members }) => members.stop())

test('in a circle too large to watch all, news and silence reach everybody', async ({
  members
}) => {
  const all = await members.addCircle(WATCHED_MAX + 8)
  const [first, second] = [all[3]!, all[30]!]
  first.circle.publish(reportFor(first.circle, { holds: 77, knows: 77 }))
  const heard = (): boolean => all.every(one => one.circle.reportOf(first.peer.id)?.holds === 77)
  await members.until(heard, 2 * SIGN_OF_LIFE_MS)
  await members.clock.advance(ABSENT_MS + SIGN_OF_LIFE_MS)
  for (const { happened } of all) assert.deepEqual(happened, [`report ${first.peer.id}`])
  await second.circles.close()
  await second.peer.stop()
  await members.clock.advance(2 * ABSENT_MS)
  for (const one of all) {
    if (one !== second) assert.equal(one.circle.presenceOf(second.peer.id), 'absent')
  }
})

test('a holder that knows one address only finds the others by it', async ({ members }) => {
  const all = await members.addCircle(WATCHED_MAX + 4)
  const dave = await members.add([all[0]!.peer])
  const list = await members.sign([...all, dave])
  await dave.circle.learn(list)
  await members.until(() => all.every(one => one.circle.list?.sequence === list.sequence), 5000)
  await members.until(() => all.every(({ peer }) => dave.circle.reportOf(peer.id)), 60_000)
  const connected = dave.peer.connected().length
  assert.ok(connected >= WATCHED_MAX, `${connected}`)
})

test.run()
