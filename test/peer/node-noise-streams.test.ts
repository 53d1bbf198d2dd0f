/** Whole nodes over TCP, one with Node's primitives and one as it comes, with many streams at once. */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { collectWhilePassing, nodePrimitives } from '../../src/peer/node-noise/index.ts'

const PROTOCOL = '/warren-test/echo/1.0.0'
const STREAMS = 8
const BYTES_MAX = 3_000_000
const DEADLINE_MS = 30_000

const OURS = { crypto: collectWhilePassing(nodePrimitives) }

const test = suite('noise streams')

for (const [name, dialler, listener] of [
  ['ours dials stock', OURS, {}],
  ['stock dials ours', {}, OURS]
] as const) {
  test(`carry what was sent when many are open, ${name}`, async () => {
    const alice = await startNode(dialler, [])
    const bob = await startNode(listener, ['/ip4/127.0.0.1/tcp/0'])
    try {
      await bob.handle(PROTOCOL, stream => echo(stream))
      const connection = await alice.dial(bob.getMultiaddrs()[0]!)
      await Promise.all(
        Array.from({ length: STREAMS }, async () => {
          const bytes = randomBytes(randomInt(1, BYTES_MAX))
          assert.equal(await askFor(await connection.newStream(PROTOCOL), bytes), digest(bytes))
        })
      )
    } finally {
      await Promise.all([alice.stop(), bob.stop()])
    }
  })
}

function startNode(init: Parameters<typeof noise>[0], listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise(init)],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false }
  })
}

/** Sends back what comes, and holds the other side back when it does not read. */
function echo(stream: Stream): void {
  stream.addEventListener('message', ({ data }) => {
    if (!stream.send(data)) stream.pause()
  })
  stream.addEventListener('drain', () => {
    if (stream.readStatus === 'paused') stream.resume()
  })
}

/** Sends the bytes in pieces of any size; resolves to the digest of what came back. */
async function askFor(stream: Stream, bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const arrived = new Promise<void>((resolve, reject) => {
    let rest = bytes.length
    stream.addEventListener('message', ({ data }) => {
      hash.update(data.subarray())
      rest -= data.byteLength
      if (rest === 0) resolve()
    })
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed early')))
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
  const send = async (): Promise<void> => {
    for (let start = 0; start < bytes.length;) {
      const end = start + randomInt(1, 300_000)
      if (!stream.send(bytes.subarray(start, end))) await once(stream, 'drain', { signal })
      start = end
    }
  }
  await Promise.all([send(), arrived])
  stream.abort(new Error('the test is over'))
  return hash.digest('hex')
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test.run()
