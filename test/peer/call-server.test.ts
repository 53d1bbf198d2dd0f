import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { CallServer } from '../../src/peer/call-server.ts'
import { FRAME_TYPES } from '../../src/peer/frames.ts'
import { CALLS_SERVED_MAX, PAYLOAD_BYTES_MAX, REQUEST_BYTES_MAX } from '../../src/peer/limits.ts'
import type { CallHandler, PeerId } from '../../src/peer/peer.ts'
import { within } from '../contracts/peer-contract.ts'
import { eventually } from '../fixtures/eventually.ts'
import type { RawChannel } from './raw-channel.ts'
import { createRawChannel } from './raw-channel.ts'

/** The server with a client that does not keep to the rules. */
const test = suite('call server and a hostile client')

const { REQUEST, ANSWER, END, CANCEL, CREDIT } = FRAME_TYPES
const MALLORY = 'mallory' as PeerId

function serve(handler: CallHandler | undefined): RawChannel & { readonly done: Promise<void> } {
  const raw = createRawChannel()
  const server = new CallServer({ channel: raw.channel, from: MALLORY, handler: () => handler })
  return { ...raw, done: server.run() }
}

/** Yields once and waits until it is aborted. */
const wait: CallHandler = async function* (_, { signal }) {
  yield { body: 'begun' }
  await new Promise(resolve => signal.addEventListener('abort', resolve))
}

function request(call: number, value = 1000): Parameters<RawChannel['send']>[0] {
  return { type: REQUEST, call, value, body: null }
}

async function assertReset(raw: ReturnType<typeof serve>): Promise<void> {
  await within(raw.done)
  await assert.rejects(
    async () => {
      for (;;) await raw.receive()
    },
    { code: 'ECONNRESET' }
  )
}

test('the last answer is the end of a call, and its handler comes to its own end', async () => {
  let isDone = false
  const raw = serve(async function* () {
    yield { body: 'first' }
    yield { body: 'last', last: true }
    isDone = true
    yield { body: 'dropped' }
  })
  raw.send(request(1))
  assert.equal((await raw.receive()).value, 0)
  assert.equal((await raw.receive()).value, 1)
  raw.send(request(2))
  const next = await raw.receive()
  assert.deepEqual([next.call, next.body], [2, 'first'], 'nothing more of the first call')
  assert.ok(isDone)
})

test('ends the channel at junk, and tells its handlers', async () => {
  const aborted = Promise.withResolvers<unknown>()
  const raw = serve(async function* (_, { signal }) {
    signal.addEventListener('abort', () => aborted.resolve(signal.reason))
    yield { body: 'begun' }
    await aborted.promise
  })
  raw.send(request(1))
  assert.equal((await raw.receive()).body, 'begun')
  raw.sendBytes(new Uint8Array(100).fill(0xee))
  await assertReset(raw)
  assert.equal(((await aborted.promise) as { code: string }).code, 'EPROTO')
})

test('ends the channel at frames that only a server sends', async () => {
  for (const type of [ANSWER, END]) {
    const raw = serve(wait)
    raw.send({ type, call: 1, body: null })
    await assertReset(raw)
  }
})

test('ends the channel when a call begins twice', async () => {
  const raw = serve(wait)
  raw.send(request(1))
  raw.send(request(1))
  await assertReset(raw)
})

test('ends the channel at a call without a window', async () => {
  const raw = serve(wait)
  raw.send(request(1, 0))
  await assertReset(raw)
})

test('ends the channel at credit beyond reason', async () => {
  const raw = serve(wait)
  raw.send(request(1))
  for (let round = 0; round < 3; round++) raw.send({ type: CREDIT, call: 1, value: 0xffff_ffff })
  await assertReset(raw)
})

test('ends the calls when the channel is reset within a frame', async () => {
  const aborted = Promise.withResolvers<void>()
  const raw = serve(async function* (_, { signal }) {
    signal.addEventListener('abort', () => aborted.resolve())
    yield { body: 'begun' }
    await aborted.promise
  })
  raw.send(request(1))
  await raw.receive()
  raw.sendBytes(Uint8Array.of(REQUEST, 0, 0))
  raw.wire.abort(new Error('gone'))
  await within(raw.done)
  await within(aborted.promise)
})

test('ignores cancels and credits of calls it does not know', async () => {
  const raw = serve(wait)
  raw.send({ type: CANCEL, call: 99 })
  raw.send({ type: CREDIT, call: 99, value: 5 })
  raw.send(request(1))
  assert.equal((await raw.receive()).body, 'begun')
})

