import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Block } from '../../../src/blocks/block.ts'
import { BLOCK_BYTES_MAX, createBlock } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import type { BlockStore } from '../../../src/blocks/block-store.ts'
import { openDiskBlockStore } from '../../../src/blocks/disk/disk-block-store.ts'
import { createTieredBlockStore } from '../../../src/blocks/tiered-block-store.ts'
import type { HostFileReference } from '../../../src/blocks/disk/host-file-block-store.ts'
import { openHostFileBlockStore } from '../../../src/blocks/disk/host-file-block-store.ts'
import { randomBlocks, testBlockStore } from '../../contracts/block-store-contract.ts'
import { eventually } from '../../fixtures/eventually.ts'
import type { Context } from './host-file-fixtures.ts'
import {
  CHUNK,
  collect,
  cut,
  ids,
  indexFile,
  inventReferences,
  openDescriptors,
  prepare,
  randomBytes
} from './host-file-fixtures.ts'

let contractRoot = ''
const openBoth = async (): Promise<BlockStore> =>
  createTieredBlockStore([
    await openDiskBlockStore(join(contractRoot, 'blocks')),
    await openHostFileBlockStore(join(contractRoot, 'index'))
  ])
testBlockStore('host files behind a disk', {
  create: async () => {
    contractRoot = await mkdtemp(join(tmpdir(), 'warren-host-files-'))
    return openBoth()
  },
  reopen: openBoth,
  destroy: () => rm(contractRoot, { recursive: true })
})
const test = suite<Context>('host-file block store')

prepare(test)

test('reads blocks out of the files they are in', async ({ store, shared }) => {
  const alice = await indexFile(store, join(shared, 'alice'), randomBytes(10 * CHUNK + 1))
  const empty = await createBlock('dag-cbor', new Uint8Array(0))
  await store.putReferences([{ ...alice.references[0]!, id: empty.id, length: 0 }])
  for (const block of [...alice.blocks, empty]) {
    assert.equal(await store.has(block.id), true)
    assert.deepEqual(await store.get(block.id), block.bytes)
  }
  assert.deepEqual(store.usage(), { blocks: 12, bytes: 10 * CHUNK + 1 })
  assert.deepEqual((await collect(store.ids())).sort(), ids([...alice.blocks, empty]).sort())
})

test('has what was put after it is opened again', async context => {
  const { shared } = context
  const alice = await indexFile(context.store, join(shared, 'alice'), randomBytes(5 * CHUNK))
  const bob = await indexFile(context.store, join(shared, 'bob'), randomBytes(5 * CHUNK))
  await context.store.deleteMany([alice.blocks[2]!.id])
  await context.store.forget(bob.path)
  const carol = await indexFile(context.store, join(shared, 'carol'), randomBytes(5 * CHUNK))
  const usage = context.store.usage()
  await context.store.close()
  context.store = await context.open()
  const { store } = context
  assert.deepEqual(store.usage(), usage)
  assert.equal(await store.has(alice.blocks[2]!.id), false)
  for (const block of bob.blocks) assert.equal(await store.has(block.id), false)
  for (const block of [alice.blocks[0]!, ...carol.blocks]) {
    assert.deepEqual(await store.get(block.id), block.bytes)
  }
  // The number that bob's file had is taken once only.
  await indexFile(store, join(shared, 'dave'), randomBytes(CHUNK))
  await indexFile(store, join(shared, 'erin'), randomBytes(CHUNK))
  assert.equal((await collect(store.files())).length, 4)
})

test('tells the references and the state of each file', async ({ store, shared }) => {
  const alice = await indexFile(store, join(shared, 'alice'), randomBytes(3 * CHUNK))
  const bob = await indexFile(store, join(shared, 'bob'), randomBytes(2 * CHUNK))
  assert.deepEqual(await collect(store.referencesOf(alice.path)), alice.references)
  assert.deepEqual(await collect(store.referencesOf(bob.path)), bob.references)
  assert.deepEqual(await collect(store.referencesOf(join(shared, 'carol'))), [])
  const state = { path: bob.path, ...bob.references[0]!.file, changed: false }
  assert.deepEqual(await store.fileOf(bob.path), state)
  assert.equal(await store.fileOf(join(shared, 'carol')), undefined)
  assert.equal((await collect(store.files())).length, 2)
  await store.deleteMany([alice.blocks[1]!.id])
  const left = [alice.references[0], alice.references[2]]
  assert.deepEqual(await collect(store.referencesOf(alice.path)), left)
})

