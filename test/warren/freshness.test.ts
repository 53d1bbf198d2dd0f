/** How soon others see what was changed, over one hop and two, and what they see of who is away. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import { HEADS_PROTOCOL } from '../../src/namespace/heads/head-messages.ts'
import { createWarren } from '../../src/index.ts'
import type { WarrenOptions, WatchEvent } from '../../src/index.ts'
import { createMemoryHeadStore } from '../../src/namespace/index.ts'
import type { Peer } from '../../src/peer/index.ts'
import { createNodePeer } from '../../src/peer/node-peer.ts'
import { spawnPeer } from '../fixtures/child-process.ts'
import type { PeerProcess } from '../fixtures/child-process.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { LOOPBACK, eventually, rejectsWith, startWarren, timed } from './fixtures.ts'

const test = suite('freshness')
const module = new URL('./children/warren-peer.ts', import.meta.url)

function spawnWarren(options: WarrenOptions = {}): Promise<PeerProcess> {
  return spawnPeer(module, [JSON.stringify(options)])
}

/** Longer than any test: whoever sees a change within it was told. */
const NEVER_ASKS: WarrenOptions = { attributeLifetimeMs: 1_000_000 }

test('a change is pushed when it is synced, and by itself a moment after it was made', async () => {
  await using alice = await spawnWarren()
  await using bob = await spawnWarren(NEVER_ASKS)
  await alice.call('fs', 'writeFile', '/a.txt', 'one')
  await bob.call('do', 'mount', '/alice', await alice.call('do', 'share', '/'))
  assert.equal(await bob.call('fs', 'readFile', '/alice/a.txt', 'utf8'), 'one')
  const sees = (text: string): Promise<void> =>
    eventually(async () => {
      assert.equal(await bob.call('fs', 'readFile', '/alice/a.txt', 'utf8'), text)
    })
  await alice.call('fs', 'writeFile', '/a.txt', 'two')
  await alice.call('do', 'sync')
  await sees('two')
  await alice.call('fs', 'writeFile', '/a.txt', 'three')
  await sees('three')
})

test('watching a mount tells of what its owner changes', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren(NEVER_ASKS)
  await alice.fs.mkdir('/dir')
  await bob.mount('/alice', await alice.share('/'))
  const controller = new AbortController()
  const watched = bob.fs.watch('/alice/dir', { signal: controller.signal })
  const watching = watched[Symbol.asyncIterator]()
  let first: WatchEvent | undefined
  const seeing = watching.next().then(({ value }) => (first = value as WatchEvent))
  // Nobody can tell when the watch has begun, and what was made before it is not told.
  let made = 0
  await eventually(async () => {
    await alice.fs.writeFile(`/dir/new-${made++}`, 'x')
    await alice.sync()
    assert.ok(first !== undefined, 'nothing was seen')
  })
  assert.equal((await seeing).eventType, 'rename')
  assert.match(first!.filename!, /^new-\d+$/)
  controller.abort()
})

test('when the push is cut, a change is seen when the attribute lifetime is over', async () => {
  await using alice = await startWarren()
  const deaf = withoutPush(await createNodePeer({ ...LOOPBACK }))
  await using bob = await createWarren({ peer: deaf, attributeLifetimeMs: 300 })
  await alice.fs.writeFile('/a.txt', 'one')
  await bob.mount('/alice', await alice.share('/'))
  for (const text of ['two', 'three', 'four']) {
    await alice.fs.writeFile('/a.txt', text)
    await alice.sync()
    await eventually(async () => assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), text))
  }
})

