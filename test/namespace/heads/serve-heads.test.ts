import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { OutgoingMessage, PeerId } from '../../../src/peer/index.ts'
import { FOLLOWERS_MAX, FOLLOWERS_PER_PEER_MAX } from '../../../src/namespace/heads/followers.ts'
import { encodeRequest } from '../../../src/namespace/heads/head-messages.ts'
import type { HeadsRequest } from '../../../src/namespace/heads/head-messages.ts'
import type { HeadStore } from '../../../src/namespace/heads/head-store.ts'
import type { VolumeId } from '../../../src/namespace/heads/head.ts'
import { createMemoryHeadStore } from '../../../src/namespace/heads/memory-head-store.ts'
import { SIGN_OF_LIFE_MS, serveHeads } from '../../../src/namespace/heads/serve-heads.ts'
import type { HeadsServer } from '../../../src/namespace/heads/serve-heads.ts'
import { createOwner } from './fixtures.ts'
import { createManualClock } from './manual-clock.ts'
import type { ManualClock } from './manual-clock.ts'

const test = suite<{ heads: HeadStore; clock: ManualClock; server: HeadsServer }>('serve heads')
test.before.each(context => {
  context.heads = createMemoryHeadStore()
  context.clock = createManualClock()
  const policy = { mayRead: () => true, offers: () => [] }
  context.server = serveHeads({ heads: context.heads, clock: context.clock, policy })
})

const bob = 'bob' as PeerId
const carol = 'carol' as PeerId

function ask(
  server: HeadsServer,
  request: HeadsRequest,
  { from = bob, signal = new AbortController().signal } = {}
): AsyncIterator<OutgoingMessage> {
  const { body } = encodeRequest(request)
  const call = server.handler({ body, payload: new Uint8Array() }, { from, signal })
  return call[Symbol.asyncIterator]()
}

async function next(answers: AsyncIterator<OutgoingMessage>): Promise<unknown> {
  return (await answers.next()).value?.body
}

test('answers with what is held, once for each volume', async ({ heads, server }) => {
  const { volume, sign } = await createOwner()
  const unknown = (await createOwner()).volume
  const head = await sign(1)
  await heads.compareAndSet(undefined, head)
  const answers = ask(server, { kind: 'newest', volumes: [unknown, volume, volume] })
  assert.deepEqual(await next(answers), [head.bytes])
  assert.equal((await answers.next()).done, true)
})

test('passes over a head that cannot be read', async () => {
  const { volume, sign } = await createOwner()
  const damaged = (await createOwner()).volume
  const head = await sign(1)
  const heads = {
    get: async (asked: VolumeId) => {
      if (asked === damaged) throw new Error('damaged')
      return head
    }
  }
  const policy = { mayRead: () => true, offers: () => [] }
  const server = serveHeads({ heads, clock: createManualClock(), policy })
  const answers = ask(server, { kind: 'newest', volumes: [damaged, volume] })
  assert.deepEqual(await next(answers), [head.bytes])
})

test('tells a slow follower the newest only', async ({ server, clock }) => {
  const [one, two] = [await createOwner(), await createOwner()]
  const answers = ask(server, { kind: 'follow', volumes: [one.volume, two.volume] })
  assert.deepEqual(await next(answers), [])
  for (let sequence = 1; sequence <= 50; sequence++) server.publish(await one.sign(sequence))
  server.publish(await two.sign(1))
  // One that arrives late and is old changes nothing.
  server.publish(await one.sign(49))
  const last = [(await one.sign(50)).bytes, (await two.sign(1)).bytes]
  assert.deepEqual(await next(answers), last)
  const waiting = next(answers)
  await clock.advance(10)
  server.publish(await one.sign(51))
  assert.deepEqual(await waiting, [(await one.sign(51)).bytes])
  await answers.return?.()
  assert.equal(clock.waiting, 0)
})

test('does not tell a follower what it told us', async ({ server }) => {
  const { volume, sign } = await createOwner()
  const answers = [bob, carol].map(from =>
    ask(server, { kind: 'follow', volumes: [volume] }, { from })
  )
  for (const each of answers) await next(each)
  server.publish(await sign(1), bob)
  server.publish(await sign(2), carol)
  assert.deepEqual(await next(answers[0]!), [(await sign(2)).bytes])
  assert.deepEqual(await next(answers[1]!), [(await sign(1)).bytes])
})

test('gives a sign of life when there is nothing to tell', async ({ server, clock }) => {
  const { volume } = await createOwner()
  const answers = ask(server, { kind: 'follow', volumes: [volume] })
  await next(answers)
  for (let round = 0; round < 3; round++) {
    let isAnswered = false
    const sign = next(answers).then(body => {
      isAnswered = true
      return body
    })
    await clock.advance(SIGN_OF_LIFE_MS - 1)
    assert.equal(isAnswered, false)
    await clock.advance(1)
    assert.deepEqual(await sign, [])
  }
})

test('ends when the caller cancels and when it is stopped, and leaves no timer', async context => {
  const { server, clock } = context
  const { volume } = await createOwner()
  const caller = new AbortController()
  const cancelled = ask(server, { kind: 'follow', volumes: [volume] }, caller)
  const stopped = ask(server, { kind: 'follow', volumes: [volume] })
  await Promise.all([next(cancelled), next(stopped)])
  const [first, second] = [cancelled.next(), stopped.next()]
  await clock.advance(1)
  assert.equal(clock.waiting, 2)
  caller.abort()
  assert.equal((await first).done, true)
  server.stop()
  assert.equal((await second).done, true)
  assert.equal(clock.waiting, 0)
  assert.equal((await ask(server, { kind: 'follow', volumes: [volume] }).next()).done, false)
})

test('refuses a follower over the limit of its peer, and takes it when one has gone', async context => {
  const { server } = context
  const { volume } = await createOwner()
  const request: HeadsRequest = { kind: 'follow', volumes: [volume] }
  const answers = Array.from({ length: FOLLOWERS_PER_PEER_MAX }, () => ask(server, request))
  for (const each of answers) await next(each)
  await assert.rejects(ask(server, request).next(), { code: 'EBUSY' })
  await next(ask(server, request, { from: carol }))
  await answers[0]!.return?.()
  await next(ask(server, request))
  await assert.rejects(ask(server, request).next(), { code: 'EBUSY' })
})

test('refuses a follower over the limit of all', async ({ server }) => {
  const { volume } = await createOwner()
  const request: HeadsRequest = { kind: 'follow', volumes: [volume] }
  for (let index = 0; index < FOLLOWERS_MAX; index++) {
    await next(ask(server, request, { from: `peer ${index % 100}` as PeerId }))
  }
  await assert.rejects(ask(server, request).next(), { code: 'EBUSY' })
})

test('breaks off on a request that is none', async ({ server }) => {
  const context = { from: bob, signal: new AbortController().signal }
  const request = { body: ['newest', 7], payload: new Uint8Array() }
  const answers = server.handler(request, context)[Symbol.asyncIterator]()
  await assert.rejects(answers.next(), { code: 'EPROTO' })
})

test.run()
