/** The suite every peer passes, whatever its network. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { WarrenError } from '../../src/errors.ts'
import type {
  CallHandler,
  CallOptions,
  IncomingMessage,
  OutgoingMessage,
  Peer,
  PeerId,
  Protocol
} from '../../src/peer/index.ts'
import { eventually } from '../fixtures/eventually.ts'

export interface PeerFixture {
  /** A peer that is not started, of the one network of the running test. */
  createPeer(): Promise<Peer>
  /** After each test, when its peers have stopped. */
  destroy?(): Promise<void>
}

export const ECHO: Protocol = '/warren/test-echo/1.0.0'
export const COUNT: Protocol = '/warren/test-count/1.0.0'

/** Ends a test that would hang. */
const TEST_MS_MAX = 40_000

export function testPeer(name: string, fixture: PeerFixture): void {
  const test = suite<{ alice: Peer; bob: Peer; carol: Peer }>(`peer: ${name}`)

  test.before.each(async context => {
    context.alice = await fixture.createPeer()
    context.bob = await fixture.createPeer()
    context.carol = await fixture.createPeer()
    await Promise.all([context.alice.start(), context.bob.start(), context.carol.start()])
    await introduce(context.alice, context.bob)
  })
  test.after.each(async ({ alice, bob, carol }) => {
    for (const peer of [alice, bob, carol]) await peer.stop()
    await fixture.destroy?.()
  })

  test('echoes a body and a payload', async ({ alice, bob }) => {
    bob.serve(ECHO, echo)
    const body = { text: 'hé', list: [1, -2, 2 ** 40, 0.5, null, true], bytes: Uint8Array.of(1, 2) }
    const payload = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]
    const [answer, ...others] = await collect(alice, bob.id, { body, payload })
    assert.deepEqual(answer, { body, payload: Uint8Array.of(1, 2, 3) })
    assert.deepEqual(others, [])
  })

  test('prepares for calls, and says why it cannot', async ({ alice, bob, carol }) => {
    bob.serve(ECHO, echo)
    await Promise.all([alice.prepare(bob.id, ECHO), alice.prepare(bob.id, ECHO)])
    assert.deepEqual(alice.connected(), [bob.id])
    assert.equal((await collect(alice, bob.id, { body: 1 })).length, 1)
    await assert.rejects(alice.prepare(bob.id, COUNT), { code: 'ENOTSUP' })
    await assert.rejects(alice.prepare(carol.id, ECHO), { code: 'EHOSTUNREACH' })
  })

  test('carries the largest payload, and refuses one byte more', async ({ alice, bob }) => {
    bob.serve(ECHO, echo)
    const payload = new Uint8Array(4 * 1024 * 1024).map((_, index) => index)
    const [answer] = await collect(alice, bob.id, { body: null, payload: [payload] })
    assert.deepEqual(answer?.payload, payload)
    const over = { body: null, payload: [payload, Uint8Array.of(1)] }
    await assert.rejects(collect(alice, bob.id, over), { code: 'EINVAL' })
    await assert.rejects(collect(alice, bob.id, { body: payload }), { code: 'EINVAL' })
    assert.equal((await collect(alice, bob.id, { body: 1 })).length, 1, 'still works')
  })

  test('shares no memory between caller and handler', async ({ alice, bob }) => {
    const sent = { body: { list: [1] }, payload: [Uint8Array.of(1)] }
    const kept: OutgoingMessage = { body: { list: [2] }, payload: [Uint8Array.of(2)] }
    bob.serve(ECHO, async function* (request) {
      ;(request.body as { list: number[] }).list.push(9)
      request.payload[0] = 9
      yield kept
    })
    const [answer] = await collect(alice, bob.id, sent)
    answer!.payload[0] = 9
    assert.deepEqual(sent, { body: { list: [1] }, payload: [Uint8Array.of(1)] })
    assert.deepEqual(kept.payload, [Uint8Array.of(2)])
  })

  test('lets a handler use its buffer again for the next answer', async ({ alice, bob }) => {
    bob.serve(ECHO, async function* () {
      const buffer = new Uint8Array(100_000)
      for (let index = 1; index <= 50; index++) yield { body: index, payload: [buffer.fill(index)] }
    })
    const answers = await collect(alice, bob.id, { body: null })
    assert.equal(answers.length, 50)
    for (const { body, payload } of answers) {
      assert.equal(payload.length, 100_000)
      assert.ok(payload.every(byte => byte === body))
    }
  })

  test('yields answers in order and says who asks', async ({ alice, bob }) => {
    const callers: PeerId[] = []
    bob.serve(COUNT, async function* (request, { from }) {
      callers.push(from)
      yield* countTo(request.body as number)
    })
    const answers = await collect(alice, bob.id, { body: 300 }, COUNT)
    assert.deepEqual(
      answers.map(({ body }) => body),
      Array.from({ length: 300 }, (_, index) => index)
    )
    assert.deepEqual(callers, [alice.id])
  })

  test('ends a call without answers', async ({ alice, bob }) => {
    bob.serve(COUNT, () => countTo(0))
    assert.deepEqual(await collect(alice, bob.id, { body: null }, COUNT), [])
  })

  test('gives the caller the code a handler threw, after its answers', async ({ alice, bob }) => {
    bob.serve(COUNT, async function* () {
      yield { body: 'first' }
      throw new WarrenError('ENOENT', { path: '/secret' })
    })
    const answers: unknown[] = []
    const calling = (async () => {
      for await (const { body } of alice.call(bob.id, COUNT, { body: null })) answers.push(body)
    })()
    await assert.rejects(calling, error => {
      assert.ok(error instanceof WarrenError)
      assert.equal(error.code, 'ENOENT')
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
    assert.deepEqual(answers, ['first'])
  })

  test('gives the caller EIO, and no details, for any other error', async ({ alice, bob }) => {
    bob.serve(COUNT, () => {
      throw new Error('my secret')
    })
    await assert.rejects(collect(alice, bob.id, { body: null }, COUNT), error => {
      assert.ok(error instanceof WarrenError)
      assert.equal(error.code, 'EIO')
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  })

  test('gives ENOTSUP for a protocol that is not served, or no longer', async ({ alice, bob }) => {
    await assert.rejects(collect(alice, bob.id, { body: 1 }), { code: 'ENOTSUP' })
    const stop = bob.serve(ECHO, echo)
    assert.throws(() => bob.serve(ECHO, echo), { code: 'EEXIST' })
    assert.equal((await collect(alice, bob.id, { body: 1 })).length, 1)
    stop()
    stop()
    await assert.rejects(collect(alice, bob.id, { body: 1 }), { code: 'ENOTSUP' })
    bob.serve(ECHO, echo)
    assert.equal((await collect(alice, bob.id, { body: 1 })).length, 1)
  })

  test('calls both ways at once', async ({ alice, bob }) => {
    alice.serve(ECHO, echo)
    bob.serve(ECHO, echo)
    await alice.dial(bob.id)
    const bodies = await Promise.all([
      collect(alice, bob.id, { body: 'to bob' }),
      collect(bob, alice.id, { body: 'to alice' })
    ])
    assert.deepEqual(
      bodies.map(([answer]) => answer?.body),
      ['to bob', 'to alice']
    )
  })

  test('carries 200 calls at once', async ({ alice, bob }) => {
    bob.serve(COUNT, request => countTo(request.body as number, 2000))
    const counts = Array.from({ length: 200 }, (_, index) => index % 20)
    const answers = await Promise.all(
      counts.map(count => collect(alice, bob.id, { body: count }, COUNT))
    )
    assert.deepEqual(
      answers.map(({ length }) => length),
      counts
    )
  })

  test('lets more calls than its limit wait their turn', async ({ alice, bob }) => {
    let running = 0
    let most = 0
    bob.serve(COUNT, async function* () {
      most = Math.max(most, ++running)
      await sleep(1)
      running--
      yield { body: null }
    })
    const calls = Array.from({ length: 700 }, () => collect(alice, bob.id, { body: 1 }, COUNT))
    for (const answers of await Promise.all(calls)) assert.equal(answers.length, 1)
    assert.ok(most <= 256, `${most} at once`)
  })

  test('pulls a handler only as far as the window reaches', async ({ alice, bob }) => {
    let pulled = 0
    bob.serve(COUNT, async function* () {
      for (; pulled < 1000; pulled++) yield { body: pulled, payload: [new Uint8Array(10_000)] }
    })
    const options = { windowBytes: 50_000 }
    const answers = iterate(alice, bob.id, COUNT, options)
    await answers.next()
    await eventually(() => assert.ok(pulled >= 4, `${pulled} pulled after one was taken`))
    await sleep(100)
    assert.ok(pulled <= 7, `${pulled} pulled after one was taken`)
    for (let taken = 1; taken < 100; taken++) await answers.next()
    await sleep(50)
    assert.ok(pulled >= 100 && pulled <= 107, `${pulled} pulled after 100 were taken`)
    await answers.return?.()
  })

  test('moves messages that are larger than the window', async ({ alice, bob }) => {
    bob.serve(COUNT, () => countTo(20, 10_000))
    const answers = await collect(alice, bob.id, { body: null }, COUNT, { windowBytes: 1 })
    assert.equal(answers.length, 20)
  })

  test('tells the handler when the caller leaves early', async ({ alice, bob }) => {
    const ended = Promise.withResolvers<boolean>()
    bob.serve(COUNT, async function* (_, { signal }) {
      try {
        for (;;) yield { body: null, payload: [new Uint8Array(1000)] }
      } finally {
        ended.resolve(signal.aborted)
      }
    })
    for await (const answer of alice.call(bob.id, COUNT, { body: null })) {
      assert.equal(answer.payload.length, 1000)
      break
    }
    assert.equal(await within(ended.promise), true)
  })

  test('ends a subscription whose next answer is awaited', async ({ alice, bob }) => {
    const aborted = Promise.withResolvers<void>()
    bob.serve(COUNT, async function* (_, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve())
      yield { body: 'begun' }
      await aborted.promise
    })
    const answers = iterate(alice, bob.id, COUNT, { silenceMs: Infinity })
    assert.equal((await answers.next()).value?.body, 'begun')
    const next = answers.next()
    await answers.return?.()
    assert.deepEqual(await within(next), { done: true, value: undefined })
    await within(aborted.promise)
  })

  test('rejects with the reason of the signal and cancels', async ({ alice, bob }) => {
    const aborted = Promise.withResolvers<void>()
    bob.serve(COUNT, async function* (_, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve())
      yield { body: 1 }
      await aborted.promise
    })
    const controller = new AbortController()
    const answers = iterate(alice, bob.id, COUNT, { signal: controller.signal })
    await answers.next()
    const next = answers.next()
    controller.abort(new Error('enough'))
    await assert.rejects(within(next), /enough/)
    await within(aborted.promise)
    const late = iterate(alice, bob.id, COUNT, { signal: controller.signal })
    await assert.rejects(late.next(), /enough/)
    await assert.rejects(alice.dial(strangerId, { signal: controller.signal }), /enough/)
  })

  test('gives up a peer that stays silent', async ({ alice, bob }) => {
    const aborted = Promise.withResolvers<void>()
    bob.serve(COUNT, async function* (_, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve())
      yield { body: 1 }
      await aborted.promise
    })
    // So long that a slow machine is not taken for a silent peer.
    const answers = iterate(alice, bob.id, COUNT, { silenceMs: 1_000 })
    await answers.next()
    await sleep(1_100)
    const started = performance.now()
    await assert.rejects(answers.next(), { code: 'ETIMEDOUT' })
    assert.ok(performance.now() - started >= 950, 'the silence counts from when we wait')
    await within(aborted.promise)
  })

  test('refuses options that make no sense', async ({ alice, bob }) => {
    for (const options of [{ windowBytes: 0 }, { windowBytes: 2 ** 32 }, { silenceMs: 0 }]) {
      assert.throws(() => alice.call(bob.id, ECHO, { body: 1 }, options), TypeError)
    }
  })

  test('resets the calls of a peer that stops, at both ends', async ({ alice, bob }) => {
    const aborted = Promise.withResolvers<unknown>()
    bob.serve(COUNT, async function* (_, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason))
      yield { body: 1 }
      await aborted.promise
    })
    const disconnected = once(alice, 'disconnect')
    const answers = iterate(alice, bob.id, COUNT, { silenceMs: Infinity })
    await answers.next()
    const next = answers.next()
    next.catch(() => {})
    await bob.stop()
    await assert.rejects(within(next), { code: 'ECONNRESET' })
    const reason = await within(aborted.promise)
    assert.ok(reason instanceof WarrenError && reason.code === 'ECONNRESET')
    assert.equal(await within(disconnected), bob.id)
    assert.deepEqual(alice.connected(), [])
    await assert.rejects(within(collect(alice, bob.id, { body: 1 })), { code: 'EHOSTUNREACH' })
  })

  test('ends its own calls when it stops', async ({ alice, bob }) => {
    bob.serve(COUNT, async function* (_, { signal }) {
      yield { body: 1 }
      await new Promise(resolve => signal.addEventListener('abort', resolve))
    })
    const answers = iterate(alice, bob.id, COUNT, { silenceMs: Infinity })
    await answers.next()
    const next = answers.next()
    next.catch(() => {})
    await alice.stop()
    await assert.rejects(within(next), { code: 'ECONNRESET' })
    await assert.rejects(within(collect(alice, bob.id, { body: 1 })), { code: 'EHOSTUNREACH' })
  })

  test('starts and stops twice, and again', async ({ alice, bob }) => {
    bob.serve(ECHO, echo)
    await bob.start()
    await Promise.all([bob.stop(), bob.stop()])
    await bob.stop()
    assert.deepEqual(bob.addresses(), [])
    await Promise.all([bob.start(), bob.start()])
    await introduce(alice, bob)
    assert.equal((await collect(alice, bob.id, { body: 1 })).length, 1)
  })

  test('dials by id and by address, once', async ({ alice, bob }) => {
    const seenByBob = once(bob, 'connect')
    const seenByAlice = once(alice, 'connect')
    assert.equal(await alice.dial(bob.id), bob.id)
    assert.equal(await within(seenByBob), alice.id)
    assert.equal(await within(seenByAlice), bob.id)
    assert.equal(await alice.dial(bob.addresses()[0]!), bob.id)
    assert.deepEqual(alice.connected(), [bob.id])
    assert.deepEqual(bob.connected(), [alice.id])
    const known = alice.known().find(({ id }) => id === bob.id)
    assert.equal(known?.connected, true)
    assert.ok(known?.addresses.every(address => address.endsWith(`/p2p/${bob.id}`)))
  })

  test('does not take another peer for the one in the address', async ({ alice, bob, carol }) => {
    const address = bob.addresses()[0]!.replace(`/p2p/${bob.id}`, `/p2p/${carol.id}`)
    await assert.rejects(within(alice.dial(address)), error => {
      assert.ok(error instanceof WarrenError)
      return error.code === 'EHOSTUNREACH' || error.code === 'ETIMEDOUT'
    })
    assert.ok(!alice.connected().includes(carol.id))
  })

  test('reaches nobody it has no address of, nor itself', async ({ alice }) => {
    const code = 'EHOSTUNREACH'
    await assert.rejects(within(alice.dial(strangerId)), { code })
    await assert.rejects(within(collect(alice, strangerId, { body: 1 })), { code })
    await assert.rejects(alice.dial(alice.id), { code })
    await assert.rejects(alice.dial('nowhere'), { code: 'EINVAL' })
    await assert.rejects(collect(alice, alice.id, { body: 1 }), { code })
  })

  test('remembers addresses without dialling', async ({ alice, carol }) => {
    await alice.remember(carol.id, carol.addresses())
    assert.deepEqual(alice.connected(), [])
    const known = alice.known().find(({ id }) => id === carol.id)
    assert.equal(known?.connected, false)
    assert.ok(known.addresses.includes(carol.addresses()[0]!))
    assert.equal(await alice.dial(carol.id), carol.id)
  })

  test('keeps a connection to a peer that comes back', async ({ alice, bob }) => {
    const first = once(alice, 'connect')
    await alice.keep(bob.id)
    assert.equal(await within(first), bob.id)
    const lost = once(alice, 'disconnect')
    await bob.stop()
    await within(lost)
    await bob.start()
    await alice.remember(bob.id, bob.addresses())
    const again = once(alice, 'connect')
    assert.equal(await within(again), bob.id)
    await alice.release(bob.id)
    const gone = once(alice, 'disconnect')
    await bob.stop()
    await within(gone)
  })

  test('calls again after the other peer was away', async ({ alice, bob }) => {
    bob.serve(ECHO, echo)
    assert.equal((await collect(alice, bob.id, { body: 1 })).length, 1)
    const lost = once(alice, 'disconnect')
    await bob.stop()
    await within(lost)
    await bob.start()
    await alice.remember(bob.id, bob.addresses())
    assert.equal((await within(collect(alice, bob.id, { body: 1 }))).length, 1)
  })

  test.run()
}

