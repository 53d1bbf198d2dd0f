/** Starting, stopping, what is left afterwards, options that mean nothing, and an app's own parts. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { memory } from '@libp2p/memory'
import { suite } from 'uvu'
import { createMemoryBlockStore } from '../../src/blocks/index.ts'
import { createWarren } from '../../src/index.ts'
import type { Warren, WarrenOptions } from '../../src/index.ts'
import { createMemoryHeadStore, createMemoryNamespaceStore } from '../../src/namespace/index.ts'
import { createMemoryNetwork, createSigningKey } from '../../src/peer/index.ts'
import { createLibp2pNode } from '../../src/peer/libp2p-node.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { LOOPBACK, rejectsWith, startWarren, eventually, timed } from './fixtures.ts'

const test = suite('lifecycle')

test('every verb after stop rejects with a code, at once', async () => {
  await using host = await createTemporaryDirectory('stopped')
  await using alice = await startWarren()
  const link = await alice.share('/')
  const bob = await startWarren()
  await bob.fs.writeFile('/file', 'x')
  await bob.mount('/alice', link)
  await bob.share('/')
  await bob.stop()
  await bob.stop()
  const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
    import: () => bob.import(host.path, '/new'),
    export: () => bob.export('/', host.path),
    share: () => bob.share('/'),
    unshare: () => bob.unshare('/'),
    mount: () => bob.mount('/x', link),
    unmount: () => bob.unmount('/alice'),
    connect: () => bob.connect(alice.addresses()[0]!),
    peers: () => bob.peers(),
    sync: () => bob.sync(),
    collect: () => bob.collect(),
    readFile: () => bob.fs.readFile('/file'),
    writeFile: () => bob.fs.writeFile('/file', 'y'),
    readRemote: () => bob.fs.readFile('/alice/file'),
    readdir: () => bob.fs.readdir('/'),
    peersPath: () => bob.fs.readdir('/peers'),
    mkdir: () => bob.fs.mkdir('/dir'),
    fsSync: () => bob.fs.sync()
  }
  for (const [name, verb] of Object.entries(verbs)) {
    const { milliseconds } = await timed(() => rejectsWith(verb(), 'EBADF'))
    assert.ok(milliseconds < 500, `${name} took ${milliseconds} ms`)
  }
  assert.deepEqual(bob.addresses(), [])
  assert.equal(bob.mounts().length, 1)
  assert.equal(bob.shares().length, 1)
})

test('a stop writes out what is in buffers, also of files that are open', async () => {
  await using directory = await createTemporaryDirectory('buffers')
  const alice = await startWarren({ directory: directory.path })
  const file = await alice.fs.open('/open.txt', 'w')
  await file.write('written')
  await Promise.all([alice.stop(), alice.stop()])
  await rejectsWith(file.write('more'), 'EBADF')
  await file.close().catch(() => {})
  await using again = await startWarren({ directory: directory.path })
  assert.equal(await again.fs.readFile('/open.txt', 'utf8'), 'written')
})

test('a write that was reported before a stop is there after it', async () => {
  await using directory = await createTemporaryDirectory('racing')
  for (let round = 0; round < 10; round++) {
    const alice = await startWarren({ directory: directory.path })
    const written: string[] = []
    const writing = (async () => {
      for (let number = 0; ; number++) {
        const path = `/${round}-${number}`
        await alice.fs.writeFile(path, path)
        written.push(path)
      }
    })()
    const ended = rejectsWith(writing, 'EBADF')
    await eventually(() => assert.ok(written.length > round))
    await alice.stop()
    await ended
    await using again = await startWarren({ directory: directory.path })
    for (const path of written) assert.equal(await again.fs.readFile(path, 'utf8'), path)
  }
})

test('a stop ends reads and transfers under way with a code', async () => {
  await using host = await createTemporaryDirectory('under-way')
  await using alice = await startWarren()
  const bob = await startWarren()
  const chunk = randomBytes(1024 * 1024)
  await alice.fs.writeFile(
    '/big',
    (function* () {
      for (let index = 0; index < 64; index++) {
        chunk[index * 1000] = index
        yield new Uint8Array(chunk)
      }
    })()
  )
  await writeFile(host.join('big'), new Uint8Array(64 * 1024 * 1024))
  await bob.mount('/alice', await alice.share('/'))
  const stopped = new Promise<void>(resolve => setTimeout(resolve, 30)).then(() => bob.stop())
  const ended = await Promise.allSettled([
    bob.fs.readFile('/alice/big'),
    bob.export('/alice', host.join('out')),
    bob.import(host.join('big'), '/imported'),
    bob.fs.copyFile('/alice/big', '/copied'),
    bob.fs.readdir('/alice', { recursive: true }).then(() => never())
  ])
  await stopped
  for (const [index, end] of ended.slice(0, 4).entries()) {
    if (end.status === 'fulfilled') continue
    const { code } = end.reason as { readonly code?: string }
    assert.ok(['EBADF', 'ECONNRESET'].includes(code ?? ''), `${index}: ${String(end.reason)}`)
  }
  assert.ok(ended.some(end => end.status === 'rejected'))
})

test('the directory is for one process at a time', async () => {
  await using directory = await createTemporaryDirectory('locked')
  await using alice = await startWarren({ directory: directory.path })
  await rejectsWith(startWarren({ directory: directory.path }), 'EBUSY')
  await alice.fs.writeFile('/still.txt', 'there')
})

test('keys are for their owner only', async () => {
  await using directory = await createTemporaryDirectory('keys')
  await using _alice = await startWarren({ directory: directory.join('deep/inside') })
  for (const name of ['peer.key', 'volume.key']) {
    assert.equal((await stat(directory.join('deep/inside', name))).mode & 0o777, 0o600)
  }
})

const wrongOptions: Readonly<Record<string, WarrenOptions>> = {
  'blocks of one byte': { blockBytes: 1 },
  'blocks of 2 MiB': { blockBytes: 2 * 1024 * 1024 },
  'blocks of no number': { blockBytes: NaN },
  'half a byte': { blockBytes: 65536.5 },
  'negative lifetime': { attributeLifetimeMs: -1 },
  'endless lifetime': { attributeLifetimeMs: Infinity },
  'negative retention': { retentionMs: -1 },
  'too many versions': { retentionVersions: 2049 },
  'no time to fetch': { fetchTimeoutMs: 0 },
  'negative cache': { nodeCacheBytes: -1 },
  'a part of a thread': { hashingThreads: 1.5 },
  'too many threads': { hashingThreads: 1025 },
  'no directory': { directory: '' },
  'bootstrap without peer': { bootstrap: ['/ip4/127.0.0.1/tcp/1'] },
  'bootstrap that is no address': { bootstrap: ['nonsense'] },
  'listen on what is no address': { listen: ['nonsense'] },
  'listen on what is not here': { listen: ['/ip4/192.0.2.1/tcp/0'] }
}

for (const [name, options] of Object.entries(wrongOptions)) {
  test(`options are refused: ${name}`, async () => {
    await using directory = await createTemporaryDirectory('options')
    const path = directory.join('kept')
    await assert.rejects(startWarren({ directory: path, ...options }), { code: 'EINVAL' })
    // Nothing is held on to: the same directory opens with options that are right.
    await using alice = await startWarren({ directory: path })
    await alice.fs.writeFile('/works', '')
  })
}

test('options of a wrong type are a misuse', async () => {
  await assert.rejects(startWarren({ blockBytes: '65536' as unknown as number }), TypeError)
  await assert.rejects(startWarren({ directory: 7 as unknown as string }), TypeError)
})

test('a damaged list of mounts keeps the warren from opening, and says so', async () => {
  await using directory = await createTemporaryDirectory('damaged')
  const alice = await startWarren({ directory: directory.path })
  await alice.share('/')
  await alice.stop()
  for (const text of ['', '{', '{"format":1,"mounts":[{"path":"/x","link":"no"}],"shares":[]}']) {
    await writeFile(directory.join('namespace.json'), text)
    await assert.rejects(startWarren({ directory: directory.path }), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error, String(error))
      return ['EIO', 'EINVAL'].includes(error.code as string)
    })
  }
  await writeFile(directory.join('namespace.json'), '{"format":1,"mounts":[],"shares":[]}')
  await using again = await startWarren({ directory: directory.path })
  assert.deepEqual(again.shares(), [])
})

test('in memory: everything is gone at stop, also who it was', async () => {
  const alice = await startWarren()
  await alice.fs.writeFile('/file', 'x')
  const { id } = alice
  await alice.stop()
  await using again = await startWarren()
  assert.notEqual(again.id, id)
  assert.deepEqual(await again.fs.readdir('/'), [])
})

test('an app brings its own peer', async () => {
  const network = createMemoryNetwork()
  await using alice = await createWarren({ peer: network.createPeer() })
  await using bob = await createWarren({ peer: network.createPeer() })
  await alice.fs.writeFile('/a.txt', 'over the app’s network')
  await bob.mount('/alice', await alice.share('/'))
  assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'over the app’s network')
})

test('an app brings its own libp2p node, which runs on after the warren', async () => {
  const createNode = async (name: string) =>
    createLibp2pNode({
      key: await createSigningKey(),
      listen: [`/memory/lifecycle-${name}`],
      transports: [memory()]
    })
  const [first, second] = [await createNode('alice'), await createNode('bob')]
  await first.start()
  await second.start()
  try {
    const alice = await createWarren({ libp2p: first })
    const bob = await createWarren({ libp2p: second })
    await alice.fs.writeFile('/a.txt', 'over the app’s node')
    await bob.mount('/alice', await alice.share('/'))
    assert.equal(await bob.fs.readFile('/alice/a.txt', 'utf8'), 'over the app’s node')
    assert.equal(alice.id, first.peerId.toString())
    await alice.stop()
    await bob.stop()
    assert.equal(first.status, 'started')
    assert.deepEqual(
      first.getProtocols().filter(protocol => protocol.startsWith('/warren/')),
      []
    )
  } finally {
    await first.stop()
    await second.stop()
  }
})

test('an app brings its own stores and key, and finds its files in them again', async () => {
  const parts = {
    blockStore: createMemoryBlockStore(),
    headStore: createMemoryHeadStore(),
    namespaceStore: createMemoryNamespaceStore(),
    volumeKey: await createSigningKey()
  }
  const before = await startWarren(parts)
  await before.fs.writeFile('/a.txt', 'kept by the app')
  await before.share('/')
  await before.stop()
  await using after = await startWarren(parts)
  assert.equal(after.volume, before.volume)
  assert.notEqual(after.id, before.id)
  assert.equal(await after.fs.readFile('/a.txt', 'utf8'), 'kept by the app')
  assert.equal(after.shares().length, 1)
})

test('without a host file system there are no transfers, and a directory is refused in a browser', async () => {
  const { openParts } = await import('../../src/defaults/browser.ts')
  await rejectsWith(openParts({ directory: '/x' }), 'ENOTSUP')
  await rejectsWith(openParts({}), 'EINVAL')
  const parts = await openParts({ peer: createMemoryNetwork().createPeer() })
  assert.equal(parts.createTransfers, undefined)
  await parts.close()
})

test('await using stops it', async () => {
  let kept: Warren
  {
    await using alice = await startWarren()
    kept = alice
  }
  await rejectsWith(kept.sync(), 'EBADF')
})

test('nothing but what it says is written to the directory', async () => {
  await using directory = await createTemporaryDirectory('layout')
  const alice = await createWarren({ ...LOOPBACK, directory: directory.path })
  await alice.fs.writeFile('/a', 'a')
  await alice.share('/')
  await alice.stop()
  const names = (await readdir(directory.path)).sort()
  assert.deepEqual(
    names.filter(name => name !== 'LOCK'),
    [
      'blocks',
      'heads',
      'holders',
      'namespace.json',
      'peer.key',
      'references',
      'versions.json',
      'volume.key'
    ]
  )
})

function never(): void {}

test.run()
