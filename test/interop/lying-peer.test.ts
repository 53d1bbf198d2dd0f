/**
 * Peers that lie about what others own, over libp2p and TCP. Asked together with an honest source,
 * they cost time and nothing else; alone, they cost a coded error within the deadline.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { tcp } from '@libp2p/tcp'
import { suite } from 'uvu'
import { createMemoryBlockStore } from '../../src/blocks/index.ts'
import type { BlockStore } from '../../src/blocks/index.ts'
import { BLOCKS_PROTOCOL, decodeWant } from '../../src/blocks/exchange/messages.ts'
import type { Warren } from '../../src/index.ts'
import { createMemoryHeadStore, formatLink } from '../../src/namespace/index.ts'
import type { HeadStore, VolumeId } from '../../src/namespace/index.ts'
import { encodeHeads } from '../../src/namespace/heads/head-messages.ts'
import { supersedes } from '../../src/namespace/heads/head-order.ts'
import { signHead } from '../../src/namespace/heads/head-record.ts'
import type { SignedHead } from '../../src/namespace/heads/head.ts'
import { createLibp2pPeer, createSigningKey, systemClock } from '../../src/peer/index.ts'
import type { CallHandler, OutgoingMessage, Peer } from '../../src/peer/index.ts'
import { createLibp2pNode } from '../../src/peer/libp2p-node.ts'
import { createHeadExchange } from '../../src/namespace/index.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import { LOOPBACK, eventually, startWarren, timed } from '../warren/fixtures.ts'
import { startHostilePeer } from './hostile-peer.ts'

const test = suite('lying peer')

/** A little more than a reader gives a block before it gives up, and a mount a head. */
const DEADLINE_MS = 30_000
/** Long enough for an honest source on a slow machine. */
const FETCH_MS = 20_000
/** Where there is none, and every try is in vain. */
const VAIN_MS = 1_000

interface Alice extends AsyncDisposable {
  readonly warren: Warren
  readonly store: BlockStore
  readonly heads: HeadStore
  readonly bytes: Uint8Array
}

async function startAlice(): Promise<Alice> {
  const [store, heads] = [createMemoryBlockStore(), createMemoryHeadStore()]
  const warren = await startWarren({ blockStore: store, headStore: heads })
  const bytes = new Uint8Array(randomBytes(3_000_000))
  await warren.fs.writeFile('/file.bin', bytes)
  await warren.share('/')
  return { warren, store, heads, bytes, [Symbol.asyncDispose]: () => warren.stop() }
}

const answer = (lengths: readonly number[], payload: Uint8Array): OutgoingMessage => {
  const encoded = new Uint8Array(lengths.length * 4)
  const view = new DataView(encoded.buffer)
  for (const [index, length] of lengths.entries()) view.setUint32(4 * index, length)
  return { body: { lengths: encoded }, payload: [payload] }
}

/** How many blocks a want names; a subtree counts as one. */
function wanted(request: Parameters<CallHandler>[0]): number {
  const want = decodeWant(request)
  return want.kind === 'blocks' ? want.ids.length : 1
}

const lies: Readonly<Record<string, CallHandler>> = {
  'wrong bytes': async function* (request) {
    const count = wanted(request)
    for (let index = 0; index < count; index++) {
      yield answer([1_000], new Uint8Array(randomBytes(1_000)))
    }
  },
  'less bytes than it says': async function* () {
    yield answer([1_000_000], new Uint8Array(10))
  },
  'more bytes than it says': async function* () {
    yield answer([10], new Uint8Array(1_000_000))
  },
  'blocks beyond all measure': async function* () {
    yield answer([0xffff_fffe], new Uint8Array(10))
  },
  'more blocks than were wanted': async function* () {
    for (;;) yield answer([0xffff_ffff, 0xffff_ffff], new Uint8Array(0))
  },
  'messages of nothing, for ever': async function* () {
    for (;;) yield answer([], new Uint8Array(0))
  },
  'bodies of something else': async function* () {
    yield { body: { lengths: 'many', deep: Array.from({ length: 10_000 }, () => [1]) } }
  },
  'that it has nothing': async function* (request) {
    const count = wanted(request)
    for (let index = 0; index < count; index++) yield answer([0xffff_ffff], new Uint8Array(0))
  },
  // oxlint-disable-next-line require-yield
  'the end at once': async function* () {},
  'nothing at all': async function* (_request, { signal }) {
    await new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    yield answer([0xffff_ffff], new Uint8Array(0))
  },
  // oxlint-disable-next-line require-yield
  'an error': async function* () {
    throw new Error('no')
  }
}