/** Of a key that nobody has. */
const strangerId = '12D3KooWBXNzvHoUXbCWTyQKbhaVBHaqFeAjEtnBJ7fZtbWBv3Lc' as PeerId

/** Makes one peer know how to reach another. */
export async function introduce(one: Peer, other: Peer): Promise<void> {
  await one.remember(other.id, other.addresses())
}

export const echo: CallHandler = async function* ({ body, payload }) {
  yield { body, payload: [payload] }
}

export async function* countTo(count: number, bytes = 10): AsyncGenerator<OutgoingMessage> {
  for (let index = 0; index < count; index++) {
    yield { body: index, payload: [new Uint8Array(bytes)] }
  }
}

export async function collect(
  caller: Peer,
  callee: PeerId,
  request: OutgoingMessage,
  protocol: Protocol = ECHO,
  options?: CallOptions
): Promise<IncomingMessage[]> {
  const answers: IncomingMessage[] = []
  for await (const answer of caller.call(callee, protocol, request, options)) answers.push(answer)
  return answers
}

function iterate(
  caller: Peer,
  callee: PeerId,
  protocol: Protocol,
  options: CallOptions
): AsyncIterator<IncomingMessage> {
  return caller.call(callee, protocol, { body: null }, options)[Symbol.asyncIterator]()
}

export function once(peer: Peer, type: 'found' | 'connect' | 'disconnect'): Promise<PeerId> {
  const { promise, resolve } = Promise.withResolvers<PeerId>()
  peer.events.addEventListener(type, event => resolve(event.detail), { once: true })
  return promise
}

/** Rejects when a promise takes so long that a test would hang. */
export async function within<Value>(
  promise: Promise<Value>,
  ms: number = TEST_MS_MAX
): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`not within ${ms} ms`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
