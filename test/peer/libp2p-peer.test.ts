import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { yamux } from '@chainsafe/libp2p-yamux'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Peer } from '../../src/peer/index.ts'
import { createLibp2pPeer, createSigningKey, peerIdOf } from '../../src/peer/index.ts'
import { createNodePeer } from '../../src/peer/node-peer.ts'
import type { NodePeerOptions } from '../../src/peer/node-peer.ts'
import { COUNT, ECHO, collect, countTo, echo, once, within } from '../contracts/peer-contract.ts'
import { eventually } from '../fixtures/eventually.ts'

/** What only real sockets and libp2p nodes can show. */
const test = suite<{ stack: AsyncDisposableStack }>('libp2p peer')

test.before.each(context => {
  context.stack = new AsyncDisposableStack()
})
test.after.each(({ stack }) => stack.disposeAsync())

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

async function startPeer(stack: AsyncDisposableStack, options?: NodePeerOptions): Promise<Peer> {
  const peer = await createNodePeer({ listen: [LOOPBACK], discovery: false, ...options })
  stack.defer(() => peer.stop())
  await peer.start()
  return peer
}

async function startNode(stack: AsyncDisposableStack): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: [LOOPBACK] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() }
  })
  stack.defer(async () => node.stop())
  return node
}

test('has the id of its key, and keeps it', async ({ stack }) => {
  const key = await createSigningKey()
  const alice = await startPeer(stack, { key })
  assert.equal(alice.id, peerIdOf(key.publicKey))
  assert.ok(alice.addresses()[0]?.endsWith(`/p2p/${alice.id}`))
})

test('connects twelve that arrive at once', async ({ stack }) => {
  const host = await startPeer(stack)
  host.serve(ECHO, echo)
  const guests = await Promise.all(
    Array.from({ length: 12 }, () => startPeer(stack, { listen: [] }))
  )
  const [address] = host.addresses()
  const answers = await within(
    Promise.all(
      guests.map(async guest => collect(guest, await guest.dial(address!), { body: guest.id }))
    )
  )
  assert.equal(answers.flat().length, 12)
  assert.equal(host.connected().length, 12)
})

test('remembers and keeps its bootstrap peers', async ({ stack }) => {
  const host = await startPeer(stack)
  const connected = once(host, 'connect')
  const guest = await startPeer(stack, { bootstrap: host.addresses() })
  assert.equal(await within(connected), guest.id)
  await assert.rejects(createNodePeer({ bootstrap: ['/ip4/127.0.0.1/tcp/1'] }), { code: 'EINVAL' })
  await assert.rejects(createNodePeer({ bootstrap: ['here'] }), { code: 'EINVAL' })
})

test('learns where those listen that came to it', async ({ stack }) => {
  const alice = await startPeer(stack)
  const bob = await startPeer(stack)
  await alice.dial(bob.addresses()[0]!)
  const learnt = (): boolean =>
    bob
      .known()
      .some(({ id, addresses }) => id === alice.id && addresses.includes(alice.addresses()[0]!))
  await eventually(() => assert.ok(learnt()))
})

test("works on an app's own node, and leaves it running", async ({ stack }) => {
  const node = await startNode(stack)
  const alice = await createLibp2pPeer({ libp2p: node })
  await alice.start()
  const bob = await startPeer(stack)
  bob.serve(ECHO, echo)
  alice.serve(ECHO, echo)
  assert.equal(alice.id, node.peerId.toString())
  const seen = once(bob, 'connect')
  const id = await alice.dial(bob.addresses()[0]!)
  assert.equal(await within(seen), alice.id)
  assert.equal((await collect(alice, id, { body: 1 })).length, 1)
  assert.equal((await collect(bob, alice.id, { body: 1 })).length, 1)
  await alice.stop()
  assert.equal(node.status, 'started')
  assert.deepEqual(alice.connected(), [])
  assert.equal(node.getProtocols().filter(protocol => protocol.startsWith('/warren/')).length, 0)
  await alice.start()
  assert.equal((await within(collect(alice, id, { body: 1 }))).length, 1)
  await alice.stop()
})

test('does not take any libp2p node for a peer', async ({ stack }) => {
  const stranger = await startNode(stack)
  const alice = await startPeer(stack)
  const address = stranger.getMultiaddrs()[0]!.toString()
  await assert.rejects(within(alice.dial(address)), { code: 'EHOSTUNREACH' })
  assert.deepEqual(alice.connected(), [])
  await stranger.dial(multiaddr(alice.addresses()[0]!))
  assert.deepEqual(alice.connected(), [])
})

