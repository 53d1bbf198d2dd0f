/**
 * Volumes whose owner is hostile: the signature is good and the tree is crafted. Whoever mounts one
 * gets a coded error within the deadline, or what is there; never a hang, never memory without end,
 * never a file outside of where it exports to.
 */
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { encode } from 'cborg'
import { suite } from 'uvu'
import { createBlock } from '../../src/blocks/index.ts'
import type { BlockId, BlockStore } from '../../src/blocks/index.ts'
import type { Warren } from '../../src/index.ts'
import type { Change } from '../../src/namespace/tree/tree.ts'
import { entryKey, extentKey, inlineKey } from '../../src/namespace/volume/keys.ts'
import type { InodeNumber } from '../../src/namespace/volume/volume.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { startWarren } from '../warren/fixtures.ts'
import {
  createCraftedVolume,
  directory,
  entry,
  file,
  inode,
  startHostilePeer
} from './hostile-peer.ts'
import type { CraftedVolume } from './hostile-peer.ts'

const test = suite('hostile owner')

const DEADLINE_MS = 60_000

type Outcome = { readonly code: string } | { readonly value: unknown }

/** What each verb came to; a failure without a code, or none within the deadline, fails the test. */
async function tryAll(
  volume: CraftedVolume,
  verbs: Readonly<Record<string, (bob: Warren, host: string) => Promise<unknown>>>
): Promise<Record<string, Outcome>> {
  await using mallory = await startHostilePeer(volume)
  await using bob = await startWarren({ fetchTimeoutMs: 20_000 })
  await using host = await createTemporaryDirectory('hostile')
  const outcomes: Record<string, Outcome> = {}
  const mounting = outcomeOf('mount', bob.mount('/m', mallory.link(volume.id)))
  outcomes['mount'] = await mounting
  if ('code' in outcomes['mount']) return outcomes
  for (const [name, verb] of Object.entries({ ...everyVerb, ...verbs })) {
    outcomes[name] = await outcomeOf(name, verb(bob, host.join(name)))
  }
  const outside = (await readdir(host.path)).filter(name => !(name in outcomes))
  assert.deepEqual(outside, [])
  return outcomes
}

const everyVerb: Readonly<Record<string, (bob: Warren, host: string) => Promise<unknown>>> = {
  list: bob => bob.fs.readdir('/m'),
  listTypes: bob => bob.fs.readdir('/m', { withFileTypes: true }).then(entries => entries.length),
  listAll: bob => bob.fs.readdir('/m', { recursive: true }).then(names => names.length),
  copy: bob => bob.fs.cp('/m', '/copy', { recursive: true }),
  export: (bob, host) => bob.export('/m', host)
}

function enough(milliseconds: number): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => {
    controller.abort(Object.assign(new Error('enough'), { code: 'ABORTED' }))
  }, milliseconds).unref()
  return controller.signal
}

async function outcomeOf(name: string, work: Promise<unknown>): Promise<Outcome> {
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => deadline.reject(new Error(`${name} has not ended after ${DEADLINE_MS} ms`)),
    DEADLINE_MS
  )
  try {
    return { value: await Promise.race([work, deadline.promise]) }
  } catch (error) {
    const { code } = error as { readonly code?: string }
    if (code === undefined) throw error
    return { code }
  } finally {
    clearTimeout(timer)
  }
}

function failed(outcome: Outcome | undefined, ...codes: readonly string[]): void {
  assert.ok(outcome !== undefined && 'code' in outcome, `${JSON.stringify(outcome)} is no failure`)
  assert.ok(codes.includes(outcome.code), outcome.code)
}

test('a directory that contains itself, or the root', async () => {
  for (const target of [1, 2]) {
    const volume = await createCraftedVolume([
      entry(1, 'a', 2, 'directory'),
      directory(2, 1),
      entry(2, 'a', target, 'directory')
    ])
    const outcomes = await tryAll(volume, {
      deep: bob => bob.fs.stat(`/m${'/a'.repeat(1_000)}`)
    })
    for (const verb of ['listAll', 'copy', 'export']) {
      failed(outcomes[verb], 'EPROTO', 'ENAMETOOLONG', 'EINVAL', 'EIO')
    }
    assert.deepEqual(outcomes['list'], { value: ['a'] })
  }
})

test('names that are none', async () => {
  const names = ['..', '.', '', 'a/b', '/etc', '../../../../tmp/planted', 'a\0b', 'x'.repeat(300)]
  const keys = names.map(name => entryKey(1 as InodeNumber, name))
  const notText = entryKey(1 as InodeNumber, '??')
  notText.set([0xff, 0xfe], notText.length - 2)
  for (const [index, key] of [...keys, notText].entries()) {
    const { value } = entry(1, 'x', 2, 'file')
    const volume = await createCraftedVolume([{ key, value }, file(2, 0)])
    const outcomes = await tryAll(volume, {})
    for (const verb of ['list', 'listTypes', 'listAll', 'copy', 'export']) {
      assert.ok('code' in outcomes[verb]!, `${names[index]}: ${verb} ${JSON.stringify(outcomes)}`)
    }
  }
})