test('takes the references of one file in many parts, also across opening', async context => {
  const path = join(context.shared, 'alice')
  const bytes = randomBytes(50 * CHUNK)
  await writeFile(path, bytes)
  const { references, blocks } = await cut(path, bytes)
  for (const part of references.slice(0, 25)) await context.store.putReferences([part])
  await context.store.close()
  context.store = await context.open()
  for (const part of references.slice(25)) await context.store.putReferences([part])
  assert.deepEqual(await collect(context.store.referencesOf(path)), references)
  for (const block of blocks) assert.deepEqual(await context.store.get(block.id), block.bytes)
})

test('keeps more references of a file than fit one record', async ({ store, shared }) => {
  const path = join(shared, 'alice')
  await writeFile(path, 'x')
  const references = await inventReferences(path, 10_000)
  await store.putReferences(references)
  assert.equal(store.usage().blocks, 10_000)
  assert.deepEqual(await collect(store.referencesOf(path)), references)
  await store.forget(path)
  assert.deepEqual(store.usage(), { blocks: 0, bytes: 0 })
})

test('forgets a file and nothing else', async ({ store, shared, changed }) => {
  const alice = await indexFile(store, join(shared, 'alice'), randomBytes(3 * CHUNK))
  const bob = await indexFile(store, join(shared, 'bob'), randomBytes(3 * CHUNK))
  assert.equal(await store.forget(alice.path), true)
  assert.equal(await store.forget(alice.path), false)
  for (const { id } of alice.blocks) assert.equal(await store.get(id), undefined)
  for (const { id, bytes } of bob.blocks) assert.deepEqual(await store.get(id), bytes)
  assert.deepEqual(changed, [])
  assert.deepEqual(await readFile(alice.path), Buffer.concat(alice.blocks.map(b => b.bytes)))
})

test('has a block as long as any of the files with it does', async ({ store, shared }) => {
  const bytes = randomBytes(2 * CHUNK)
  const files = []
  for (const name of ['alice', 'bob', 'carol', 'dave']) {
    files.push(await indexFile(store, join(shared, name), bytes))
  }
  const [block] = files[0]!.blocks
  assert.equal(store.usage().blocks, 2)
  await store.forget(files[0]!.path)
  assert.deepEqual(await store.get(block!.id), block!.bytes)
  await rm(files[1]!.path)
  assert.deepEqual(await store.get(block!.id), block!.bytes)
  await writeFile(files[2]!.path, 'edited')
  assert.deepEqual(await store.get(block!.id), block!.bytes)
  assert.equal(await store.has(block!.id), true)
  await store.forget(files[3]!.path)
  assert.equal(await store.get(block!.id), undefined)
  assert.equal(await store.has(block!.id), false)
  await store.forget(files[1]!.path)
  await store.forget(files[2]!.path)
  assert.deepEqual(store.usage(), { blocks: 0, bytes: 0 })
})

test('keeps the order of puts and forgets that are made at once', async context => {
  const { store, shared } = context
  const path = join(shared, 'alice')
  const { blocks, references } = await indexFile(store, path, randomBytes(6 * CHUNK))
  const older = references.map(reference => ({
    ...reference,
    file: { ...reference.file, mtimeMs: 1 }
  }))
  const results = await Promise.all([
    store.putReferences(older),
    store.putReferences([references[0]!]),
    store.putReferences([references[1]!]),
    store.forget(path),
    store.putReferences([references[2]!]),
    store.putReferences([references[3]!, references[4]!]),
    store.deleteMany([blocks[3]!.id]),
    store.putReferences([references[5]!])
  ])
  assert.equal(results[3], true)
  const expected = [references[2], references[4], references[5]]
  assert.deepEqual(await collect(store.referencesOf(path)), expected)
  await store.close()
  context.store = await context.open()
  assert.deepEqual(await collect(context.store.referencesOf(path)), expected)
})

