/** Connections under noise with Node's primitives, towards the stock ones: the same on the wire. */
import { noise, pureJsCrypto } from '@chainsafe/libp2p-noise'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Logger, MessageStream, MultiaddrConnection, Upgrader } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { collectWhilePassing, nodePrimitives } from '../../src/peer/node-noise/index.ts'

const DEADLINE_MS = 20_000

/** Around the frames of noise: one holds 65,519 bytes, and 65,535 on the wire. */
const SIZES = [
  1, 16, 17, 1199, 1200, 8192, 8193, 65_518, 65_519, 65_520, 65_535, 65_536, 65_537, 131_038,
  131_039, 1_000_000
]

/** `undefined` for the primitives that noise brings. */
type Primitives = ICryptoInterface | undefined

const OURS = collectWhilePassing(nodePrimitives)
const PAIRS: readonly (readonly [string, Primitives, Primitives])[] = [
  ['ours to ours', OURS, OURS],
  ['ours to stock', OURS, undefined],
  ['stock to ours', undefined, OURS]
]

const test = suite('noise connections')

for (const [name, dialler, listener] of PAIRS) {
  test(`carry every size whole, ${name}`, async () => {
    for (const chunkSize of [65_536, 1000]) {
      const { alice, bob } = await connect(dialler, listener, { chunkSize })
      for (const size of SIZES) {
        const bytes = randomBytes(size)
        const atBob = gather(bob, size)
        alice.send(bytes)
        assertBytes(await atBob, bytes, `${size} bytes there`)
        const atAlice = gather(alice, size)
        bob.send(bytes)
        assertBytes(await atAlice, bytes, `${size} bytes back`)
      }
      close(alice, bob)
    }
  })
}

test('write the same bytes as under the stock primitives, from the first to the last', async () => {
  const stock = await transcribe(pureJsCrypto)
  const ours = await transcribe(OURS)
  assert.ok(stock.length > 100_000)
  assert.equal(ours.length, stock.length)
  assert.equal(digest(ours), digest(stock))
})

test('never change a chunk that somebody keeps', async () => {
  const pairs = await Promise.all(
    Array.from({ length: 4 }, () => connect(OURS, OURS, { chunkSize: 50_000 }))
  )
  const kept: { readonly chunk: Uint8Array; readonly digest: string }[] = []
  for (const { bob } of pairs) {
    bob.addEventListener('message', ({ data }) => {
      for (const chunk of data instanceof Uint8Array ? [data] : data) {
        kept.push({ chunk, digest: digest(chunk) })
      }
    })
  }
  const sent = await Promise.all(
    pairs.map(async ({ alice, bob }) => {
      const messages = Array.from({ length: 40 }, () => randomBytes(randomInt(1, 200_000)))
      const all = gather(bob, lengthOf(messages))
      for (const message of messages) {
        if (!alice.send(message)) await drained(alice)
      }
      assertBytes(await all, Buffer.concat(messages), 'what was sent')
      return lengthOf(messages)
    })
  )
  const length = sent.reduce((sum, bytes) => sum + bytes)
  assert.equal(lengthOf(kept.map(({ chunk }) => chunk)), length)
  for (const { chunk, digest: then } of kept) assert.equal(digest(chunk), then)
  for (const { alice, bob } of pairs) close(alice, bob)
})

const FORGERIES: Readonly<Record<string, (frame: Uint8Array) => Uint8Array>> = {
  'a bit of the ciphertext is changed': frame => flip(frame, 2),
  'a bit of the tag is changed': frame => flip(frame, frame.length - 1),
  'a frame is repeated': frame => Buffer.concat([frame, frame]),
  'a frame is shorter than its tag': () => Buffer.from([0, 15, ...new Uint8Array(15)]),
  'a frame is made up': () => Buffer.concat([Buffer.from([255, 255]), randomBytes(65_535)])
}

for (const [what, forge] of Object.entries(FORGERIES)) {
  test(`are given up when ${what}, as under the stock primitives`, async () => {
    for (const size of [10, 60_000]) {
      for (const listener of [OURS, undefined]) {
        const { alice, bob, atWire } = await connect(OURS, listener, { chunkSize: 65_536 })
        let heard = 0
        bob.addEventListener('message', ({ data }) => (heard += data.byteLength))
        const closed = once(bob, 'close', { signal: AbortSignal.timeout(DEADLINE_MS) })
        atWire(forge)
        alice.send(randomBytes(size))
        await closed
        assert.equal(bob.status, 'aborted')
        assert.equal(heard, what === 'a frame is repeated' ? size : 0)
        close(alice, bob)
      }
    }
  })
}