async function startBob(fetchTimeoutMs = FETCH_MS): Promise<Warren> {
  return startWarren({ fetchTimeoutMs })
}

for (const [name, onBlocks] of Object.entries(lies)) {
  test(`one that answers with ${name}, beside an honest source`, async () => {
    await using alice = await startAlice()
    await using mallory = await startHostilePeer({ heads: alice.heads, onBlocks })
    await using bob = await startBob()
    const { milliseconds } = await timed(async () => {
      await bob.mount('/m', mallory.link(alice.warren.volume, [alice.warren.peer]))
      assert.deepEqual(await bob.fs.readFile('/m/file.bin'), alice.bytes)
    })
    assert.ok(milliseconds < DEADLINE_MS, `${milliseconds} ms`)
  })

  test(`one that answers with ${name}, and nobody else`, async () => {
    await using alice = await startAlice()
    await using mallory = await startHostilePeer({ heads: alice.heads, onBlocks })
    await using bob = await startBob(VAIN_MS)
    const { milliseconds } = await timed(() =>
      assert.rejects(
        bob
          .mount('/m', mallory.link(alice.warren.volume))
          .then(() => bob.fs.readFile('/m/file.bin')),
        { code: 'EHOSTUNREACH' }
      )
    )
    assert.ok(milliseconds < DEADLINE_MS, `${milliseconds} ms`)
    assert.deepEqual(bob.mounts(), [])
  })
}

test('one that resets the connection in the middle of each answer', async () => {
  await using alice = await startAlice()
  let answers = 0
  await using mallory = await startHostilePeer({
    heads: alice.heads,
    onBlocks: async function* (request) {
      answers++
      const want = decodeWant(request)
      const id = want.kind === 'blocks' ? want.ids[0]! : want.root
      const bytes = await alice.store.get(id)
      yield answer([bytes!.length], bytes!)
      await mallory.peer.stop()
      await mallory.peer.start()
    }
  })
  await using bob = await startBob()
  await bob.mount('/m', mallory.link(alice.warren.volume, [alice.warren.peer]))
  assert.deepEqual(await bob.fs.readFile('/m/file.bin'), alice.bytes)
  assert.ok(answers > 0)
})

/** Speaks heads as it should, and bytes of its own on the stream for blocks. */
async function startRawPeer(
  heads: HeadStore,
  write: (send: (bytes: Uint8Array) => boolean, signal: AbortSignal) => void
): Promise<AsyncDisposable & { readonly peer: Peer }> {
  const node = await createLibp2pNode({
    key: await createSigningKey(),
    listen: LOOPBACK.listen,
    transports: [tcp()]
  })
  const ended = new AbortController()
  await node.handle(BLOCKS_PROTOCOL, stream => {
    const closed = new AbortController()
    stream.addEventListener('close', () => closed.abort())
    const signal = AbortSignal.any([ended.signal, closed.signal])
    // More than one stream may be opened, and one of them after the end.
    if (!signal.aborted) write(bytes => stream.status === 'open' && stream.send(bytes), signal)
  })
  await node.start()
  const peer = await createLibp2pPeer({ libp2p: node })
  const policy = { mayRead: () => true, offers: () => [] }
  await createHeadExchange({ peer, heads, clock: systemClock, policy }).start()
  await peer.start()
  return {
    peer,
    async [Symbol.asyncDispose]() {
      ended.abort()
      await peer.stop()
      await node.stop()
    }
  }
}