test('keeps one reference of a block that a file repeats', async ({ store, shared }) => {
  const { path, references } = await indexFile(store, join(shared, 'zeros'), new Uint8Array(50_000))
  assert.equal(references.length, 50)
  assert.deepEqual(store.usage(), { blocks: 1, bytes: CHUNK })
  await store.putReferences(references)
  assert.equal((await collect(store.referencesOf(path))).length, 1)
  await store.forget(path)
  assert.deepEqual(store.usage(), { blocks: 0, bytes: 0 })
})

const changes: Record<string, (path: string) => Promise<unknown>> = {
  'is edited': path => writeFile(path, randomBytes(3 * CHUNK)),
  'is edited in place, with its old time': async path => {
    const { atime, mtime } = await stat(path)
    await writeFile(path, randomBytes(3 * CHUNK))
    await utimes(path, atime, mtime)
  },
  'is cut short': path => truncate(path, 10),
  'is deleted': path => rm(path),
  'lies in a directory that is gone': async path => rm(join(path, '..'), { recursive: true }),
  'is replaced by another': async path => {
    await writeFile(`${path}.new`, randomBytes(3 * CHUNK))
    await rename(`${path}.new`, path)
  },
  'is replaced by a directory': async path => {
    await rm(path)
    await mkdir(path)
  },
  'is replaced by a link to what it was': async path => {
    await rename(path, `${path}.old`)
    await symlink(`${path}.old`, path)
  },
  'is replaced by a link to itself': async path => {
    await rm(path)
    await symlink(path, path)
  },
  'is replaced by a pipe': async path => {
    await rm(path)
    execFileSync('mkfifo', [path])
  }
}
for (const [what, change] of Object.entries(changes)) {
  if (process.platform === 'win32' && what.includes('pipe')) continue
  test(`misses the blocks of a file that ${what}, says so once and takes it again`, async context => {
    const { store, shared, changed } = context
    const path = join(shared, 'directory', 'alice')
    await mkdir(join(shared, 'directory'))
    const { blocks } = await indexFile(store, path, randomBytes(3 * CHUNK))
    const bob = await indexFile(store, join(shared, 'bob'), randomBytes(CHUNK))
    await change(path)
    for (const { id } of blocks) assert.equal(await store.get(id), undefined)
    for (const { id } of blocks) assert.equal(await store.has(id), false)
    await Promise.all(blocks.map(({ id }) => store.get(id)))
    assert.deepEqual(changed, [path])
    assert.equal((await store.fileOf(path))?.changed, true)
    assert.deepEqual(await collect(store.ids()), ids(bob.blocks))

    await rm(path, { recursive: true, force: true })
    await mkdir(join(shared, 'directory'), { recursive: true })
    const again = await indexFile(store, path, randomBytes(2 * CHUNK))
    for (const { id, bytes } of again.blocks) assert.deepEqual(await store.get(id), bytes)
    assert.equal(store.usage().blocks, 3)
    await rm(path)
    await store.get(again.blocks[0]!.id)
    assert.deepEqual(changed, [path, path])
  })
}

test('still gives what a longer file has kept, while saying that it changed', async context => {
  const { store, shared, changed } = context
  const { path, blocks } = await indexFile(store, join(shared, 'log'), randomBytes(3 * CHUNK))
  await appendFile(path, 'one more line')
  for (const { id, bytes } of blocks) assert.deepEqual(await store.get(id), bytes)
  assert.deepEqual(changed, [path])
  assert.equal(await store.has(blocks[0]!.id), false)
})

test('never gives out bytes because the index says so', async ({ store, shared, changed }) => {
  const secret = await indexFile(store, join(shared, 'secret'), randomBytes(2 * CHUNK))
  const [wanted] = await randomBlocks(1)
  const [, second] = secret.references
  await store.putReferences([{ ...second!, id: wanted!.id }])
  assert.equal(await store.get(wanted!.id), undefined)
  assert.deepEqual(changed, [secret.path])
})