test('are refused when the handshake was tampered with', async () => {
  for (const listener of [OURS, undefined]) {
    for (const place of [2, 40, 90, 150]) {
      const attempt = connect(OURS, listener, {
        chunkSize: 65_536,
        forgeHandshake: frame => (frame.length > place ? flip(frame, place) : frame)
      })
      await assert.rejects(attempt, `a changed byte at ${place} of every message`)
    }
  }
})

interface Connected {
  readonly alice: MessageStream
  readonly bob: MessageStream
  /** What to do to the next bytes that alice writes. */
  readonly atWire: (forge: (frame: Uint8Array) => Uint8Array) => void
}

interface ConnectOptions {
  /** How the wire cuts what is sent. */
  readonly chunkSize: number
  readonly forgeHandshake?: (frame: Uint8Array) => Uint8Array
  readonly heard?: (bytes: Uint8Array) => void
}

async function connect(
  dialler: Primitives,
  listener: Primitives,
  { chunkSize, forgeHandshake, heard = () => {} }: ConnectOptions
): Promise<Connected> {
  const [outbound, inbound] = multiaddrConnectionPair({ chunkSize, capacity: 1000 })
  let forgeNext = forgeHandshake
  for (const connection of [outbound, inbound]) {
    const send = connection.send.bind(connection)
    connection.send = data => {
      const bytes = forgeNext?.(data.subarray()) ?? data
      if (forgeHandshake === undefined) forgeNext = undefined
      heard(bytes.subarray())
      return send(bytes)
    }
  }
  const options = {
    signal: AbortSignal.timeout(DEADLINE_MS),
    skipStreamMuxerNegotiation: true
  }
  try {
    const [there, here] = await Promise.all([
      encrypterOf(dialler, 1).secureOutbound(outbound, options),
      encrypterOf(listener, 2).secureInbound(inbound, options)
    ])
    return { alice: there.connection, bob: here.connection, atWire: forge => (forgeNext = forge) }
  } finally {
    if (forgeHandshake !== undefined) abort(outbound, inbound)
  }
}

/** With keys of its own that are always the same. */
function encrypterOf(crypto: Primitives, seed: number): ReturnType<ReturnType<typeof noise>> {
  return noise({
    staticNoiseKey: new Uint8Array(32).fill(seed),
    ...(crypto && { crypto })
  })(components[seed]!)
}

type Components = Parameters<ReturnType<typeof noise>>[0]

const components: Readonly<Record<number, Components>> = {
  1: await componentsOf(1),
  2: await componentsOf(2)
}

async function componentsOf(seed: number): Promise<Components> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))
  const log: Logger = Object.assign(() => {}, {
    enabled: false,
    error: () => {},
    trace: () => {},
    newScope: () => log
  })
  return {
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    logger: { forComponent: () => log },
    upgrader: {} as Upgrader
  }
}

/** All that both sides write when every key is known before. */
async function transcribe(primitives: ICryptoInterface): Promise<Uint8Array> {
  const written: Uint8Array[] = []
  let ephemerals = 0
  const crypto: ICryptoInterface = {
    ...primitives,
    generateX25519KeyPair: () =>
      primitives.generateX25519KeyPairFromSeed(new Uint8Array(32).fill(100 + ephemerals++))
  }
  const { alice, bob } = await connect(crypto, crypto, {
    chunkSize: 65_536,
    heard: bytes => written.push(new Uint8Array(bytes))
  })
  for (const size of [1, 1000, 65_519, 70_000]) {
    const arrived = gather(bob, size)
    alice.send(new Uint8Array(size).fill(size % 251))
    await arrived
  }
  close(alice, bob)
  return Buffer.concat(written)
}

async function gather(stream: MessageStream, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const hear = ({ data }: { readonly data: { slice(): Uint8Array } }): void => {
    parts.push(data.slice())
    if (lengthOf(parts) >= length) resolve(Buffer.concat(parts))
  }
  const deadline = setTimeout(() => {
    reject(new Error(`${lengthOf(parts)} bytes of ${length} came`))
  }, DEADLINE_MS)
  stream.addEventListener('message', hear)
  try {
    return await promise
  } finally {
    clearTimeout(deadline)
    stream.removeEventListener('message', hear)
  }
}

async function drained(stream: MessageStream): Promise<void> {
  await once(stream, 'drain', { signal: AbortSignal.timeout(DEADLINE_MS) })
}

function close(...streams: readonly MessageStream[]): void {
  for (const stream of streams) stream.abort(new Error('the test is over'))
}

function abort(...connections: readonly MultiaddrConnection[]): void {
  for (const connection of connections) connection.abort(new Error('the handshake failed'))
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((length, part) => length + part.length, 0)
}

function flip(bytes: Uint8Array, place: number): Uint8Array {
  const flipped = new Uint8Array(bytes)
  flipped[place]! ^= 1
  return flipped
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function assertBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(Buffer.compare(actual, expected), 0, what)
}

test.run()