function linkTo(volume: VolumeId, peers: readonly Peer[]): string {
  return formatLink({
    volume,
    path: '/',
    peers: peers.map(peer => ({ id: peer.id, addresses: peer.addresses() }))
  })
}

const floods: Readonly<
  Record<string, (send: (bytes: Uint8Array) => boolean, signal: AbortSignal) => void>
> = {
  'a frame of 4 GiB': send => void send(new Uint8Array(17).fill(0xff)),
  'an answer with the largest payload, and then nothing': send => {
    const header = new Uint8Array(17)
    const view = new DataView(header.buffer)
    view.setUint8(0, 2)
    view.setUint32(1, 1)
    view.setUint32(13, 4 * 1024 * 1024)
    send(header)
  },
  'random bytes, for ever': (send, signal) => {
    const timer = setInterval(() => {
      for (let index = 0; index < 16; index++) if (!send(randomBytes(64 * 1024))) return
    }, 5)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }
}

for (const [name, write] of Object.entries(floods)) {
  test(`one that sends ${name}`, async () => {
    await using alice = await startAlice()
    await using mallory = await startRawPeer(alice.heads, write)
    const child = new URL('../warren/children/warren-peer.ts', import.meta.url)
    await using bob = await spawnPeer(child, [JSON.stringify({ fetchTimeoutMs: FETCH_MS })])
    await bob.call('do', 'mount', '/warm', linkTo(alice.warren.volume, [alice.warren.peer]))
    await bob.call('do', 'unmount', '/warm')
    const before = await bob.call<number>('rssMiB')
    const link = linkTo(alice.warren.volume, [mallory.peer, alice.warren.peer])
    await bob.call('do', 'mount', '/m', link)
    assert.deepEqual(await bob.call('fs', 'readFile', '/m/file.bin'), alice.bytes)
    const grown = (await bob.call<number>('rssMiB')) - before
    assert.ok(grown < 100, `${grown} MiB`)
  })
}

test('a source that answers with endless blocks costs no memory', async () => {
  await using alice = await startAlice()
  await using mallory = await startHostilePeer({
    heads: alice.heads,
    onBlocks: async function* () {
      const bytes = new Uint8Array(randomBytes(1024 * 1024))
      for (;;) yield answer([bytes.length], bytes)
    }
  })
  const child = new URL('../warren/children/warren-peer.ts', import.meta.url)
  await using bob = await spawnPeer(child, [JSON.stringify({ fetchTimeoutMs: FETCH_MS })])
  const before = await bob.call<number>('rssMiB')
  const link = mallory.link(alice.warren.volume, [alice.warren.peer])
  await bob.call('do', 'mount', '/m', link)
  assert.deepEqual(await bob.call('fs', 'readFile', '/m/file.bin'), alice.bytes)
  const grown = (await bob.call<number>('rssMiB')) - before
  assert.ok(grown < 100, `${grown} MiB`)
})

const wrongHeads: Readonly<Record<string, (head: SignedHead) => Promise<readonly SignedHead[]>>> = {
  'a forged signature': async head => {
    const bytes = new Uint8Array(head.bytes)
    bytes[bytes.length - 1]! ^= 1
    return [{ ...head, bytes }]
  },
  'a sequence that was not signed': async head => {
    const bytes = new Uint8Array(head.bytes)
    // The sequence stands behind the key, as a small number.
    bytes[36]! += 1
    return [{ ...head, bytes }]
  },
  'the head of another volume': async () => {
    const key = await createSigningKey()
    const { root } = await anyHead()
    return [await signHead(key, { sequence: 1_000, root, timeMs: 0 })]
  },
  'bytes that are no head': async head => [{ ...head, bytes: new Uint8Array(randomBytes(500)) }],
  'a head beyond all measure': async head => [{ ...head, bytes: new Uint8Array(100_000) }]
}

