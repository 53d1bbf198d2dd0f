/** Bytes that rot on alice's disk come back from bob: when they are read, and when a check repairs. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { open, readFile, readdir, writeFile } from 'node:fs/promises'
import type { CheckReport, Warren } from '../../src/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith, startWarren } from './fixtures.ts'

interface Context {
  directory: TemporaryDirectory
  alice: Warren
  bob: Warren
}

const test = suite<Context>('damage')

test.before.each(async context => {
  context.directory = await createTemporaryDirectory('damage')
  const directory = context.directory.join('alice')
  context.alice = await startWarren({ directory, fetchTimeoutMs: 10_000 })
  context.bob = await startWarren()
})
test.after.each(async ({ alice, bob, directory }) => {
  await alice.stop()
  await bob.stop()
  await directory.remove()
})

const BLOCK = 128 * 1024

/** Three blocks that are nothing like each other. */
function contentOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 3 * BLOCK }, (_, at) => (at * 31 + (at >>> 9) * seed) % 251)
}

/** Bob has read everything, and is connected. */
async function copyToBob({ alice, bob }: Context, path: string): Promise<void> {
  await bob.mount('/alice', await alice.share('/'))
  await bob.fs.readFile(`/alice${path}`)
  await eventually(async () => {
    assert.ok(bob.usage().blocks >= alice.usage().blocks)
  })
}

/** Changes bytes of the file's second block where it stands in a file. */
async function flip(path: string, content: Uint8Array): Promise<void> {
  const bytes = await readFile(path)
  const at = bytes.indexOf(content.subarray(BLOCK + 100, BLOCK + 200))
  assert.ok(at > 0, 'the block is in there')
  const file = await open(path, 'r+')
  await file.write(Uint8Array.of(bytes[at]! ^ 1), 0, 1, at)
  await file.close()
}

async function segmentOf({ directory }: Context): Promise<string> {
  const names = await readdir(directory.join('alice', 'blocks', 'segments'))
  return directory.join(
    'alice',
    'blocks',
    'segments',
    names.find(name => name.endsWith('.segment'))!
  )
}

test('a read of a damaged block gets it from bob, and the next one need not', async context => {
  const { alice, bob } = context
  const content = contentOf(7)
  await alice.fs.writeFile('/file', content)
  await alice.sync()
  await copyToBob(context, '/file')
  await flip(await segmentOf(context), content)
  assert.deepEqual(new Uint8Array(await alice.fs.readFile('/file')), content)
  const before = alice.usage()
  await eventually(() => assert.equal(alice.usage().blocks, before.blocks))
  await alice.sync()
  await bob.stop()
  assert.deepEqual(new Uint8Array(await alice.fs.readFile('/file')), content)
  // And it has not only been in memory.
  await alice.stop()
  context.alice = await startWarren({ directory: context.directory.join('alice') })
  assert.deepEqual(new Uint8Array(await context.alice.fs.readFile('/file')), content)
  assert.deepEqual((await context.alice.check()).problems, [])
})

test('a damaged node comes back from bob too', async context => {
  const { alice, bob, directory } = context
  for (let index = 0; index < 300; index++) {
    await alice.fs.writeFile(`/${index}`, `content of file ${index} `.repeat(20))
  }
  await alice.sync()
  await bob.mount('/alice', await alice.share('/'))
  for (let index = 0; index < 300; index++) await bob.fs.readFile(`/alice/${index}`)
  await eventually(() => assert.ok(bob.usage().bytes > 300 * 20 * 20))
  await alice.stop()
  const segment = await segmentOf(context)
  const bytes = await readFile(segment)
  const at = bytes.lastIndexOf('content of file 150')
  assert.ok(at > 0)
  bytes[at] = bytes[at]! ^ 1
  await writeFile(segment, bytes)
  // Nobody is there when it starts, and it starts all the same.
  context.alice = await startWarren({ directory: directory.join('alice'), fetchTimeoutMs: 3_000 })
  await context.alice.connect(bob.addresses()[0]!)
  const told = await context.alice.check()
  assert.deepEqual(told.byKind, { 'node-missing': 1, 'content-lost': told.found - 1 })
  const text = await context.alice.fs.readFile('/150', 'utf8')
  assert.ok(text.startsWith('content of file 150 '))
  await eventually(async () => assert.deepEqual((await context.alice.check()).problems, []))
})

