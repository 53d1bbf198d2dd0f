/** Volumes that are sealed, written by their owner and followed by others. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  BLOCK_BYTES_MAX,
  SEALING_BYTES_MAX,
  Sealing,
  createCollectableBlockStore,
  createLocalReader,
  createMemoryBlockStore,
  createReadKey
} from '../../../src/blocks/index.ts'
import type { BlockStore, ReadKey } from '../../../src/blocks/index.ts'
import { supersedes } from '../../../src/namespace/heads/head-order.ts'
import type { SignedHead } from '../../../src/namespace/heads/head.ts'
import { createNodeCache } from '../../../src/namespace/tree/node-cache.ts'
import { openFollowedVolume } from '../../../src/namespace/volume/followed-volume.ts'
import type { FollowedVolume } from '../../../src/namespace/volume/followed-volume.ts'
import type { LocalVolume } from '../../../src/namespace/volume/local-volume.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import type { Inode, Snapshot, Volume } from '../../../src/namespace/volume/volume.ts'
import { systemClock } from '../../../src/peer/index.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'
import { noise, prose } from '../../blocks/encoding/fixtures.ts'

const test = suite('sealed volume')

const FILE = { type: 'file', mode: 0o644 } as const
const NAME = 'distinctive-name.txt'
const BLOCK_BYTES = 16 * 1024

async function writeFile(volume: LocalVolume, name: string, bytes: Uint8Array): Promise<void> {
  const stored = volume.storeExtents([bytes], { offset: 0 })
  const extents = (await gather(stored)).flat()
  await volume.update(async transaction => {
    const { number } = await transaction.create(ROOT_INODE, name, FILE)
    await transaction.setExtents(number, { from: 0, to: bytes.length, extents, size: bytes.length })
  })
  stored.done()
}

async function readFile(
  volume: Volume,
  name: string,
  range: { readonly offset?: number; readonly length?: number } = {}
): Promise<Uint8Array> {
  const snapshot = await volume.snapshot()
  const inode = await find(snapshot, name)
  return Buffer.concat(await gather(snapshot.read(inode, range)))
}

async function gather<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of source) items.push(item)
  return items
}

async function find(snapshot: Snapshot, name: string): Promise<Inode> {
  const entry = await snapshot.lookup(ROOT_INODE, name)
  return (await snapshot.inode(entry!.inode))!
}

/** A peer that follows the volume and has a store to read it from. */
function follow(store: BlockStore, head: () => SignedHead): FollowedVolume {
  const components = {
    heads: {
      newest: async () => ({ head: head(), fresh: true }),
      follow: () => () => {}
    },
    reader: createLocalReader(store),
    cache: createNodeCache(),
    clock: systemClock,
    sources: () => []
  }
  return openFollowedVolume(head().volume, components, { attributeLifetimeMs: 0 })
}

async function bytesWithin(store: BlockStore, words: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for await (const id of store.ids()) {
    const bytes = Buffer.from((await store.get(id))!)
    found.push(...words.filter(word => bytes.includes(word)))
  }
  return found
}

test('reads what was written, in ranges too, also after reopening', async () => {
  const readKey = createReadKey()
  const fixture = await createVolumeFixture(
    { blockBytes: BLOCK_BYTES },
    { sealing: new Sealing(readKey) }
  )
  const text = prose(200_000)
  const random = noise(100_000)
  await writeFile(fixture.volume, NAME, text)
  await writeFile(fixture.volume, 'noise', random)
  await fixture.volume.close()
  const again = await fixture.reopen()
  assert.equal(again.readKey, readKey)
  assert.deepEqual(new Uint8Array(await readFile(again, NAME)), text)
  for (const [offset, length] of [
    [0, 1],
    [BLOCK_BYTES - 1, 2],
    [50_000, 70_000],
    [99_999, 100]
  ] as const) {
    const part = await readFile(again, 'noise', { offset, length })
    assert.deepEqual(new Uint8Array(part), random.slice(offset, offset + length))
  }
  // Text took less room than its bytes are.
  assert.ok(fixture.store.usage().bytes < 100_000 + 150_000)
  assert.deepEqual(await bytesWithin(fixture.store, ['warren', 'distinctive']), [])
  await again.close()
})

test('stores equal content once', async () => {
  const { volume, store } = await createVolumeFixture(
    { blockBytes: BLOCK_BYTES },
    { sealing: new Sealing(createReadKey()) }
  )
  await writeFile(volume, 'one', noise(100_000))
  const before = store.usage().blocks
  await writeFile(volume, 'two', noise(100_000))
  assert.equal(store.usage().blocks, before)
  await volume.close()
})