test('entries without an inode, or with another kind of it', async () => {
  const volume = await createCraftedVolume([
    entry(1, 'nothing', 9, 'file'),
    entry(1, 'directory', 2, 'directory'),
    file(2, 0),
    entry(1, 'file', 3, 'file'),
    directory(3, 1)
  ])
  const outcomes = await tryAll(volume, {
    stat: bob => bob.fs.stat('/m/nothing'),
    read: bob => bob.fs.readFile('/m/nothing'),
    enter: bob => bob.fs.readdir('/m/directory'),
    open: bob => bob.fs.readFile('/m/file')
  })
  failed(outcomes['stat'], 'ESTALE', 'EPROTO')
  failed(outcomes['read'], 'ESTALE', 'EPROTO')
  failed(outcomes['enter'], 'ENOTDIR', 'EPROTO')
  failed(outcomes['open'], 'EISDIR', 'EPROTO')
  failed(outcomes['export'], 'EPROTO')
})

test('sizes beyond all measure cost no memory', async () => {
  const volume = await createCraftedVolume([
    entry(1, 'huge', 2, 'file'),
    file(2, 2 ** 46),
    entry(1, 'most', 3, 'file'),
    file(3, Number.MAX_SAFE_INTEGER)
  ])
  const before = process.memoryUsage().rss
  const outcomes = await tryAll(volume, {
    // Copying makes zeros of gaps, so that it goes on for long: until the caller has had enough.
    copy: bob => bob.fs.cp('/m', '/copy', { recursive: true, signal: enough(1_000) }),
    read: bob => bob.fs.readFile('/m/huge'),
    readMost: bob => bob.fs.readFile('/m/most'),
    stream: bob => firstBytes(bob, '/m/huge'),
    part: async bob => {
      const handle = await bob.fs.open('/m/huge')
      try {
        return (await handle.read(new Uint8Array(10), 0, 10, 2 ** 45)).bytesRead
      } finally {
        await handle.close()
      }
    }
  })
  failed(outcomes['read'], 'EFBIG')
  failed(outcomes['readMost'], 'EPROTO')
  assert.deepEqual(outcomes['part'], { value: 10 })
  assert.deepEqual(outcomes['stream'], { value: true })
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  assert.ok(grown < 150, `${grown} MiB`)
})

async function firstBytes(bob: Warren, path: string): Promise<boolean> {
  for await (const bytes of bob.fs.createReadStream(path)) return bytes.length > 0
  return false
}

test('extents that overlap, lie beyond the size, are too long, or are of another length', async () => {
  const block = await createBlock('raw', new Uint8Array(10_000).fill(7))
  const extent = (
    offset: number,
    length: unknown,
    link: BlockId | undefined = block.id
  ): Change => ({
    key: extentKey(2 as InodeNumber, offset),
    value: encode(length),
    ...(link && { link })
  })
  const crafted: Readonly<Record<string, readonly Change[]>> = {
    swallowed: [file(2, 50_000), extent(0, 10_000), extent(5_000, 1)],
    negative: [file(2, 50_000), extent(0, -1)],
    empty: [file(2, 50_000), extent(0, 0)],
    fraction: [file(2, 50_000), extent(0, 1.5)],
    text: [file(2, 50_000), extent(0, 'many')],
    'too long': [file(2, 2 ** 30), extent(0, 2 ** 29)],
    'of another length': [file(2, 50_000), extent(0, 9_999)],
    'without a block': [file(2, 50_000), { key: extentKey(2 as InodeNumber, 0), value: encode(5) }],
    'not an offset': [
      file(2, 50_000),
      { ...extent(0, 10_000), key: extentKey(2 as InodeNumber, 0).slice(0, -3) }
    ]
  }
  for (const [name, changes] of Object.entries(crafted)) {
    const volume = await createCraftedVolume([entry(1, 'f', 2, 'file'), ...changes])
    await putInto(volume.store, block)
    const outcomes = await tryAll(volume, { read: bob => bob.fs.readFile('/m/f') })
    assert.ok('code' in outcomes['read']!, `${name}: it was read`)
    failed(outcomes['read'], 'EPROTO', 'EHOSTUNREACH')
    assert.ok('code' in outcomes['export']! || 'value' in outcomes['export']!)
  }
  const beyond = await createCraftedVolume([
    entry(1, 'f', 2, 'file'),
    file(2, 20_000),
    extent(0, 10_000),
    extent(10_000, 10_000),
    extent(20_000, 10_000)
  ])
  await putInto(beyond.store, block)
  const { read } = await tryAll(beyond, {
    read: bob => bob.fs.readFile('/m/f').then(({ length }) => length)
  })
  assert.deepEqual(read, { value: 20_000 })
})

async function putInto(
  store: BlockStore,
  block: Awaited<ReturnType<typeof createBlock>>
): Promise<void> {
  await store.putMany([block])
}

