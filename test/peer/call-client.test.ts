import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Call } from '../../src/peer/call.ts'
import { CallClient } from '../../src/peer/call-client.ts'
import { FRAME_TYPES } from '../../src/peer/frames.ts'
import { CALLS_MAX } from '../../src/peer/limits.ts'
import type { CallOptions } from '../../src/peer/peer.ts'
import { within } from '../contracts/peer-contract.ts'
import { createManualClock } from './manual-clock.ts'
import type { ManualClock } from './manual-clock.ts'
import type { RawChannel } from './raw-channel.ts'
import { createRawChannel } from './raw-channel.ts'

/** The client with a server that does not keep to the rules. */
const test = suite('call client and a hostile server')

const { REQUEST, ANSWER, END, CANCEL, CREDIT } = FRAME_TYPES

interface Fixture extends RawChannel {
  readonly client: CallClient
  call(options?: CallOptions): Call
  readonly clock: ManualClock
}

const channels: RawChannel[] = []
test.after.each(() => {
  for (const { wire } of channels.splice(0)) wire.abort(new Error('the test is over'))
})

function connect(): Fixture {
  const raw = createRawChannel()
  channels.push(raw)
  const client = new CallClient(raw.channel)
  const clock = createManualClock()
  void client.run()
  const begin = client.begin.bind(client)
  return {
    ...raw,
    client,
    clock,
    call: options => new Call({ begin, clock }, { body: 'question' }, options)
  }
}

/** Starts a call and waits for its request. */
async function ask(
  raw: Fixture,
  options?: CallOptions
): Promise<{ call: Call; id: number; next: ReturnType<Call['next']> }> {
  const call = raw.call(options)
  const next = call.next()
  next.catch(() => {})
  const request = await raw.receive()
  assert.equal(request.type, REQUEST)
  assert.equal(request.body, 'question')
  return { call, id: request.call, next }
}

test('ends every call with EPROTO at junk', async () => {
  const raw = connect()
  const one = await ask(raw)
  const other = await ask(raw)
  raw.sendBytes(new Uint8Array(50).fill(0xee))
  await assert.rejects(within(one.next), { code: 'EPROTO' })
  await assert.rejects(within(other.next), { code: 'EPROTO' })
  await assert.rejects(raw.call().next(), { code: 'EPROTO' })
})

test('ends every call with EPROTO at frames that only a client sends', async () => {
  for (const fields of [
    { type: REQUEST, call: 1, value: 1, body: null },
    { type: CANCEL, call: 1 },
    { type: CREDIT, call: 1, value: 1 }
  ] as const) {
    const raw = connect()
    const { next } = await ask(raw)
    raw.send(fields)
    await assert.rejects(within(next), { code: 'EPROTO' })
  }
})

test('a call ends with the answer that says it is the last; what comes after is for nobody', async () => {
  const raw = connect()
  const { call, id, next } = await ask(raw)
  raw.send({ type: ANSWER, call: id, value: 1, body: 'only' })
  raw.send({ type: ANSWER, call: id, body: 'late' })
  raw.send({ type: END, call: id, body: 'EIO' })
  assert.equal((await within(next)).value?.body, 'only')
  assert.equal((await within(call.next())).done, true)
  const other = await ask(raw)
  raw.send({ type: END, call: other.id, body: null })
  assert.equal((await within(other.next)).done, true)
})

test('ends every call with EPROTO at an answer with a mark that has no meaning', async () => {
  const raw = connect()
  const { id, next } = await ask(raw)
  raw.send({ type: ANSWER, call: id, value: 2, body: null })
  await assert.rejects(within(next), { code: 'EPROTO' })
})

test('ends every call with EPROTO at an answer beyond the window', async () => {
  const raw = connect()
  const { call, id, next } = await ask(raw, { windowBytes: 1000 })
  const answer = { type: ANSWER, call: id, body: 1, payload: [new Uint8Array(900)] } as const
  for (let count = 0; count < 5; count++) raw.send(answer)
  // The first was awaited, and so taken; two more fit with their overshoot, and are still given.
  await within(next)
  await sleep(10)
  for (let count = 0; count < 2; count++) assert.equal((await call.next()).done, false)
  await assert.rejects(within(drain(call)), { code: 'EPROTO' })
})

test('ends the call with EPROTO at a code it does not know', async () => {
  for (const body of ['ENOSUCHCODE', 7, { code: 'ENOENT' }, 'toString']) {
    const raw = connect()
    const { id, next } = await ask(raw)
    raw.send({ type: END, call: id, body })
    await assert.rejects(within(next), { code: 'EPROTO' })
  }
})

