import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Frame, FrameFields } from '../../src/peer/frames.ts'
import { FRAME_TYPES, HEADER_BYTES, decodeFrames, encodeFrame } from '../../src/peer/frames.ts'
import { join } from '../../src/peer/join.ts'
import { BODY_BYTES_MAX, PAYLOAD_BYTES_MAX } from '../../src/peer/limits.ts'

const test = suite('frames')

const { REQUEST, ANSWER, END, CANCEL, CREDIT } = FRAME_TYPES
const EPROTO = { code: 'EPROTO' }

const SAMPLES: FrameFields[] = [
  { type: REQUEST, call: 7, value: 65536, body: { a: 1 }, payload: [Uint8Array.of(0xff)] },
  { type: ANSWER, call: 0xffff_ffff, body: [], payload: [new Uint8Array(5000).fill(3)] },
  { type: ANSWER, call: 1, body: null },
  { type: CREDIT, call: 2, value: 0xffff_ffff },
  { type: CANCEL, call: 3 },
  { type: END, call: 4, body: 'ENOENT' },
  { type: END, call: 5, body: null }
]

async function decode(chunks: Uint8Array[]): Promise<Frame[]> {
  async function* source(): AsyncGenerator<Uint8Array[]> {
    for (const chunk of chunks) yield [chunk]
  }
  const frames: Frame[] = []
  for await (const batch of decodeFrames(source())) frames.push(...batch)
  return frames
}

function header(fields: Partial<Record<'type' | 'body' | 'payload', number>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES))
  view.setUint8(0, fields.type ?? REQUEST)
  view.setUint32(1, 1)
  view.setUint32(5, 1000)
  view.setUint32(9, fields.body ?? 1)
  view.setUint32(13, fields.payload ?? 0)
  return new Uint8Array(view.buffer)
}

function check(frame: Frame | undefined, fields: FrameFields): void {
  assert.equal(frame?.type, fields.type)
  assert.equal(frame.call, fields.call)
  assert.equal(frame.value, fields.value ?? 0)
  assert.deepEqual(frame.body, fields.body)
  assert.deepEqual(frame.payload, join(fields.payload ?? []))
}

test('are written as the comment says', () => {
  const { parts, bytes } = encodeFrame(SAMPLES[0]!)
  assert.equal(Buffer.concat(parts).toString('hex'), '0100000007000100000000000400000001a1616101ff')
  assert.equal(bytes, 22)
})

test('are read however the bytes are cut', async () => {
  const bytes = join(SAMPLES.flatMap(sample => encodeFrame(sample).parts))
  for (const size of [1, 2, 16, 17, 18, 100, 4096, bytes.length]) {
    const chunks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    const frames = await decode(chunks)
    assert.equal(frames.length, SAMPLES.length)
    for (const [index, sample] of SAMPLES.entries()) check(frames[index], sample)
    assert.equal(
      frames.reduce((sum, frame) => sum + frame.bytes, 0),
      bytes.length
    )
  }
})

test('own their payload', async () => {
  const bytes = join(encodeFrame(SAMPLES[1]!).parts)
  const [frame] = await decode([bytes])
  bytes.fill(0)
  assert.ok(frame!.payload.every(byte => byte === 3))
  assert.equal(frame!.payload.buffer.byteLength, 5000)
})

test('copy small payloads and leave large ones alone', () => {
  const small = Uint8Array.of(1)
  const large = new Uint8Array(100_000)
  assert.equal(encodeFrame({ type: ANSWER, call: 1, body: 1, payload: [small] }).parts.length, 1)
  const { parts } = encodeFrame({ type: ANSWER, call: 1, body: 1, payload: [large, small] })
  assert.equal(parts[1], large)
  assert.equal(parts[2], small)
})

test('hold exactly their limits', async () => {
  const largest: FrameFields = {
    type: ANSWER,
    call: 1,
    body: new Uint8Array(BODY_BYTES_MAX - 5),
    payload: [new Uint8Array(PAYLOAD_BYTES_MAX)]
  }
  const [frame] = await decode([...encodeFrame(largest).parts])
  assert.equal(frame?.payload.length, PAYLOAD_BYTES_MAX)
  const payload = [new Uint8Array(PAYLOAD_BYTES_MAX), Uint8Array.of(1)]
  assert.throws(() => encodeFrame({ ...largest, payload }), { code: 'EINVAL' })
  const body = new Uint8Array(BODY_BYTES_MAX - 4)
  assert.throws(() => encodeFrame({ ...largest, body }), { code: 'EINVAL' })
})

test('are refused at their header when they lie about their size', async () => {
  const hostile = {
    'one byte of body too many': header({ body: BODY_BYTES_MAX + 1 }),
    'one byte of payload too many': header({ payload: PAYLOAD_BYTES_MAX + 1 }),
    'four gigabytes': header({ body: 0xffff_ffff, payload: 0xffff_ffff }),
    'type 0': header({ type: 0 }),
    'type 6': header({ type: 6 }),
    'type 255': header({ type: 255 }),
    'a request without body': header({ body: 0 }),
    'a cancel with body': header({ type: CANCEL, body: 1 }),
    'a credit with payload': header({ type: CREDIT, body: 0, payload: 1 }),
    'an end with payload': header({ type: END, payload: 1 })
  }
  for (const [name, bytes] of Object.entries(hostile)) {
    await assert.rejects(decode([bytes]), EPROTO, name)
  }
})

test('are refused when the stream ends within one', async () => {
  const bytes = join(encodeFrame(SAMPLES[0]!).parts)
  for (let length = 1; length < bytes.length; length++) {
    await assert.rejects(decode([bytes.subarray(0, length)]), EPROTO)
  }
})

test('are refused when their body is not valid', async () => {
  await assert.rejects(decode([header({ body: 1 }), Uint8Array.of(0xff)]), EPROTO)
  const deep = new Uint8Array(BODY_BYTES_MAX).fill(0x81)
  await assert.rejects(decode([header({ body: BODY_BYTES_MAX }), deep]), EPROTO)
})

test('of random bytes are refused or harmless', async () => {
  for (let round = 0; round < 2000; round++) {
    const junk = crypto.getRandomValues(new Uint8Array(200))
    junk[0] = 1 + (round % 5)
    await decode([junk]).catch(error => assert.equal(error.code, 'EPROTO'))
  }
})

test.run()
