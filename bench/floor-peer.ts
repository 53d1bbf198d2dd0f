/**
 * One side of a floor: bytes from memory over plain TCP, or over a libp2p stream under noise, as it
 * comes or with our primitives.
 */
import { createServer, connect as connectTcp } from 'node:net'
import type { AddressInfo } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { collectWhilePassing, nodePrimitives } from '../src/peer/node-noise/index.ts'
import { answerCalls } from '../test/fixtures/answer-calls.ts'
import { percentile } from './figures.ts'
import { createUsageMeter } from './side.ts'

const PROTOCOL = '/warren-floor/1.0.0'
const PIECE = new Uint8Array(64 * 1024).fill(7)
const REQUEST_BYTES = 8

/** Plain TCP, noise as it comes, and noise as our peers have it. */
export type Kind = 'tcp' | 'noise' | 'our noise'

const nodes: Libp2p[] = []
const servers: { close(): void }[] = []

async function createNode(kind: Kind, listen: string[]): Promise<Libp2p> {
  const own = { crypto: collectWhilePassing(nodePrimitives) }
  const node = await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise(kind === 'our noise' ? own : {})],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    connectionMonitor: { enabled: false }
  })
  nodes.push(node)
  return node
}

/** Answers each request of 8 bytes, the wanted length, with as many bytes. */
async function answer(stream: Stream): Promise<void> {
  let waiting: Uint8Array = new Uint8Array(0)
  const wanted: number[] = []
  let wake = (): void => {}
  stream.addEventListener('message', ({ data }) => {
    waiting = Buffer.concat([waiting, data.subarray()])
    for (; waiting.length >= REQUEST_BYTES; waiting = waiting.subarray(REQUEST_BYTES)) {
      wanted.push(Number(new DataView(waiting.buffer, waiting.byteOffset).getBigUint64(0)))
    }
    wake()
  })
  while (stream.status === 'open') {
    const next = wanted.shift()
    if (next === undefined) {
      await new Promise<void>(resolve => (wake = resolve))
      continue
    }
    for (let rest = next; rest > 0; rest -= PIECE.length) {
      if (!stream.send(PIECE.subarray(0, Math.min(rest, PIECE.length)))) await drained(stream)
    }
  }
}

function drained(stream: Stream): Promise<void> {
  return new Promise(resolve => stream.addEventListener('drain', () => resolve(), { once: true }))
}

/** Asks for bytes and counts what arrives; resolves waiting requests in order. */
class Asker {
  readonly #stream: Stream
  readonly #waiting: { rest: number; readonly resolve: () => void }[] = []

  constructor(stream: Stream) {
    this.#stream = stream
    stream.addEventListener('message', ({ data }) => {
      for (let rest = data.byteLength; rest > 0;) {
        const first = this.#waiting[0]!
        const taken = Math.min(rest, first.rest)
        first.rest -= taken
        rest -= taken
        if (first.rest > 0) return
        this.#waiting.shift()
        first.resolve()
      }
    })
  }

  ask(bytes: number): Promise<void> {
    const request = new Uint8Array(REQUEST_BYTES)
    new DataView(request.buffer).setBigUint64(0, BigInt(bytes))
    const arrived = new Promise<void>(resolve => this.#waiting.push({ rest: bytes, resolve }))
    this.#stream.send(request)
    return arrived
  }
}

async function open(kind: Kind, address: string): Promise<Asker> {
  const node = await createNode(kind, [])
  const connection = await node.dial(multiaddr(address))
  return new Asker(await connection.newStream(PROTOCOL))
}

function receiveTcp(address: string, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(address), '127.0.0.1')
    let rest = bytes
    socket.on('data', data => {
      rest -= data.length
      if (rest > 0) return
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
    socket.write(`${bytes}\n`)
  })
}

async function listenTcp(): Promise<string> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', request => {
      let rest = Number(request.toString())
      const send = (): void => {
        while (rest > 0) {
          rest -= PIECE.length
          if (!socket.write(PIECE)) return
        }
      }
      socket.on('drain', send)
      send()
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return String((server.address() as AddressInfo).port)
}

answerCalls({
  usage: createUsageMeter(),
  listen: async (kind: Kind) => {
    if (kind === 'tcp') return listenTcp()
    const node = await createNode(kind, ['/ip4/127.0.0.1/tcp/0'])
    await node.handle(PROTOCOL, stream => void answer(stream))
    return node.getMultiaddrs()[0]!.toString()
  },
  receive: async (kind: Kind, address: string, bytes: number) => {
    const asker = kind === 'tcp' ? undefined : await open(kind, address)
    const began = performance.now()
    await (asker === undefined ? receiveTcp(address, bytes) : asker.ask(bytes))
    return { milliseconds: performance.now() - began }
  },
  /** One at a time: the median latency in milliseconds. Several at once: requests a second. */
  requests: async (kind: Kind, address: string, count: number, atOnce: number) => {
    const asker = await open(kind, address)
    const latencies: number[] = []
    let left = count
    const began = performance.now()
    const work = async (): Promise<void> => {
      while (left-- > 0) {
        const asked = performance.now()
        await asker.ask(PIECE.length)
        latencies.push(performance.now() - asked)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    const seconds = (performance.now() - began) / 1000
    return atOnce === 1 ? percentile(latencies, 0.5) : count / seconds
  },
  connect: async (kind: Kind, address: string) => {
    const node = await createNode(kind, [])
    const began = performance.now()
    const connection = await node.dial(multiaddr(address))
    await new Asker(await connection.newStream(PROTOCOL)).ask(PIECE.length)
    return performance.now() - began
  },
  stop: async () => {
    for (const node of nodes) await node.stop()
    for (const server of servers) server.close()
  }
})