async function anyHead(): Promise<SignedHead> {
  await using alice = await startAlice()
  return (await alice.heads.get(alice.warren.volume))!
}

for (const [name, craft] of Object.entries(wrongHeads)) {
  test(`one that tells ${name}`, async () => {
    await using alice = await startAlice()
    const crafted = await craft((await alice.heads.get(alice.warren.volume))!)
    await using mallory = await startHostilePeer({
      store: alice.store,
      onHeads: async function* () {
        for (;;) yield encodeHeads(crafted)
      }
    })
    await using alone = await startBob(VAIN_MS)
    await assert.rejects(alone.mount('/m', mallory.link(alice.warren.volume)), {
      code: 'EHOSTUNREACH'
    })
    await using bob = await startBob()
    await bob.mount('/m', mallory.link(alice.warren.volume, [alice.warren.peer]))
    assert.deepEqual(await bob.fs.readFile('/m/file.bin'), alice.bytes)
  })
}

test('an old head does not take the place of a newer one', async () => {
  await using alice = await startAlice()
  const old = (await alice.heads.get(alice.warren.volume))!
  await alice.warren.fs.writeFile('/newer.txt', 'newer')
  await alice.warren.sync()
  await using mallory = await startHostilePeer({
    store: alice.store,
    onHeads: async function* (_request, { signal }) {
      while (!signal.aborted) {
        yield encodeHeads([old])
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
  })
  await using bob = await startWarren({ attributeLifetimeMs: 50, fetchTimeoutMs: FETCH_MS })
  const link = mallory.link(alice.warren.volume, [alice.warren.peer])
  await bob.mount('/m', link)
  await eventually(async () => {
    assert.equal(await bob.fs.readFile('/m/newer.txt', 'utf8'), 'newer')
  })
  for (let round = 0; round < 10; round++) {
    await new Promise(resolve => setTimeout(resolve, 30))
    assert.equal(await bob.fs.readFile('/m/newer.txt', 'utf8'), 'newer')
  }
})

test('two histories under one key: all come to show the same one', async () => {
  const volumeKey = await createSigningKey()
  const [firstHeads, secondHeads] = [createMemoryHeadStore(), createMemoryHeadStore()]
  await using one = await startWarren({ volumeKey, headStore: firstHeads })
  await using two = await startWarren({ volumeKey, headStore: secondHeads })
  await one.fs.writeFile('/one', 'one')
  await one.sync()
  await two.fs.writeFile('/two', 'two')
  await two.sync()
  const head = (await firstHeads.get(one.volume))!
  const other = (await secondHeads.get(one.volume))!
  assert.equal(head.sequence, other.sequence)
  const expected = supersedes(head, other) ? 'one' : 'two'
  for (const [near, far] of [
    [one, two],
    [two, one]
  ] as const) {
    await using bob = await startWarren({ fetchTimeoutMs: FETCH_MS, attributeLifetimeMs: 100 })
    await bob.mount('/first', await near.share('/'))
    await bob.mount('/second', await far.share('/'))
    await eventually(async () => {
      assert.deepEqual(await bob.fs.readdir('/first'), [expected])
    })
    assert.deepEqual(await bob.fs.readdir('/second'), [expected])
  }
})

test('one that accepts everything and never says anything', async () => {
  await using alice = await startAlice()
  const silent: CallHandler = async function* (_request, { signal }) {
    await new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    yield { body: null }
  }
  await using mallory = await startHostilePeer({ onBlocks: silent, onHeads: silent })
  await using bob = await startBob()
  const { milliseconds } = await timed(() =>
    assert.rejects(bob.mount('/m', mallory.link(alice.warren.volume)), { code: 'EHOSTUNREACH' })
  )
  assert.ok(milliseconds < DEADLINE_MS, `${milliseconds} ms`)
  await bob.mount('/m', mallory.link(alice.warren.volume, [alice.warren.peer]))
  assert.deepEqual(await bob.fs.readFile('/m/file.bin'), alice.bytes)
})

test.run()
