import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { Channel } from '../../src/peer/channel.ts'
import type { Frame } from '../../src/peer/frames.ts'
import { FRAME_TYPES } from '../../src/peer/frames.ts'
import { BATCH_BYTES_MAX } from '../../src/peer/limits.ts'
import { createWirePair } from '../../src/peer/memory-wire.ts'
import { within } from '../contracts/peer-contract.ts'

const test = suite('channel')

const { ANSWER } = FRAME_TYPES

interface Fixture {
  readonly near: Channel
  readonly far: Channel
  /** The sizes of what crossed the wire from near to far. */
  readonly crossed: number[]
}

function connect(): Fixture {
  const crossed: number[] = []
  const { near, far } = createWirePair(
    (bytes, deliver) => {
      crossed.push(bytes)
      deliver()
    },
    (_, deliver) => deliver()
  )
  return { near: new Channel(near), far: new Channel(far), crossed }
}

function send(channel: Channel, body: number, payloadLength: number): void {
  channel.send({ type: ANSWER, call: 1, body, payload: [new Uint8Array(payloadLength)] })
}

async function receive(channel: Channel, count: number): Promise<Frame[]> {
  const frames: Frame[] = []
  const batches = channel.receive()[Symbol.asyncIterator]()
  while (frames.length < count) {
    const { value } = await within(batches.next())
    frames.push(...(value as Frame[]))
  }
  return frames
}

test('sends small frames of one burst together', async () => {
  const { near, far, crossed } = connect()
  for (let body = 0; body < 10; body++) {
    send(near, body, 10)
    // As a handler would, each takes some turns of the microtask queue.
    for (let turn = 0; turn < 6; turn++) await Promise.resolve()
  }
  assert.equal((await receive(far, 10)).length, 10)
  assert.deepEqual(crossed, [10 * (17 + 1 + 10)])
})

test('keeps the order of small and large frames', async () => {
  const { near, far, crossed } = connect()
  const lengths = [1, 2, 100_000, 3, 200_000, 300_000, 4]
  for (const [body, length] of lengths.entries()) send(near, body, length)
  const frames = await receive(far, lengths.length)
  assert.deepEqual(
    frames.map(({ body }) => body),
    [0, 1, 2, 3, 4, 5, 6]
  )
  assert.deepEqual(
    frames.map(({ payload }) => payload.length),
    lengths
  )
  assert.equal(crossed.length, 4)
})

test('holds back no more than its limit, however long the burst', () => {
  const { near, crossed } = connect()
  for (let body = 0; body < 200; body++) {
    send(near, 0, 1000)
    const sent = crossed.reduce((sum, bytes) => sum + bytes, 0)
    assert.ok((body + 1) * (17 + 1 + 1000) - sent < BATCH_BYTES_MAX)
  }
})

test('tells its reader, and throws at senders, when the wire is lost', async () => {
  const { near, far } = connect()
  const reading = receive(near, 1)
  send(near, 0, 10)
  far.abort(new Error('gone'))
  await assert.rejects(within(reading), { code: 'ECONNRESET' })
  assert.throws(() => send(near, 0, 100_000), { code: 'ECONNRESET' })
  await assert.rejects(near.drained(), { code: 'ECONNRESET' })
})

test.run()
