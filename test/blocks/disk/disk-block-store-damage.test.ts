import { suite } from 'uvu'
import assert from 'node:assert/strict'
import {
  copyFile,
  mkdir,
  readFile,
  readdir,
  rename,
  truncate,
  unlink,
  writeFile
} from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { openDiskBlockStore } from '../../../src/blocks/disk/index.ts'
import { SegmentIndex, decodeSegmentIndex } from '../../../src/blocks/disk/segment-index.ts'
import {
  KIND,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  decodeSegmentHeader
} from '../../../src/blocks/disk/segment-format.ts'
import type { Block } from '../../../src/blocks/block.ts'
import { blockIdToBytes } from '../../../src/blocks/block-id.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { randomBlocks } from '../../contracts/block-store-contract.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { FaultyFileSystem, systemError } from './faulty-file-system.ts'

const test = suite('disk block store, damaged')

const FIRST = '00000001.segment'
const FIRST_INDEX = '00000001.index'
const options = { compactAutomatically: false, lock: false }

/** A closed store whose blocks lie one after the other in its first segment. */
async function makeStore(path: string, blocks: readonly Block[]): Promise<void> {
  const store = await openDiskBlockStore(path, options)
  for (const block of blocks) await store.putMany([block])
  await store.close()
}

function offsetOf(blocks: readonly Block[], position: number): number {
  const before = blocks.slice(0, position)
  return before.reduce(
    (sum, { bytes }) => sum + RECORD_HEADER_BYTES + bytes.length,
    SEGMENT_HEADER_BYTES
  )
}

async function changeFile(path: string, change: (bytes: Uint8Array) => void): Promise<void> {
  const bytes = new Uint8Array(await readFile(path))
  change(bytes)
  await writeFile(path, bytes)
}

const flip =
  (at: number) =>
  (bytes: Uint8Array): void => {
    bytes[at] = bytes[at]! ^ 0x10
  }

/** The blocks that the store has whole; whatever else it gives out is an error. */
async function presentIn(store: DiskBlockStore, blocks: readonly Block[]): Promise<number[]> {
  const present: number[] = []
  for (const [position, { id, bytes }] of blocks.entries()) {
    const got = await store.get(id)
    if (got !== undefined) {
      assert.deepEqual(got, bytes)
      present.push(position)
    }
    assert.equal(await store.has(id), got !== undefined)
  }
  return present
}

async function assertTakesBlocks(path: string, blocks: readonly Block[]): Promise<void> {
  const fresh = await randomBlocks(2, 40)
  const store = await openDiskBlockStore(path, options)
  await store.putMany([...blocks, ...fresh])
  await store.close()
  const again = await openDiskBlockStore(path, options)
  const all = [...blocks, ...fresh]
  assert.deepEqual(await presentIn(again, all), [...all.keys()])
  assert.equal(again.usage().blocks, all.length)
  await again.close()
}

test('loses nothing that was synced when the power fails at any byte', async () => {
  await using directory = await createTemporaryDirectory('power')
  const synced = await randomBlocks(2, 20)
  const unsynced = await randomBlocks(2, 20)
  const source = directory.join('source')
  const store = await openDiskBlockStore(source, options)
  await store.putMany(synced)
  await store.sync()
  await store.putMany(unsynced)
  const all = [...synced, ...unsynced]
  const bytes = new Uint8Array(await readFile(join(source, 'segments', FIRST)))
  await store.close()
  const from = offsetOf(all, synced.length)
  assert.equal(bytes.length, offsetOf(all, all.length))
  for (let at = from; at <= bytes.length; at++) {
    const torn = {
      cut: bytes.slice(0, at),
      zeros: filled(bytes, at, () => 0),
      noise: filled(bytes, at, () => Math.floor(Math.random() * 256))
    }
    for (const [name, left] of Object.entries(torn)) {
      const path = directory.join(`${at}-${name}`)
      await mkdir(join(path, 'segments'), { recursive: true })
      await writeFile(join(path, 'segments', FIRST), left)
      const reopened = await openDiskBlockStore(path, options)
      // Zeros and noise may by chance be the bytes that were lost.
      const same = left.findIndex((byte, position) => byte !== bytes[position])
      const end = same < 0 ? left.length : same
      const whole = all.findLastIndex((_, position) => offsetOf(all, position + 1) <= end) + 1
      const expected = Array.from({ length: whole }, (_, position) => position)
      assert.deepEqual(await presentIn(reopened, all), expected, `${name} at ${at}`)
      assert.equal(reopened.usage().blocks, whole)
      await reopened.close()
      if (at % 16 === 0) await assertTakesBlocks(path, all)
    }
  }
})