/** A peer whose subscriptions hear nothing. */
function withoutPush(peer: Peer): Peer {
  const call: Peer['call'] = (to, protocol, request, options) => {
    const { body } = request
    const follows = protocol === HEADS_PROTOCOL && Array.isArray(body) && body[0] === 'follow'
    return follows ? silence(options?.signal) : peer.call(to, protocol, request, options)
  }
  return new Proxy(peer, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

// oxlint-disable-next-line require-yield
async function* silence(signal: AbortSignal | undefined): AsyncGenerator<never> {
  await new Promise<void>(resolve => {
    if (signal === undefined || signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

test('news travel over a chain of peers', async () => {
  await using alice = await spawnWarren()
  await using bob = await spawnWarren()
  await using carol = await spawnWarren(NEVER_ASKS)
  await alice.call('fs', 'writeFile', '/a.txt', 'one')
  await bob.call('do', 'mount', '/alice', await alice.call('do', 'share', '/'))
  await carol.call('do', 'mount', '/alice', await bob.call('do', 'share', '/alice'))
  assert.equal(await carol.call('fs', 'readFile', '/alice/a.txt', 'utf8'), 'one')
  await alice.call('fs', 'writeFile', '/a.txt', 'two')
  await alice.call('do', 'sync')
  await eventually(async () => {
    assert.equal(await carol.call('fs', 'readFile', '/alice/a.txt', 'utf8'), 'two')
  })
})

test('news come with what they name, to one who knows nobody but the peer between', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await using carol = await startWarren(NEVER_ASKS)
  await alice.fs.writeFile('/a.txt', 'one')
  await bob.mount('/alice', await alice.share('/'))
  const link = (await bob.share('/alice')).replace(new RegExp(`&peer=${alice.id}[^]*(?=&name)`), '')
  assert.ok(!link.includes(alice.id))
  await carol.mount('/alice', link)
  assert.equal(await carol.fs.readFile('/alice/a.txt', 'utf8'), 'one')
  await alice.fs.writeFile('/a.txt', 'two')
  await alice.sync()
  // Bob tells of it before he has it himself; whoever asks him too early asks again.
  await eventually(async () => {
    assert.equal(await carol.fs.readFile('/alice/a.txt', 'utf8'), 'two')
  })
})

test('a version that nobody within reach has is not shown', async () => {
  const own = createMemoryHeadStore()
  await using alice = await startWarren({ headStore: own })
  const fetchTimeoutMs = 20_000
  await using bob = await startWarren({ fetchTimeoutMs, attributeLifetimeMs: 100 })
  await alice.fs.writeFile('/a.txt', 'one')
  await bob.mount('/alice', await alice.share('/'))
  assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'one')
  // Mallory knows the head of a version, and has none of its blocks.
  const heads = createMemoryHeadStore()
  await using mallory = await startWarren({ headStore: heads })
  await mallory.mount('/alice', await alice.share('/'))
  await mallory.share('/alice')
  await alice.peer.stop()
  await alice.fs.writeFile('/a.txt', 'two')
  await alice.sync()
  await bob.connect(mallory.addresses()[0]!)
  const newest = await own.get(alice.volume)
  assert.ok(await heads.compareAndSet((await heads.get(alice.volume))?.sequence, newest!))
  await new Promise(resolve => setTimeout(resolve, 700))
  const { result, milliseconds } = await timed(() => bob.fs.readFile('/alice/a.txt', 'utf8'))
  assert.equal(result, 'one')
  assert.ok(milliseconds < fetchTimeoutMs / 2, `${milliseconds} ms`)
})

test('when the owner is gone, others have what was fetched, and say so of the rest', async () => {
  await using directory = await createTemporaryDirectory('chain')
  await using alice = await spawnWarren()
  await using bob = await spawnWarren({ directory: directory.join('bob') })
  await using carol = await spawnWarren({ fetchTimeoutMs: 5_000 })
  const fetched = new Uint8Array(randomBytes(1_000_000))
  await alice.call('fs', 'writeFile', '/fetched.bin', fetched)
  await alice.call('fs', 'writeFile', '/left.bin', new Uint8Array(randomBytes(1_000_000)))
  await bob.call('do', 'mount', '/alice', await alice.call('do', 'share', '/'))
  assert.deepEqual(await bob.call('fs', 'readFile', '/alice/fetched.bin'), fetched)
  const link = await bob.call<string>('do', 'share', '/alice')
  await alice.kill()
  await carol.call('do', 'mount', '/alice', link)
  assert.deepEqual(await carol.call('fs', 'readdir', '/alice'), ['fetched.bin', 'left.bin'])
  assert.deepEqual(await carol.call('fs', 'readFile', '/alice/fetched.bin'), fetched)
  const { failure, milliseconds } = await carol.call<{
    readonly failure: { readonly code: string; readonly message: string }
    readonly milliseconds: number
  }>('attempt', 'readFile', '/alice/left.bin')
  assert.equal(failure.code, 'EHOSTUNREACH')
  assert.match(failure.message, /\/alice\/left\.bin/)
  assert.ok(milliseconds < 20_000, `${milliseconds} ms`)
  // Bob himself reads on what he has, also after a restart without alice.
  assert.deepEqual(await bob.call('fs', 'readFile', '/alice/fetched.bin'), fetched)
  await bob.stop()
  await using again = await spawnWarren({ directory: directory.join('bob') })
  assert.deepEqual(await again.call('fs', 'readFile', '/alice/fetched.bin'), fetched)
})

test('an owner who is away costs one wait and not one after each lifetime', async () => {
  const fetchTimeoutMs = 2_000
  const alice = await startWarren()
  await using bob = await startWarren({ attributeLifetimeMs: 50, fetchTimeoutMs })
  await alice.fs.writeFile('/a.txt', 'one')
  // Whoever is at this address takes connections and says nothing.
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const link = (await alice.share('/')).replaceAll(/tcp\/\d+/g, `tcp/${port}`)
  await bob.connect(alice.addresses()[0]!)
  await bob.mount('/alice', link)
  assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'one')
  await alice.stop()
  await new Promise(resolve => setTimeout(resolve, 100))
  await bob.fs.readFile('/alice/a.txt')
  let waitedMs = 0
  for (let round = 0; round < 10; round++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    waitedMs += (await timed(() => bob.fs.readFile('/alice/a.txt'))).milliseconds
  }
  assert.ok(waitedMs < (10 * fetchTimeoutMs) / 2, `${waitedMs} ms`)
  await bob.stop()
  silent.close()
})

test('a mount opened anew asks, whatever was known of the volume before', async () => {
  await using directory = await createTemporaryDirectory('anew')
  await using alice = await startWarren()
  await alice.fs.writeFile('/a.txt', 'one')
  const link = await alice.share('/')
  const before = await startWarren({ ...NEVER_ASKS, directory: directory.path })
  await before.mount('/alice', link)
  assert.equal(await before.fs.readFile('/alice/a.txt', 'utf8'), 'one')
  await before.stop()
  await alice.fs.writeFile('/a.txt', 'two')
  await alice.sync()
  await using after = await startWarren({ ...NEVER_ASKS, directory: directory.path })
  assert.equal(await after.fs.readFile('/alice/a.txt', 'utf8'), 'two')
  await rejectsWith(after.fs.readFile('/alice/b.txt'), 'ENOENT')
})

test.run()