test('dials nowhere in bounded time', async ({ stack }) => {
  const alice = await startPeer(stack)
  const refused = '/ip4/127.0.0.1/tcp/1'
  await assert.rejects(within(alice.dial(refused)), { code: 'EHOSTUNREACH' })
  await assert.rejects(alice.dial('nonsense'), { code: 'EINVAL' })
  const controller = new AbortController()
  const dialling = alice.dial('/ip4/192.0.2.1/tcp/1', { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(within(dialling), /enough/)
})

test('outlives a node that sends junk', async ({ stack }) => {
  const bob = await startPeer(stack)
  bob.serve(ECHO, echo)
  const mallory = await startNode(stack)
  const junk = [
    new Uint8Array(1),
    new Uint8Array(100_000).fill(0xff),
    crypto.getRandomValues(new Uint8Array(50_000)),
    Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 16, 0, 0, 0, 64, 0, 0)
  ]
  for (const bytes of junk) {
    const stream = await mallory.dialProtocol(multiaddr(bob.addresses()[0]!), ECHO)
    stream.send(bytes)
    await within(bytes.length < 20 ? stream.close() : closed(stream))
  }
  const alice = await startPeer(stack)
  assert.equal((await collect(alice, await alice.dial(bob.addresses()[0]!), { body: 1 })).length, 1)
})

test('times out at a node that takes requests and never answers', async ({ stack }) => {
  const mute = await startNode(stack)
  await mute.handle(COUNT, stream => stream.addEventListener('message', () => {}))
  const alice = await startPeer(stack)
  const id = peerIdOf(mute.peerId.publicKey!.raw)
  await alice.remember(id, mute.getMultiaddrs().map(String))
  const call = collect(alice, id, { body: 1 }, COUNT, { silenceMs: 200 })
  await assert.rejects(within(call), { code: 'ETIMEDOUT' })
})

test('holds little for a reader that is slow, or has stopped reading', async ({ stack }) => {
  const bob = await startPeer(stack)
  let pulled = 0
  bob.serve(COUNT, async function* () {
    for await (const answer of countTo(1000, 500_000)) {
      pulled++
      yield answer
    }
  })
  // A client that grants itself the largest window and then reads nothing.
  const mallory = await startNode(stack)
  const stream = await mallory.dialProtocol(multiaddr(bob.addresses()[0]!), COUNT)
  stream.pause()
  stream.send(Uint8Array.of(1, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0, 0, 0, 0xf6))
  await eventually(() => assert.ok(pulled >= 1))
  await new Promise(resolve => setTimeout(resolve, 500))
  assert.ok(pulled <= 4, `${pulled} pulled, of 500 kB each`)
  const alice = await startPeer(stack)
  const id = await alice.dial(bob.addresses()[0]!)
  const answers = alice.call(id, COUNT, { body: 1 }, { windowBytes: 2_000_000 })
  pulled = 0
  for await (const { body } of answers) {
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.ok(pulled - (body as number) <= 7, `${pulled} pulled at answer ${String(body)}`)
    if (body === 30) break
  }
})

test('stops reading from a client that asks and asks, and reads on with it', async ({ stack }) => {
  const bob = await startPeer(stack)
  bob.serve(COUNT, async function* () {
    yield { body: null, payload: [new Uint8Array(3000)] }
  })
  const mallory = await startNode(stack)
  const stream = await mallory.dialProtocol(multiaddr(bob.addresses()[0]!), COUNT)
  stream.pause()
  let asked = 0
  const ask = (count: number, payloadLength: number): void => {
    const requests = new Uint8Array(count * (18 + payloadLength))
    const view = new DataView(requests.buffer)
    for (let at = 0; at < requests.length; at += 18 + payloadLength) {
      requests.set([1, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xf6], at)
      view.setUint32(at + 1, ++asked)
      view.setUint32(at + 13, payloadLength)
    }
    stream.send(requests)
  }
  // So many that the refusals alone, of 25 bytes, are more than may wait to leave.
  ask(60_000, 0)
  ask(1500, 10_000)
  await new Promise(resolve => setTimeout(resolve, 700))
  assert.equal(stream.status, 'open')
  assert.ok(stream.writeBufferLength > 5_000_000, `${stream.writeBufferLength} bytes held back`)
  let received = 0
  stream.addEventListener('message', ({ data }) => (received += data.byteLength))
  stream.resume()
  await eventually(() => {
    assert.ok(received >= asked * 22, `${received} bytes for ${asked} requests`)
  })
})

function closed(stream: Stream): Promise<void> {
  return new Promise(resolve => {
    if (stream.status === 'open') stream.addEventListener('close', () => resolve(), { once: true })
    else resolve()
  })
}

test.run()