test('has blocks as large as can be sealed, and no larger', async () => {
  const blockBytes = BLOCK_BYTES_MAX - SEALING_BYTES_MAX
  const sealing = new Sealing(createReadKey())
  const fits = await createVolumeFixture({ blockBytes }, { sealing })
  await writeFile(fits.volume, 'one', noise(blockBytes + 10))
  assert.equal((await readFile(fits.volume, 'one')).length, blockBytes + 10)
  await fits.volume.close()
  const over = await createVolumeFixture({ blockBytes: blockBytes + 1 }, { sealing })
  await assert.rejects(writeFile(over.volume, 'one', noise(blockBytes + 1)), { code: 'EFBIG' })
  await over.volume.close()
})

test('takes no blocks that were hashed elsewhere, unsealed', async () => {
  const { volume } = await createVolumeFixture({}, { sealing: new Sealing(createReadKey()) })
  assert.equal(volume.blockBytes, undefined)
  const none = (async function* () {})()
  assert.throws(() => volume.storeBlocks(none, {}), { code: 'ENOTSUP' })
  await volume.close()
})

test('is held without the key, and read as soon as it is there', async () => {
  const readKey = createReadKey()
  const fixture = await createVolumeFixture(
    { blockBytes: BLOCK_BYTES },
    { sealing: new Sealing(readKey) }
  )
  await writeFile(fixture.volume, NAME, prose(60_000))
  await fixture.volume.sync()
  const holder = createMemoryBlockStore()
  await copyAll(fixture.store, holder)
  const volume = follow(holder, () => fixture.volume.head!)
  const refused = { code: 'EACCES' }
  const list = async (): Promise<string[]> => {
    const names: string[] = []
    const snapshot = await volume.snapshot()
    for await (const batch of snapshot.entries(ROOT_INODE)) names.push(...batch.map(e => e.name))
    return names
  }
  await assert.rejects(list(), refused)
  assert.equal(volume.readKey, undefined)
  // A newer version is followed though it cannot be read.
  await writeFile(fixture.volume, 'second', prose(20_000, 2))
  await fixture.volume.sync()
  await copyAll(fixture.store, holder)
  await assert.rejects(list(), refused)
  assert.deepEqual(volume.roots(), [fixture.volume.head!.root])

  volume.addReadKey(createReadKey())
  await assert.rejects(list(), refused)
  volume.addReadKey(readKey)
  assert.deepEqual(await list(), [NAME, 'second'])
  assert.deepEqual(new Uint8Array(await readFile(volume, NAME)), prose(60_000))
  await volume.close()
  await fixture.volume.close()
})

test('a key for a volume that is not sealed opens nothing', async () => {
  const fixture = await createVolumeFixture()
  await fixture.volume.sync()
  const volume = follow(fixture.store, () => fixture.volume.head!)
  volume.addReadKey(createReadKey())
  const snapshot = await volume.snapshot()
  await assert.rejects(snapshot.inode(ROOT_INODE), { code: 'EPROTO' })
  await volume.close()
  await fixture.volume.close()
})

test('is collected by who cannot read it', async () => {
  const fixture = await createVolumeFixture(
    { blockBytes: BLOCK_BYTES, retentionMs: 0 },
    { sealing: new Sealing(createReadKey()) }
  )
  await writeFile(fixture.volume, NAME, noise(300_000, 3))
  await writeFile(fixture.volume, 'kept', noise(50_000, 4))
  await fixture.volume.sync()
  const old = fixture.volume.head!
  await fixture.volume.update(transaction => transaction.unlink(ROOT_INODE, NAME))
  await fixture.volume.sync()
  assert.ok(supersedes(fixture.volume.head!, old))
  const holder = createCollectableBlockStore(createMemoryBlockStore())
  await copyAll(fixture.store, holder)
  const { root } = fixture.volume.head!
  const freed = await holder.collect({ inFlight: () => [], live: async () => [root] })
  assert.ok(freed.bytes > 300_000)
  const volume = follow(holder, () => fixture.volume.head!)
  volume.addReadKey(fixture.volume.readKey as ReadKey)
  assert.deepEqual(new Uint8Array(await readFile(volume, 'kept')), noise(50_000, 4))
  await volume.close()
  await fixture.volume.close()
})

async function copyAll(from: BlockStore, to: BlockStore): Promise<void> {
  for await (const id of from.ids()) {
    await to.putMany([{ id, bytes: (await from.get(id))! }])
  }
}

test.run()