test('reads many files at once with few of them open', async context => {
  await context.store.close()
  context.store = await context.open({ filesOpenMax: 3, fileOpenMs: 60_000 })
  const { store, shared } = context
  const blocks: Block[] = []
  for (let index = 0; index < 40; index++) {
    const file = await indexFile(store, join(shared, `${index}`), randomBytes(3 * CHUNK))
    blocks.push(...file.blocks)
  }
  const before = await openDescriptors()
  const read = await Promise.all(blocks.map(({ id }) => store.get(id)))
  assert.deepEqual(
    read,
    blocks.map(({ bytes }) => bytes)
  )
  assert.ok((await openDescriptors()) - before <= 3)
  await store.close()
  assert.ok((await openDescriptors()) <= before)
})

test('closes files that nobody has read for a while', async context => {
  await context.store.close()
  context.store = await context.open({ fileOpenMs: 20 })
  const { blocks } = await indexFile(context.store, join(context.shared, 'a'), randomBytes(CHUNK))
  const before = await openDescriptors()
  await context.store.get(blocks[0]!.id)
  await eventually(async () => assert.ok((await openDescriptors()) <= before))
})

test('takes no blocks, since it has nowhere to put them', async ({ store, shared }) => {
  const { blocks } = await indexFile(store, join(shared, 'alice'), randomBytes(CHUNK))
  const [other] = await randomBlocks(1)
  await store.putMany(blocks)
  await assert.rejects(store.putMany([other!]), { code: 'ENOTSUP' })
})

test('refuses references that cannot be', async ({ store, shared }) => {
  const { references } = await indexFile(store, join(shared, 'alice'), randomBytes(CHUNK))
  const good = references[0]!
  const refused: HostFileReference[] = [
    { ...good, path: 'relative' },
    { ...good, path: `${good.path}\0` },
    { ...good, path: `${good.path}\uD800` },
    { ...good, path: `/${'a'.repeat(100_000)}` },
    { ...good, offset: -1 },
    { ...good, offset: 0.5 },
    { ...good, offset: 2 ** 42 },
    { ...good, length: -1 },
    { ...good, length: BLOCK_BYTES_MAX + 1 },
    { ...good, id: 'no id' as BlockId },
    { ...good, file: { ...good.file, size: Number.NaN } }
  ]
  for (const reference of refused) {
    await assert.rejects(store.putReferences([good, reference]), TypeError)
  }
  assert.deepEqual(await collect(store.files()), [
    { path: good.path, ...good.file, changed: false }
  ])
  await store.putReferences([{ ...good, offset: 2 ** 42 - 1, length: BLOCK_BYTES_MAX }])
})

test('is open once at a time, and not after it was closed', async context => {
  await assert.rejects(context.open(), { code: 'EBUSY' })
  const { references, blocks } = await indexFile(
    context.store,
    join(context.shared, 'alice'),
    randomBytes(CHUNK)
  )
  const reading = context.store.get(blocks[0]!.id)
  await context.store.close()
  await context.store.close()
  assert.deepEqual(await reading, blocks[0]!.bytes)
  const { store } = context
  await assert.rejects(store.get(blocks[0]!.id), { code: 'EBADF' })
  await assert.rejects(store.putReferences(references), { code: 'EBADF' })
  await assert.rejects(store.forget('/alice'), { code: 'EBADF' })
  await assert.rejects(store.sync(), { code: 'EBADF' })
  await assert.rejects(collect(store.ids()), { code: 'EBADF' })
})

test('rejects with the reason of an aborted signal', async ({ store, shared }) => {
  const { blocks, references } = await indexFile(store, join(shared, 'a'), randomBytes(CHUNK))
  const options = { signal: AbortSignal.abort(new Error('enough')) }
  await assert.rejects(store.get(blocks[0]!.id, options), /enough/)
  await assert.rejects(store.putReferences(references, options), /enough/)
  await assert.rejects(collect(store.files(options)), /enough/)
})

test.run()