function filled(bytes: Uint8Array, from: number, fill: () => number): Uint8Array {
  return bytes.map((byte, at) => (at < from ? byte : fill()))
}

test('loses only what lay in a page that never reached the disk', async () => {
  await using directory = await createTemporaryDirectory('power')
  const blocks = await randomBlocks(12, 3000)
  const source = directory.join('source')
  await makeStore(source, blocks)
  const bytes = new Uint8Array(await readFile(join(source, 'segments', FIRST)))
  for (let page = 4096; page < bytes.length; page += 4096) {
    const path = directory.join(String(page))
    await mkdir(join(path, 'segments'), { recursive: true })
    await writeFile(join(path, 'segments', FIRST), new Uint8Array(bytes).fill(0, page, page + 4096))
    const store = await openDiskBlockStore(path, options)
    const untouched = [...blocks.keys()].filter(
      position =>
        offsetOf(blocks, position + 1) <= page || offsetOf(blocks, position) >= page + 4096
    )
    assert.deepEqual(await presentIn(store, blocks), untouched)
    await store.close()
    await assertTakesBlocks(path, blocks)
  }
})

test('reports a damaged block missing, once, and takes it again', async () => {
  await using directory = await createTemporaryDirectory('damage')
  const blocks = await randomBlocks(5, 300)
  await makeStore(directory.path, blocks)
  const segment = directory.join('segments', FIRST)
  await changeFile(segment, flip(offsetOf(blocks, 2) + RECORD_HEADER_BYTES + 7))
  const damaged: BlockId[] = []
  const onDamaged = (id: BlockId): void => void damaged.push(id)
  const store = await openDiskBlockStore(directory.path, { ...options, onDamaged })
  assert.deepEqual(await presentIn(store, blocks), [0, 1, 3, 4])
  assert.deepEqual(await presentIn(store, blocks), [0, 1, 3, 4])
  assert.deepEqual(damaged, [blocks[2]!.id])
  assert.equal(store.usage().blocks, 4)
  const ids: string[] = []
  for await (const id of store.ids()) ids.push(id)
  assert.equal(ids.includes(blocks[2]!.id), false)
  await store.putMany([blocks[2]!])
  assert.deepEqual(await presentIn(store, blocks), [0, 1, 2, 3, 4])
  assert.equal(store.usage().blocks, 5)
  await store.close()
  const again = await openDiskBlockStore(directory.path, { ...options, onDamaged })
  assert.deepEqual(await presentIn(again, blocks), [0, 1, 2, 3, 4])
  // The damaged record must not come back when the good one is removed and compacted away.
  await again.deleteMany([blocks[2]!.id])
  await again.compact()
  await again.close()
  const last = await openDiskBlockStore(directory.path, { ...options, onDamaged })
  assert.deepEqual(await presentIn(last, blocks), [0, 1, 3, 4])
  assert.equal(damaged.length, 1)
  await last.close()
})

test('reports blocks missing whose file is gone, but not for want of a file handle', async () => {
  await using directory = await createTemporaryDirectory('damage')
  const blocks = await randomBlocks(2, 300)
  await makeStore(directory.path, blocks)
  const fileSystem = new FaultyFileSystem()
  const damaged: BlockId[] = []
  const onDamaged = (id: BlockId): void => void damaged.push(id)
  const small = { ...options, segmentBytesMax: 100, fileSystem, onDamaged }
  const store = await openDiskBlockStore(directory.path, small)
  // So many more segments that the file of the first is closed.
  for (const block of await randomBlocks(150, 10)) await store.putMany([block])
  fileSystem.fail = (operation, path) => {
    if (operation === 'open' && path.endsWith(FIRST)) throw systemError('EMFILE')
  }
  await assert.rejects(store.get(blocks[0]!.id), { code: 'EIO' })
  assert.equal(await store.has(blocks[0]!.id), true)
  fileSystem.fail = () => {}
  await unlink(directory.join('segments', FIRST))
  assert.deepEqual(await presentIn(store, blocks), [])
  assert.deepEqual(
    damaged,
    blocks.map(block => block.id)
  )
  await store.putMany(blocks)
  assert.deepEqual(await presentIn(store, blocks), [0, 1])
  await store.close()
})

test('reports blocks missing whose file is shorter than it was', async () => {
  await using directory = await createTemporaryDirectory('damage')
  const blocks = await randomBlocks(4, 300)
  await makeStore(directory.path, blocks)
  const store = await openDiskBlockStore(directory.path, options)
  await truncate(directory.join('segments', FIRST), offsetOf(blocks, 3) - 1)
  assert.deepEqual(await presentIn(store, blocks), [0, 1])
  await store.close()
  await assertTakesBlocks(directory.path, blocks)
})