test('ignores answers of calls it does not know, or not any more', async () => {
  const raw = connect()
  raw.send({ type: ANSWER, call: 99, body: 1 })
  raw.send({ type: END, call: 99, body: null })
  const { call, id } = await ask(raw)
  await call.return()
  assert.equal((await raw.receive()).type, CANCEL)
  raw.send({ type: ANSWER, call: id, body: 1 })
  raw.send({ type: END, call: id, body: null })
  const again = await ask(raw)
  raw.send({ type: ANSWER, call: again.id, body: 'answer' })
  assert.equal((await within(again.next)).value?.body, 'answer')
})

test('times out when the server stays silent, and cancels', async () => {
  const raw = connect()
  const { id, next } = await ask(raw, { silenceMs: 50 })
  const other = await ask(raw)
  raw.send({ type: ANSWER, call: other.id, body: 1 })
  await raw.clock.advance(50)
  await assert.rejects(within(next), { code: 'ETIMEDOUT' })
  const cancel = await raw.receive()
  assert.deepEqual([cancel.type, cancel.call], [CANCEL, id])
  assert.equal(raw.client.usable, true, 'something was heard')
})

test('makes no new calls where nothing was heard, and lets those under way finish', async () => {
  const raw = connect()
  const other = await ask(raw)
  const { next } = await ask(raw, { silenceMs: 30 })
  await raw.clock.advance(30)
  await assert.rejects(within(next), { code: 'ETIMEDOUT' })
  assert.equal(raw.client.usable, false)
  raw.send({ type: ANSWER, call: other.id, body: 'late' })
  assert.equal((await within(other.next)).value?.body, 'late')
  raw.send({ type: END, call: other.id, body: null })
  assert.equal((await other.call.next()).done, true)
  assert.equal((await raw.receive()).type, CANCEL)
  await assert.rejects(raw.receive(), { code: 'ECONNRESET' })
})

test('times out within a frame that never ends', async () => {
  const raw = connect()
  const { next } = await ask(raw, { silenceMs: 30 })
  raw.sendBytes(Uint8Array.of(ANSWER, 0, 0, 0, 1))
  await raw.clock.advance(30)
  await assert.rejects(within(next), { code: 'ETIMEDOUT' })
})

test('gives what has arrived before it says that the rest is lost', async () => {
  const raw = connect()
  const { call, id, next } = await ask(raw)
  for (const body of [1, 2, 3]) raw.send({ type: ANSWER, call: id, body })
  await within(next)
  raw.wire.abort(new Error('gone'))
  await sleep(10)
  assert.equal((await call.next()).value?.body, 2)
  assert.equal((await call.next()).value?.body, 3)
  await assert.rejects(call.next(), { code: 'ECONNRESET' })
  assert.equal((await call.next()).done, true)
})

test('gives credit back as answers are taken, not as they arrive', async () => {
  const raw = connect()
  const { call, id, next } = await ask(raw, { windowBytes: 4000 })
  const answer = { type: ANSWER, call: id, body: 1, payload: [new Uint8Array(982)] } as const
  for (let count = 0; count < 4; count++) raw.send(answer)
  await within(next)
  const first = await raw.receive()
  assert.deepEqual([first.type, first.value], [CREDIT, 1000])
  const silent = raw.receive()
  assert.equal(await Promise.race([silent, sleep(30, 'nothing')]), 'nothing')
  await call.next()
  assert.equal((await within(silent)).value, 1000)
})

test('answers several reads at once in order', async () => {
  const raw = connect()
  const { call, id, next } = await ask(raw)
  const reads = [next, call.next(), call.next(), call.next()]
  for (const body of [1, 2]) raw.send({ type: ANSWER, call: id, body })
  raw.send({ type: END, call: id, body: null })
  const results = await within(Promise.all(reads))
  assert.deepEqual(
    results.map(({ value, done }) => (done === true ? 'done' : value?.body)),
    [1, 2, 'done', 'done']
  )
})

test('holds back one call more than its limit, until one has ended', async () => {
  const raw = connect()
  const asked = []
  for (let count = 0; count < CALLS_MAX; count++) asked.push(await ask(raw))
  const late = raw.call({ silenceMs: 5000 })
  const next = late.next()
  await sleep(20)
  raw.send({ type: END, call: asked[5]!.id, body: null })
  const request = await raw.receive()
  assert.equal(request.type, REQUEST)
  raw.send({ type: ANSWER, call: request.call, body: 'late' })
  assert.equal((await within(next)).value?.body, 'late')
  const never = raw.call({ silenceMs: 30 }).next()
  never.catch(() => {})
  await raw.clock.advance(30)
  await assert.rejects(within(never), { code: 'ETIMEDOUT' })
})

test('sends nothing before it is read, and nothing after it was left', async () => {
  const raw = connect()
  const unread = raw.call()
  await unread.return()
  assert.equal((await unread.next()).done, true)
  const { id } = await ask(raw)
  assert.equal(id, 1)
})

async function drain(call: Call): Promise<void> {
  for await (const answer of call) void answer
}

test.run()
