import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../../src/errors.ts'
import type { IncomingMessage, PeerId } from '../../../src/peer/index.ts'
import {
  FOLLOW_CALLS_MAX,
  PAUSE_MS_MAX,
  Subscription
} from '../../../src/namespace/heads/follow-heads.ts'
import type { FollowComponents } from '../../../src/namespace/heads/follow-heads.ts'
import {
  VOLUMES_PER_REQUEST_MAX,
  decodeRequest
} from '../../../src/namespace/heads/head-messages.ts'
import type { VolumeId } from '../../../src/namespace/heads/head.ts'
import { createVolumeId } from '../../../src/namespace/heads/volume-id.ts'
import { createManualClock, settle } from './manual-clock.ts'

const test = suite('follow heads')
const alice = 'alice' as PeerId

type Answer = (signal: AbortSignal) => AsyncGenerator<unknown>

/** A peer that answers follow calls as told, and what was asked of it in calls that are open now. */
function createSource(answer: Answer) {
  const clock = createManualClock()
  const open = new Set<readonly VolumeId[]>()
  let calls = 0
  const components: FollowComponents = {
    clock,
    random: () => 0.5,
    learn: async () => {},
    peer: {
      async *call(_peer, _protocol, request, options): AsyncGenerator<IncomingMessage> {
        calls++
        const asked = decodeRequest(request.body)
        assert.ok(asked.kind === 'follow')
        open.add(asked.volumes)
        try {
          for await (const body of answer(options!.signal!)) {
            yield { body, payload: new Uint8Array() }
          }
        } finally {
          open.delete(asked.volumes)
        }
      }
    }
  }
  return { clock, components, open, calls: () => calls }
}

async function* answerUntilAborted(signal: AbortSignal): AsyncGenerator<unknown> {
  yield []
  await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  throw signal.reason
}

function volumes(count: number, from = 0): Set<VolumeId> {
  return new Set(
    Array.from({ length: count }, (_, index) => {
      const key = new Uint8Array(32)
      new DataView(key.buffer).setUint32(0, from + index)
      return createVolumeId(key)
    })
  )
}

function sizes(open: Iterable<readonly VolumeId[]>): number[] {
  return [...open].map(list => list.length).sort((one, other) => other - one)
}

test('gathers volumes into full calls and leaves those alone', async () => {
  const { components, open, calls } = createSource(answerUntilAborted)
  const subscription = new Subscription(alice, components)
  subscription.follow(volumes(300))
  await settle()
  assert.deepEqual(sizes(open), [VOLUMES_PER_REQUEST_MAX, 44])
  subscription.follow(volumes(310))
  await settle()
  assert.deepEqual(sizes(open), [VOLUMES_PER_REQUEST_MAX, 54])
  assert.equal(calls(), 3)
  subscription.follow(volumes(310))
  await settle()
  assert.equal(calls(), 3)
  subscription.follow(volumes(1))
  await settle()
  assert.deepEqual(sizes(open), [1])
  subscription.stop()
  await settle()
  assert.equal(open.size, 0)
})

test('makes no more calls at a peer than allowed', async () => {
  const { components, open } = createSource(answerUntilAborted)
  const subscription = new Subscription(alice, components)
  subscription.follow(volumes(FOLLOW_CALLS_MAX * VOLUMES_PER_REQUEST_MAX + 1))
  await settle()
  assert.equal(open.size, FOLLOW_CALLS_MAX)
  subscription.stop()
})

for (const code of ['ECONNRESET', 'EBUSY', 'ENOTSUP'] as const) {
  test(`asks a peer that answers ${code} ever more rarely`, async () => {
    // oxlint-disable-next-line require-yield
    const { components, clock, calls } = createSource(async function* () {
      throw new WarrenError(code)
    })
    const subscription = new Subscription(alice, components)
    subscription.follow(volumes(1))
    await clock.advance(10_000)
    const early = calls()
    assert.ok(code === 'ENOTSUP' ? early === 1 : early >= 3 && early <= 6, `${early} calls`)
    await clock.advance(20 * PAUSE_MS_MAX)
    const more = calls() - early
    assert.ok(more >= 15 && more <= 30, `${more} calls`)
    subscription.stop()
    assert.equal(clock.waiting, 0)
    await clock.advance(2 * PAUSE_MS_MAX)
    assert.equal(calls(), early + more)
  })
}

test('asks ever more rarely also when the peer answers before it breaks off', async () => {
  const { components, clock, calls } = createSource(async function* () {
    yield []
    throw new WarrenError('ECONNRESET')
  })
  const subscription = new Subscription(alice, components)
  subscription.follow(volumes(1))
  await clock.advance(20 * PAUSE_MS_MAX)
  assert.ok(calls() < 40, `${calls()} calls`)
  subscription.stop()
})

test('breaks off when a record is refused, and need not wait when the peer is back', async () => {
  const { components, clock, calls } = createSource(async function* (signal) {
    yield [new Uint8Array(10)]
    yield* answerUntilAborted(signal)
  })
  const learn = async (): Promise<void> => {
    throw new WarrenError('EBADMSG')
  }
  const subscription = new Subscription(alice, { ...components, learn })
  subscription.follow(volumes(1))
  await settle()
  assert.equal(calls(), 1)
  assert.equal(clock.waiting, 1)
  subscription.retry()
  await settle()
  assert.equal(calls(), 2)
  subscription.stop()
  assert.equal(clock.waiting, 0)
})

test('reads no further while a head is being taken in', async () => {
  let yielded = 0
  const { components } = createSource(async function* () {
    for (; yielded < 100; yielded++) yield [new Uint8Array(10)]
  })
  const learn = (): Promise<void> => new Promise(() => {})
  const subscription = new Subscription(alice, { ...components, learn })
  subscription.follow(volumes(1))
  await settle()
  assert.equal(yielded, 0)
  subscription.stop()
})

test.run()