test('finds every other block when a record is damaged and there is no index', async () => {
  const blocks = await randomBlocks(5, 300)
  for (const at of [0, 4, 9, 20, 45, RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + 20]) {
    await using directory = await createTemporaryDirectory('damage')
    await makeStore(directory.path, blocks)
    await unlink(directory.join('segments', FIRST_INDEX))
    await changeFile(directory.join('segments', FIRST), flip(offsetOf(blocks, 2) + at))
    const store = await openDiskBlockStore(directory.path, options)
    assert.deepEqual(await presentIn(store, blocks), [0, 1, 3, 4], `byte ${at} of the record`)
    await store.close()
    await assertTakesBlocks(directory.path, blocks)
  }
})

test('uses no index with a damaged byte, and makes it again', async () => {
  await using directory = await createTemporaryDirectory('index')
  const blocks = await randomBlocks(2, 300)
  await makeStore(directory.path, blocks)
  const indexPath = directory.join('segments', FIRST_INDEX)
  const good = await readFile(indexPath)
  for (let at = 0; at < good.length; at++) {
    await writeFile(indexPath, good)
    await changeFile(indexPath, flip(at))
    const store = await openDiskBlockStore(directory.path, options)
    assert.deepEqual(await presentIn(store, blocks), [0, 1], `byte ${at}`)
    await store.close()
    assert.deepEqual(await readFile(indexPath), good)
  }
  for (const length of [0, 1, 39, 40, good.length - 44, good.length - 1]) {
    await writeFile(indexPath, good.subarray(0, length))
    const store = await openDiskBlockStore(directory.path, options)
    assert.deepEqual(await presentIn(store, blocks), [0, 1], `${length} bytes`)
    await store.close()
  }
})

test('uses no index of another segment or of more than there is', async () => {
  await using directory = await createTemporaryDirectory('index')
  const [alice, bob] = [await randomBlocks(3, 300), await randomBlocks(3, 300)]
  await makeStore(directory.join('alice'), alice)
  await makeStore(directory.join('bob'), bob)
  const [aliceSegments, bobSegments] = [
    directory.join('alice', 'segments'),
    directory.join('bob', 'segments')
  ]
  await copyFile(join(bobSegments, FIRST_INDEX), join(aliceSegments, FIRST_INDEX))
  const store = await openDiskBlockStore(directory.join('alice'), options)
  assert.deepEqual(await presentIn(store, alice), [0, 1, 2])
  assert.deepEqual(await presentIn(store, bob), [])
  await store.close()
  await truncate(join(bobSegments, FIRST), offsetOf(bob, 2))
  const shorter = await openDiskBlockStore(directory.join('bob'), options)
  assert.deepEqual(await presentIn(shorter, bob), [0, 1])
  await shorter.close()
})

test('gives out no wrong bytes on the word of an index', async () => {
  await using directory = await createTemporaryDirectory('index')
  const blocks = await randomBlocks(3, 300)
  const [stranger] = await randomBlocks(1)
  await makeStore(directory.path, blocks)
  const segmentBytes = new Uint8Array(await readFile(directory.join('segments', FIRST)))
  const header = decodeSegmentHeader(segmentBytes)!
  const lie = new SegmentIndex()
  for (const [position, { bytes }] of blocks.entries()) {
    const claimed = [blocks[0]!, stranger!, blocks[1]!][position]!
    const kind = claimed.id.startsWith('bafy') ? KIND.node : KIND.raw
    const place = { offset: offsetOf(blocks, position), length: bytes.length }
    lie.add(kind, blockIdToBytes(claimed.id), place)
  }
  await writeFile(directory.join('segments', FIRST_INDEX), lie.encode(header))
  const store = await openDiskBlockStore(directory.path, options)
  assert.deepEqual(await presentIn(store, [...blocks, stranger!]), [0])
  await store.putMany(blocks)
  assert.deepEqual(await presentIn(store, blocks), [0, 1, 2])
  await store.close()
})