test('inline bytes that are more or less than the size', async () => {
  const inline = (bytes: number): Change => ({
    key: inlineKey(2 as InodeNumber),
    value: new Uint8Array(bytes).fill(7)
  })
  for (const [size, bytes] of [
    [10, 5_000],
    [5_000, 10],
    [0, 10]
  ] as const) {
    const volume = await createCraftedVolume([
      entry(1, 'f', 2, 'file'),
      file(2, size),
      inline(bytes)
    ])
    const { read } = await tryAll(volume, {
      read: bob => bob.fs.readFile('/m/f').then(({ length }) => length)
    })
    assert.ok('code' in read! || read!.value === size, JSON.stringify(read))
  }
})

test('ten thousand directories, one in the other', async () => {
  const changes: Change[] = []
  const name = 'd'.repeat(20)
  for (let level = 1; level <= 10_000; level++) {
    changes.push(entry(level, name, level + 1, 'directory'), directory(level + 1, level))
  }
  const outcomes = await tryAll(await createCraftedVolume(changes), {
    path: bob => bob.fs.stat(`/m${`/${name}`.repeat(500)}`)
  })
  for (const verb of ['listAll', 'copy', 'export', 'path']) failed(outcomes[verb], 'ENAMETOOLONG')
})

test('symbolic links in circles and out of the volume', async () => {
  const link = (number: number, target: string): Change =>
    inode(number, { type: 'symlink', target, size: target.length })
  const volume = await createCraftedVolume([
    entry(1, 'self', 2, 'symlink'),
    link(2, 'self'),
    entry(1, 'up', 3, 'symlink'),
    link(3, '../../../../../../secret'),
    entry(1, 'long', 4, 'symlink'),
    link(4, 'x/'.repeat(1_900))
  ])
  const outcomes = await tryAll(volume, {
    self: bob => bob.fs.readFile('/m/self'),
    up: bob => bob.fs.readFile('/m/up')
  })
  failed(outcomes['self'], 'ELOOP')
  failed(outcomes['up'], 'ENOENT')
})

test('attributes of no sense', async () => {
  const values: readonly unknown[] = [
    null,
    [],
    'text',
    [1, 0, 0o644, 0, 0, 1, -5, 0, 0, 0, 0, 0],
    [1, 0, 0o644, 0, 0, 1, 0, Infinity, 0, 0, 0, 0],
    [1, 0, 0o644, 0, 0, 1, 0, NaN, 0, 0, 0, 0],
    [1, 7, 0o644, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    [1, 0, 0o644, 0, 0, 1, 2 ** 60, 0, 0, 0, 0, 0],
    Array.from({ length: 100 }, () => 0)
  ]
  for (const value of values) {
    const { key } = file(2, 0)
    const volume = await createCraftedVolume([
      entry(1, 'f', 2, 'file'),
      { key, value: encode(value) }
    ])
    const outcomes = await tryAll(volume, { stat: bob => bob.fs.stat('/m/f') })
    failed(outcomes['stat'], 'EPROTO')
  }
  const dates = await createCraftedVolume([
    entry(1, 'f', 2, 'file'),
    inode(2, { mtimeMs: 1e300, atimeMs: -1e300, mode: 0o7777, uid: 2 ** 50 })
  ])
  const outcomes = await tryAll(dates, { stat: bob => bob.fs.stat('/m/f').then(() => true) })
  assert.deepEqual(outcomes['stat'], { value: true })
})

test('a root that is no node at all', async () => {
  for (const codec of ['raw', 'dag-cbor'] as const) {
    const volume = await createCraftedVolume([])
    const block = await createBlock(codec, encode(['nonsense', { deep: [1] }]))
    await volume.store.putMany([block])
    const { signHead } = await import('../../src/namespace/heads/head-record.ts')
    const { createSigningKey } = await import('../../src/peer/index.ts')
    const key = await createSigningKey()
    const head = await signHead(key, { sequence: 1, root: block.id, timeMs: 0 })
    await volume.heads.compareAndSet(undefined, head)
    const outcomes = await tryAll({ ...volume, id: head.volume, head }, {})
    failed(outcomes['mount'], 'EPROTO')
  }
})

test('what a hostile volume was exported to stays inside', async () => {
  const volume = await createCraftedVolume([
    entry(1, 'link', 2, 'symlink'),
    inode(2, { type: 'symlink', target: '..', size: 2 }),
    entry(1, 'file', 3, 'file'),
    inode(3, { mode: 0o6777, uid: 0, gid: 0 })
  ])
  await using mallory = await startHostilePeer(volume)
  await using bob = await startWarren()
  await using host = await createTemporaryDirectory('inside')
  await bob.mount('/m', mallory.link(volume.id))
  await bob.export('/m', host.join('out'))
  assert.deepEqual(await readdir(host.path), ['out'])
  assert.equal((await stat(host.join('out/file'))).mode & 0o6000, 0, 'no setuid bits')
})

test.run()
