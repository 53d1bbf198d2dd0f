import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { appendFile, copyFile, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HostFileIndex } from '../../../src/blocks/disk/host-file-index.ts'
import { HostFileLog } from '../../../src/blocks/disk/host-file-log.ts'
import type { Context } from './host-file-fixtures.ts'
import {
  CHUNK,
  collect,
  indexFile,
  inventReferences,
  prepare,
  randomBytes
} from './host-file-fixtures.ts'

const LOG = 'references.log'
const HEADER_BYTES = 16

const test = suite<Context>('host-file log')
prepare(test)

test('opens after a crash at every byte of its log, with what had been written whole', async context => {
  const { shared, index } = context
  const alice = await indexFile(context.store, join(shared, 'alice'), randomBytes(2 * CHUNK))
  const bob = await indexFile(context.store, join(shared, 'bob'), randomBytes(2 * CHUNK))
  await context.store.forget(alice.path)
  await context.store.deleteMany([bob.blocks[0]!.id])
  await context.store.putReferences(
    bob.references.map(reference => ({ ...reference, file: { ...reference.file, mtimeMs: 1 } }))
  )
  await context.store.close()
  const log = await readFile(join(index, LOG))
  let least = Infinity
  for (let length = log.length; length >= 0; length--) {
    // A new file each time: some file systems write out one that is cut to nothing and written again.
    const copy = join(context.root, `${length}`)
    await writeFile(copy, log.subarray(0, length))
    const kept = await replay(copy)
    assert.ok(kept.length <= length || length < HEADER_BYTES)
    assert.deepEqual(await replay(copy), kept)
    // Opening the whole store takes a while, so it is done for some lengths.
    if (length % 13 !== 0) continue
    await rename(copy, join(index, LOG))
    const store = await context.open()
    const { blocks } = store.usage()
    const listed = await collect(store.ids())
    assert.equal(listed.length, blocks)
    for (const id of listed) assert.notEqual(await store.get(id), undefined)
    await store.putReferences(bob.references)
    assert.equal((await collect(store.files())).filter(file => file.path === bob.path).length, 1)
    await store.close()
    const again = await context.open()
    for (const block of bob.blocks) assert.deepEqual(await again.get(block.id), block.bytes)
    await again.close()
    least = Math.min(least, blocks)
  }
  assert.equal(least, 0)
})

test('opens with any byte of its log damaged, and never gives out wrong bytes', async context => {
  const { shared, index } = context
  const alice = await indexFile(context.store, join(shared, 'alice'), randomBytes(2 * CHUNK))
  await context.store.close()
  const log = await readFile(join(index, LOG))
  for (let at = 0; at < log.length; at++) {
    const damaged = Buffer.from(log)
    damaged[at]! ^= 0x41
    const copy = join(context.root, `${at}`)
    await writeFile(copy, damaged)
    if (at < HEADER_BYTES) {
      await assert.rejects(replay(copy), /EINVAL|ENOTSUP/)
      continue
    }
    assert.ok((await replay(copy)).blocks < 2)
    if (at % 13 !== 0) continue
    await rename(copy, join(index, LOG))
    const store = await context.open()
    for (const block of alice.blocks) {
      const bytes = await store.get(block.id)
      if (bytes !== undefined) assert.deepEqual(bytes, block.bytes)
    }
    await store.close()
  }
})

