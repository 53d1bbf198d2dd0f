/** What a peer exported from a mount it can read and serve: from the exported files themselves. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith, startWarren } from './fixtures.ts'

const MIB = 2 ** 20
const test = suite('exported files')

test('their blocks are had without their owner, and are on the disk once', async () => {
  await using directory = await createTemporaryDirectory('exported')
  const bytes = new Uint8Array(randomBytes(8 * MIB))
  const alice = await startWarren()
  await alice.fs.writeFile('/large', bytes)
  await alice.fs.writeFile('/middling', bytes.subarray(0, 100_000))
  await using bob = await startWarren({ directory: directory.join('bob') })
  await bob.mount('/alice', await alice.share('/'))
  await bob.export('/alice', directory.join('exported'))
  await alice.stop()
  assert.deepEqual(new Uint8Array(await readFile(directory.join('exported/large'))), bytes)
  assert.deepEqual(await bob.fs.readFile('/alice/large'), bytes)
  assert.deepEqual(await bob.fs.readFile('/alice/middling'), bytes.subarray(0, 100_000))
  await using carol = await startWarren()
  await carol.mount('/alice', await bob.share('/alice'))
  assert.deepEqual(await carol.fs.readFile('/alice/large'), bytes)
})

test('what is done to them afterwards does no harm: the blocks are fetched again', async () => {
  await using directory = await createTemporaryDirectory('exported')
  const bytes = new Uint8Array(randomBytes(2 * MIB))
  await using alice = await startWarren()
  await alice.fs.writeFile('/file', bytes)
  await using bob = await startWarren({ directory: directory.join('bob') })
  await bob.mount('/alice', await alice.share('/'))
  await bob.export('/alice/file', directory.join('file'))
  await writeFile(directory.join('file'), 'something else')
  assert.deepEqual(await bob.fs.readFile('/alice/file'), bytes)
})

test('and without their owner it is told that they are gone', async () => {
  await using directory = await createTemporaryDirectory('exported')
  const alice = await startWarren()
  await alice.fs.writeFile('/file', randomBytes(2 * MIB))
  await using bob = await startWarren({ directory: directory.join('bob') })
  await bob.mount('/alice', await alice.share('/'))
  await bob.export('/alice/file', directory.join('file'))
  await writeFile(directory.join('file'), 'something else')
  await alice.stop()
  await eventually(() => rejectsWith(bob.fs.readFile('/alice/file'), 'EHOSTUNREACH'))
})

test.run()
