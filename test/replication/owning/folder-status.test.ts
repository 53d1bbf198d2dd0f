/** Counting what is below a path: every file once for each of its names, every block of it. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Policies } from '../../../src/replication/index.ts'
import { CopyCount } from '../../../src/replication/owning/copy-count.ts'
import { countFolders } from '../../../src/replication/owning/folder-status.ts'
import { filesBelow } from '../../../src/replication/owning/files-below.ts'
import { findPlace, policyAt } from '../../../src/replication/owning/own-place.ts'
import { findNewSince } from '../../../src/replication/owning/new-since.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'
import type { FileSystemFixture } from '../../fixtures/file-system.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { peerFor } from '../fixtures.ts'

const test = suite('folder status')

const BLOCK = 4096
const POLICIES: Policies = { policy: { replicas: 2, minimum: 2, on: [] }, overrides: new Map() }
const signal = AbortSignal.timeout(30_000)

function fill(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at >>> 8) * 7 + at * 3 + seed)
}

/** Nobody but the owner, who lacks some. */
function alone(lacks: (id: BlockId) => boolean = () => false): CopyCount {
  return new CopyCount({
    owner: peerFor(0),
    reports: new Map(),
    listOf: () => undefined,
    policies: POLICIES,
    version: 1,
    newSince: () => undefined,
    lacks
  })
}

async function blocksOf({ root }: FileSystemFixture, path: string): Promise<BlockId[]> {
  const snapshot = await root.volume.snapshot()
  const { inode } = await findPlace(snapshot, path)
  const content = await snapshot.content(inode)
  const blocks: BlockId[] = []
  if ('extents' in content) {
    for await (const extents of content.extents) blocks.push(...extents.map(({ block }) => block))
  }
  return blocks
}

test('sums, by directory, and what is lost', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.mkdir('/b/deep/er', { recursive: true })
  await fs.mkdir('/a')
  await fs.mkdir('/empty')
  await fs.writeFile('/b/deep/er/long', fill(20 * BLOCK + 1, 1))
  await fs.writeFile('/b/short', fill(100, 2))
  await fs.writeFile('/a/none', '')
  await fs.writeFile('/a/medium', fill(5 * BLOCK, 3))
  await fs.symlink('/b', '/link')
  await fs.flush()
  const [first] = await blocksOf(fixture, '/a/medium')
  const snapshot = await root.volume.snapshot()
  const components = { snapshot, policies: POLICIES, count: alone(id => id === first) }
  const { folders, blockBytes } = await countFolders(components, await findPlace(snapshot, '/'), {
    signal
  })
  assert.deepEqual(
    folders.map(({ path, total, lost }) => [path, total.files, total.bytes, lost]),
    [
      ['/', 5, 25 * BLOCK + 1 + 100 + 2, ['/a/medium']],
      ['/a', 2, 5 * BLOCK, ['/a/medium']],
      ['/b', 2, 20 * BLOCK + 1 + 100, []],
      ['/empty', 0, 0, []]
    ]
  )
  const [all, a] = folders
  assert.deepEqual(a!.copies, [
    { files: 1, bytes: BLOCK },
    { files: 1, bytes: 4 * BLOCK }
  ])
  assert.deepEqual(all!.endangered, all!.total)
  assert.ok(blockBytes > BLOCK / 2 && blockBytes <= BLOCK)

  const one = await countFolders(components, await findPlace(snapshot, '/a/medium'), { signal })
  assert.equal(one.folders.length, 1)
  assert.equal(one.folders[0]!.total.files, 1)
  await assert.rejects(findPlace(snapshot, '/a/nothing'), { code: 'ENOENT' })
  await assert.rejects(
    countFolders(components, await findPlace(snapshot, '/'), { signal: AbortSignal.abort() }),
    { name: 'AbortError' }
  )
})

test('the policy of the nearest directory, or of the file itself', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.mkdir('/a/b/c', { recursive: true })
  await fs.writeFile('/a/b/c/file', 'x')
  await fs.writeFile('/a/b/other', 'y')
  const snapshot = await root.volume.snapshot()
  const inodeOf = async (path: string) => (await findPlace(snapshot, path)).inode.number
  const policies: Policies = {
    policy: { replicas: 2, minimum: 1, on: [] },
    overrides: new Map([
      [await inodeOf('/a'), { replicas: 3, minimum: 1, on: [] }],
      [await inodeOf('/a/b/c/file'), { replicas: 4, minimum: 1, on: [] }]
    ])
  }
  const found = new Map<string, number | 'all'>()
  const place = await findPlace(snapshot, '/')
  for await (const { files } of filesBelow({ snapshot, policies }, place, { signal })) {
    for (const { path, policy } of files) found.set(path, policy.replicas)
  }
  assert.deepEqual(Object.fromEntries(found), {
    '/a/b/c/file': 4,
    '/a/b/other': 3
  })
  const there = await findPlace(snapshot, '/a/b/c')
  assert.equal(policyAt(policies, there).from, '/a')
  assert.equal(policyAt(policies, await findPlace(snapshot, '/')).from, '/')
  assert.equal(policyAt(policies, await findPlace(snapshot, '/a/b/c/file')).from, '/a/b/c/file')
})

test('what is new since a version is found without what both share', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: BLOCK })
  const { fs, root } = fixture
  await fs.writeFile('/old', fill(10 * BLOCK, 1))
  await fs.writeFile('/changed', fill(10 * BLOCK, 2))
  await fs.writeFile('/removed', 'gone')
  await fs.sync()
  const before = root.volume.at(root.volume.head!.root)
  const old = await blocksOf(fixture, '/changed')
  const handle = await fs.open('/changed', 'r+')
  await handle.write(fill(BLOCK, 9), 0, BLOCK, 3 * BLOCK)
  await handle.close()
  await fs.rm('/removed')
  await fs.writeFile('/new', 'short')
  await fs.sync()
  const after = root.volume.at(root.volume.head!.root)
  const found = await findNewSince(before, after, { signal })
  const changed = await blocksOf(fixture, '/changed')
  const fresh = changed.filter(id => !old.includes(id))
  assert.ok(fresh.length > 0)
  assert.deepEqual([...found!.blocks].sort(), fresh.sort())
  const inodes = await Promise.all(
    ['/', '/changed', '/new'].map(async path => (await findPlace(after, path)).inode.number)
  )
  assert.deepEqual(found!.inodes, new Set(inodes))
  assert.deepEqual(await findNewSince(after, after), { inodes: new Set(), blocks: new Set() })
})

test.run()