test('refuses one call more than its limit, and serves again when one has ended', async () => {
  const raw = serve(wait)
  for (let call = 1; call <= CALLS_SERVED_MAX; call++) raw.send(request(call))
  for (let call = 1; call <= CALLS_SERVED_MAX; call++) {
    assert.equal((await raw.receive()).type, ANSWER)
  }
  raw.send(request(1000))
  const refusal = await raw.receive()
  assert.deepEqual([refusal.type, refusal.call, refusal.body], [END, 1000, 'EBUSY'])
  raw.send({ type: CANCEL, call: 1 })
  let call = 1000
  await eventually(async () => {
    raw.send(request(++call))
    assert.equal((await raw.receive()).body, 'begun')
  })
})

test('counts cancelled calls until their handlers have ended', async () => {
  const stubborn: CallHandler = async function* () {
    yield { body: 'begun' }
    await new Promise(() => {})
  }
  const raw = serve(stubborn)
  for (let call = 1; call <= CALLS_SERVED_MAX; call++) {
    raw.send(request(call))
    await raw.receive()
    raw.send({ type: CANCEL, call })
  }
  raw.send(request(1000))
  assert.equal((await raw.receive()).body, 'EBUSY')
})

test('refuses requests that together are too large', async () => {
  const raw = serve(wait)
  const payload = [new Uint8Array(PAYLOAD_BYTES_MAX)]
  const fitting = Math.floor(REQUEST_BYTES_MAX / (PAYLOAD_BYTES_MAX + 100))
  for (let call = 1; call <= fitting + 1; call++) raw.send({ ...request(call), payload })
  for (let count = 0; count <= fitting; count++) {
    const { type, call, body } = await raw.receive()
    if (call <= fitting) assert.equal(type, ANSWER)
    else assert.deepEqual([type, body], [END, 'EBUSY'])
  }
})

test('answers with ENOTSUP when nobody serves', async () => {
  const raw = serve(undefined)
  raw.send(request(1))
  assert.equal((await raw.receive()).body, 'ENOTSUP')
})

test('stops reading from a client that does not read its refusals', async () => {
  const raw = serve(undefined)
  for (let call = 1; call <= 100_000; call++) raw.send(request(call))
  // Each refusal has 25 bytes.
  const unsent = (): number => raw.channel.unsentBytes
  await eventually(() => assert.ok(unsent() > 500_000, `${unsent()} bytes wait`))
  await sleep(200)
  assert.ok(unsent() < 1_200_000, `${unsent()} bytes wait`)
})

test('holds one message a call for a client that does not read, whatever its windows', async () => {
  const size = 300_000
  let pulled = 0
  const raw = serve(async function* () {
    for (;;) {
      pulled++
      yield { body: null, payload: [new Uint8Array(size)] }
    }
  })
  for (let call = 1; call <= 20; call++) raw.send(request(call, 0xffff_ffff))
  await sleep(200)
  assert.ok(pulled <= 25, `${pulled} messages pulled`)
  assert.ok(raw.channel.unsentBytes <= 2 * size, `${raw.channel.unsentBytes} bytes wait`)
  // Reading on brings the calls on in turn: none is far ahead of another.
  const received = new Map<number, number>()
  for (let count = 0; count < 200; count++) {
    const { call } = await raw.receive()
    received.set(call, (received.get(call) ?? 0) + 1)
  }
  assert.equal(received.size, 20)
  assert.ok(Math.max(...received.values()) - Math.min(...received.values()) <= 2)
})

test('sends at most one message beyond the window', async () => {
  const raw = serve(async function* () {
    for (;;) yield { body: null, payload: [new Uint8Array(600)] }
  })
  raw.send(request(1, 1000))
  await raw.receive()
  await raw.receive()
  await sleep(20)
  raw.send({ type: CREDIT, call: 1, value: 1 })
  await sleep(20)
  raw.send({ type: CREDIT, call: 1, value: 300 })
  await raw.receive()
  const third = raw.receive()
  assert.equal(await Promise.race([third, sleep(50, 'nothing')]), 'nothing')
  third.catch(() => {})
  raw.wire.abort(new Error('enough'))
  await within(raw.done)
})

test('runs the finally blocks of a handler whose client cancels', async () => {
  const ended = Promise.withResolvers<void>()
  const raw = serve(async function* () {
    try {
      for (;;) yield { body: null, payload: [new Uint8Array(600)] }
    } finally {
      ended.resolve()
    }
  })
  raw.send(request(1, 1000))
  await raw.receive()
  raw.send({ type: CANCEL, call: 1 })
  await within(ended.promise)
})

test.run()