test('reads no index whose entries overlap, leave holes or are too long', async () => {
  const header = { number: 1, first: 1, last: 1, mark: 1, seed: 1 }
  const id = blockIdToBytes((await randomBlocks(1))[0]!.id)
  const encode = (places: { offset: number; length: number }[], kind: 1 | 0 = KIND.raw) => {
    const index = new SegmentIndex()
    for (const place of places) index.add(kind, id, place)
    return decodeSegmentIndex(index.encode(header), header, 10_000_000)
  }
  assert.notEqual(
    encode([
      { offset: 32, length: 10 },
      { offset: 90, length: 1 }
    ]),
    undefined
  )
  assert.equal(
    encode([
      { offset: 32, length: 10 },
      { offset: 89, length: 1 }
    ]),
    undefined
  )
  assert.equal(
    encode([
      { offset: 32, length: 10 },
      { offset: 91, length: 1 }
    ]),
    undefined
  )
  assert.equal(encode([{ offset: 0, length: 10 }]), undefined)
  assert.notEqual(encode([{ offset: 32, length: 1024 * 1024 }]), undefined)
  assert.equal(encode([{ offset: 32, length: 1024 * 1024 + 1 }]), undefined)
})

test('reads a segment whose header is damaged by its index', async () => {
  for (let at = 0; at < SEGMENT_HEADER_BYTES; at += 3) {
    await using directory = await createTemporaryDirectory('header')
    const blocks = await randomBlocks(3, 300)
    await makeStore(directory.path, blocks)
    await changeFile(directory.join('segments', FIRST), flip(at))
    const store = await openDiskBlockStore(directory.path, options)
    assert.deepEqual(await presentIn(store, blocks), [0, 1, 2], `byte ${at}`)
    await store.close()
    await unlink(directory.join('segments', FIRST_INDEX))
    const healed = await openDiskBlockStore(directory.path, options)
    assert.deepEqual(await presentIn(healed, blocks), [0, 1, 2], `byte ${at}`)
    await healed.close()
  }
})

test('sets aside what has the name of a segment and cannot be read', async () => {
  await using directory = await createTemporaryDirectory('header')
  const blocks = await randomBlocks(3, 300)
  await makeStore(directory.path, blocks)
  const segments = directory.join('segments')
  await rename(join(segments, FIRST), join(segments, '00000007.segment'))
  await writeFile(join(segments, '00000008.segment'), new Uint8Array(0))
  await writeFile(join(segments, '00000009.segment'), new Uint8Array(9000))
  await writeFile(join(segments, 'notes.txt'), 'not ours')
  const store = await openDiskBlockStore(directory.path, options)
  assert.deepEqual(await presentIn(store, blocks), [])
  await store.putMany(blocks)
  await store.close()
  const names = await readdir(segments)
  assert.ok(names.includes('00000007.segment.damaged'))
  assert.ok(names.includes('notes.txt'))
  assert.ok(names.includes('00000010.segment'), names.join(' '))
  assert.equal(names.includes('00000009.segment'), false)
})

test('removes what a crash in the middle of a compaction left', async () => {
  await using directory = await createTemporaryDirectory('compaction')
  const small = { ...options, segmentBytesMax: 3000 }
  const blocks = await randomBlocks(30, 600)
  const store = await openDiskBlockStore(directory.path, small)
  for (const block of blocks) await store.putMany([block])
  const kept = blocks.filter((_, position) => position % 3 === 0)
  await store.deleteMany(blocks.filter(block => !kept.includes(block)).map(block => block.id))
  await store.close()
  const segments = directory.join('segments')
  const before = new Map<string, Uint8Array>()
  for (const name of await readdir(segments)) before.set(name, await readFile(join(segments, name)))
  const compacting = await openDiskBlockStore(directory.path, small)
  await compacting.compact()
  await compacting.close()
  const after = (await readdir(segments)).sort()
  // What was empty has gone by itself and is not replaced by anything: it would be a segment again.
  const isReplaced = await rangesIn(segments, after)
  const replaced = [...before].filter(([name]) => isReplaced(Number.parseInt(name, 10)))
  assert.ok(replaced.length >= 4, `${replaced.length}`)
  for (const [name, bytes] of replaced) await writeFile(join(segments, name), bytes)
  await writeFile(join(segments, '00000999.segment.new'), 'half a segment')
  const again = await openDiskBlockStore(directory.path, small)
  assert.equal(again.usage().blocks, kept.length)
  assert.equal((await presentIn(again, kept)).length, kept.length)
  await again.close()
  assert.deepEqual((await readdir(segments)).sort(), after)
})

/** Whether the segment of a number has been replaced by one of those. */
async function rangesIn(
  directory: string,
  names: readonly string[]
): Promise<(number: number) => boolean> {
  const headers = await Promise.all(
    names
      .filter(name => name.endsWith('.segment'))
      .map(async name => decodeSegmentHeader(await readFile(join(directory, name)))!)
  )
  return number =>
    headers.some(
      ({ first, last, number: own }) => first <= number && number <= last && own > number
    )
}

test.run()