test('an in-place file that was changed comes back as it was', async context => {
  const { alice, bob, directory } = context
  const content = contentOf(11)
  const host = directory.join('host')
  await writeFile(host, content)
  await alice.import(host, '/file', { inPlace: true })
  await copyToBob(context, '/file')
  const kept = alice.usage()
  await flip(host, content)
  assert.deepEqual(new Uint8Array(await alice.fs.readFile('/file')), content)
  await eventually(() => assert.ok(alice.usage().blocks > kept.blocks))
  await bob.stop()
  assert.deepEqual(new Uint8Array(await alice.fs.readFile('/file')), content)
})

/** What it says of blocks; of copies it depends on the moment whether the loss is known yet. */
function blocksIn({ problems }: CheckReport): unknown[] {
  return problems
    .filter(({ kind }) => kind !== 'copies-few')
    .map(({ kind, path, repaired }) => [kind, path, repaired])
}

test('what nobody has is lost, and told by its path; a check gets it once bob is there', async context => {
  const { alice, bob } = context
  const content = contentOf(13)
  await alice.fs.mkdir('/folder')
  await alice.fs.writeFile('/folder/file', content)
  await alice.sync()
  await copyToBob(context, '/folder/file')
  await flip(await segmentOf(context), content)
  const addresses = bob.addresses()
  await bob.stop()
  const lost = new Promise(resolve => {
    alice.replication.events.addEventListener('lost', resolve, { once: true })
  })
  await rejectsWith(alice.fs.readFile('/folder/file'), 'EHOSTUNREACH')
  const told = await alice.check({ repair: true })
  assert.deepEqual(blocksIn(told), [['block-missing', '/folder/file', false]])
  await lost
  assert.ok(addresses.length > 0)
  // Carol happens to have the same bytes.
  await using carol = await startWarren()
  await carol.fs.writeFile('/same', content)
  await alice.connect(carol.addresses()[0]!)
  const mended = await alice.check({ repair: true })
  assert.deepEqual(blocksIn(mended), [['block-missing', '/folder/file', true]])
  assert.deepEqual(mended.byKind, { 'block-missing': 1 }, 'its copies are counted as they are now')
  await carol.stop()
  assert.deepEqual(new Uint8Array(await alice.fs.readFile('/folder/file')), content)
})

test('a sealed volume is checked as well', async context => {
  const directory = context.directory.join('sealed')
  await using carol = await startWarren({ directory, sealed: true })
  await carol.fs.writeFile('/secret', contentOf(17))
  const report = await carol.check()
  assert.deepEqual([report.problems, report.counts.files, report.counts.blocks], [[], 1, 3])
})

test('what is open without a name is left alone, and gone when it is closed', async ({ alice }) => {
  const file = await alice.fs.open('/file', 'w+')
  await file.writeFile('still here')
  await alice.fs.unlink('/file')
  const open = await alice.check({ repair: true })
  assert.deepEqual([open.problems, open.counts.files], [[], 1])
  const buffer = new Uint8Array(10)
  await file.read(buffer, 0, 10, 0)
  assert.equal(new TextDecoder().decode(buffer), 'still here')
  await file.close()
  const closed = await alice.check({ repair: true })
  assert.deepEqual([closed.problems, closed.counts.files], [[], 0])
})

test('a check ends when it is told, and when the warren stops', async ({ alice }) => {
  await alice.fs.writeFile('/file', contentOf(3))
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(alice.check({ signal }), /enough/)
  await alice.stop()
  await rejectsWith(alice.check(), 'EBADF')
})

test.run()