test('never misses a block while its file is indexed anew or the log is compacted', async context => {
  const { store, shared, changed } = context
  const { blocks, references } = await indexFile(store, join(shared, 'a'), randomBytes(9 * CHUNK))
  const busy = join(shared, 'busy')
  await writeFile(busy, 'x')
  const many = await inventReferences(busy, 5000)
  let done = false
  let reads = 0
  const { path } = references[0]!
  const reading = (async () => {
    for (; !done; reads++) {
      const { id, bytes } = blocks[reads % blocks.length]!
      assert.deepEqual(await store.get(id), bytes)
      // A read may come between the other state and the true one, and find the file changed.
      const [isThere, file] = await Promise.all([store.has(id), store.fileOf(path)])
      assert.ok(isThere || file?.changed)
    }
  })()
  const file = references[0]!.file
  for (let round = 0; round < 30; round++) {
    // Another state, and then the true one.
    for (const mtimeMs of [round, file.mtimeMs]) {
      const state = { ...file, mtimeMs }
      await store.putReferences(references.map(reference => ({ ...reference, file: state })))
    }
    const state = { ...file, mtimeMs: round }
    await store.putReferences(many.map(reference => ({ ...reference, file: state })))
  }
  done = true
  await reading
  assert.ok(reads > 30)
  assert.ok(changed.every(changedPath => changedPath === path))
})

test('survives garbage after the last record', async context => {
  const alice = await indexFile(context.store, join(context.shared, 'a'), randomBytes(2 * CHUNK))
  await context.store.close()
  for (const garbage of [new Uint8Array(5000), randomBytes(5000), new Uint8Array(9).fill(255)]) {
    await appendFile(join(context.index, LOG), garbage)
    const store = await context.open()
    for (const block of alice.blocks) assert.deepEqual(await store.get(block.id), block.bytes)
    await store.close()
  }
})

test('compacts its log when most of it says nothing any more', async context => {
  const { shared, index } = context
  const kept = await indexFile(context.store, join(shared, 'kept'), randomBytes(20 * CHUNK))
  await copyFile(kept.path, join(shared, 'copy'))
  const copy = await indexFile(context.store, join(shared, 'copy'), await readFile(kept.path))
  await context.store.deleteMany([kept.blocks[3]!.id])
  const path = join(shared, 'busy')
  await writeFile(path, 'x')
  const references = await inventReferences(path, 5000)
  let reads = 0
  for (let round = 0; round < 40; round++) {
    const file = { ...references[0]!.file, mtimeMs: round }
    const put = context.store.putReferences(references.map(reference => ({ ...reference, file })))
    const { id, bytes } = kept.blocks[round % 3]!
    assert.deepEqual(await context.store.get(id), bytes)
    reads++
    await put
  }
  assert.equal(reads, 40)
  await context.store.sync()
  const { size } = await stat(join(index, LOG))
  assert.ok(size < 3_000_000, `${size} bytes; 40 rounds wrote more than 8,000,000`)
  assert.deepEqual(context.changed, [])
  const usage = context.store.usage()
  assert.equal(usage.blocks, 5019)
  const check = async (): Promise<void> => {
    const left = kept.blocks.filter((_, at) => at !== 3)
    for (const block of left) assert.deepEqual(await context.store.get(block.id), block.bytes)
    assert.equal((await collect(context.store.referencesOf(path))).length, 5000)
    assert.equal((await collect(context.store.referencesOf(copy.path))).length, 19)
  }
  await check()
  await context.store.close()
  assert.deepEqual((await readdir(index)).includes(`${LOG}.new`), false)
  context.store = await context.open()
  assert.deepEqual(context.store.usage(), usage)
  await check()
})

test('is left with the old log by a crash while compacting', async context => {
  const alice = await indexFile(context.store, join(context.shared, 'a'), randomBytes(2 * CHUNK))
  await context.store.close()
  await writeFile(join(context.index, `${LOG}.new`), randomBytes(100))
  context.store = await context.open()
  for (const { id, bytes } of alice.blocks) assert.deepEqual(await context.store.get(id), bytes)
  assert.equal((await readdir(context.index)).includes(`${LOG}.new`), false)
})

/** What the store does when it opens, without the lock. */
async function replay(path: string): Promise<{ length: number; blocks: number; files: number }> {
  const log = await HostFileLog.open(path)
  try {
    const index = new HostFileIndex()
    await log.replay((record, position) => index.apply(record, position, log))
    return { length: log.length, blocks: index.references.blocks, files: index.files }
  } finally {
    await log.close()
  }
}

test.run()
