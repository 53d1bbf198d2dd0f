import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { hash, randomFillSync } from 'node:crypto'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { FileHashers, RANGE_BYTES_MAX } from '../../../src/blocks/disk/index.ts'
import type { FileHashersOptions, FileRange } from '../../../src/blocks/disk/index.ts'
import type { TemporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { createTemporaryDirectory } from '../../fixtures/temporary-directory.ts'

const BLOCK_BYTES = 100_000
const FILE_BYTES = 20 * RANGE_BYTES_MAX + 12_345

const test = suite<{ directory: TemporaryDirectory }>('file hashers')

test.before(async context => {
  context.directory = await createTemporaryDirectory('hashers')
})

test.after(({ directory }) => directory.remove())

const ways: readonly (readonly [string, FileHashersOptions])[] = [
  ['on this thread', { threads: 0 }],
  ['on threads', { threads: 2, startingBytes: 0 }],
  ['first here, then on threads', { threads: 2, startingBytes: 3 * RANGE_BYTES_MAX }]
]

for (const [how, options] of ways) {
  test(`reads and hashes every range, ${how}`, async ({ directory }) => {
    await using opened = open(directory, options)
    const { hashers, content, ranges } = opened
    // Far more than there is memory for.
    for (let round = 0; round < 3; round++) {
      const asked = ranges.map(async range => {
        const hashed = await hashers.hash(range)
        const expected = content.subarray(range.position, range.position + range.length)
        assert.deepEqual(Buffer.from(hashed.bytes), expected)
        assert.deepEqual(Buffer.from(hashed.digests), digestsOf(expected))
        assert.equal(hashed.isZeros, false)
        hashed.release()
      })
      await Promise.all(asked)
    }
    if (options.threads !== 0) assert.equal(hashers.threads, 2)
  })

  test(`knows zeros, and where a file ends, ${how}`, async ({ directory }) => {
    await using opened = open(directory, options, Buffer.alloc(300_000))
    const { hashers, descriptor } = opened
    const ask = (position: number, length: number) =>
      hashers.hash({ descriptor, position, length, blockBytes: BLOCK_BYTES })
    const all = await ask(0, 300_000)
    assert.deepEqual([all.isZeros, all.bytes.length, all.digests.length], [true, 300_000, 0])
    const beyond = await ask(250_000, 100_000)
    assert.deepEqual([beyond.isZeros, beyond.bytes.length], [true, 50_000])
    const nothing = await ask(400_000, 100_000)
    assert.equal(nothing.bytes.length, 0)
    for (const range of [all, beyond, nothing]) range.release()
  })

  test(`says what the host says, ${how}`, async ({ directory }) => {
    await using opened = open(directory, options)
    const { hashers, ranges, content } = opened
    const folder = openSync(directory.path, 'r')
    try {
      // Memory of failed ones comes back: these are more than there is memory for.
      for (let index = 0; index < 30; index++) {
        const asked = hashers.hash({ ...ranges[0]!, descriptor: folder })
        await assert.rejects(asked, { code: 'EISDIR', syscall: 'read' })
      }
    } finally {
      closeSync(folder)
    }
    const hashed = await hashers.hash(ranges[3]!)
    assert.deepEqual(
      hashed.digests.length,
      digestsOf(content.subarray(0, ranges[3]!.length)).length
    )
    hashed.release()
  })
}

test('a last byte that is not zero is seen', async ({ directory }) => {
  const content = Buffer.alloc(RANGE_BYTES_MAX)
  content[content.length - 1] = 1
  await using opened = open(directory, { threads: 0 }, content)
  const hashed = await opened.hashers.hash(opened.ranges[0]!)
  assert.equal(hashed.isZeros, false)
  hashed.release()
})

test('waits for memory, which goes in the order of asking', async ({ directory }) => {
  await using opened = open(directory, { threads: 1, startingBytes: 0 })
  const { hashers, ranges } = opened
  const begun: number[] = []
  const asked = ranges.map(async (range, index) => {
    const hashed = await hashers.hash(range)
    begun.push(index)
    return hashed
  })
  const first = await Promise.all(asked.slice(0, 4))
  await wait(50)
  assert.deepEqual(begun, [0, 1, 2, 3])
  first[0]!.release()
  await asked[4]
  assert.deepEqual(begun, [0, 1, 2, 3, 4])
  for (const hashed of first.slice(1)) hashed.release()
  for (const range of asked.slice(4)) (await range).release()
})

test('lets go of threads that have nothing to do, and starts them again', async ({ directory }) => {
  await using opened = open(directory, { threads: 2, startingBytes: 0, idleMs: 20 })
  const { hashers, ranges } = opened
  for (let round = 0; round < 2; round++) {
    for (const range of ranges) (await hashers.hash(range)).release()
    assert.equal(hashers.threads, 2)
    while (hashers.threads > 0) await wait(5)
  }
})

test('starts no thread for little', async ({ directory }) => {
  await using opened = open(directory, {})
  const { hashers, ranges } = opened
  for (const range of ranges.slice(0, 10)) (await hashers.hash(range)).release()
  assert.equal(hashers.threads, 0)
})

test('what is under way when it is closed is done all the same', async ({ directory }) => {
  await using opened = open(directory, { threads: 2, startingBytes: 0 })
  const { hashers, ranges, content } = opened
  ;(await hashers.hash(ranges[0]!)).release()
  await wait(100)
  const asked = ranges.map(async range => {
    const hashed = await hashers.hash(range)
    const expected = content.subarray(range.position, range.position + range.length)
    assert.deepEqual(Buffer.from(hashed.digests), digestsOf(expected))
    hashed.release()
  })
  await hashers.close()
  assert.equal(hashers.threads, 0)
  await Promise.all(asked)
})

const CHILD = fileURLToPath(new URL('children/hash-a-file.ts', import.meta.url))

for (const flags of [[], ['--permission', '--allow-fs-read=*']]) {
  const where = flags.length === 0 ? 'where threads are allowed' : 'where they are not'
  test(`a process with threads waiting ends by itself, ${where}`, async ({ directory }) => {
    writeFileSync(`${directory.path}/file`, randomFillSync(Buffer.alloc(FILE_BYTES)))
    const call = ['--conditions=warren-source', ...flags, CHILD, `${directory.path}/file`]
    const { stdout } = await promisify(execFile)(process.execPath, call, { timeout: 20_000 })
    assert.equal(stdout, flags.length === 0 ? 'threads 1\n' : 'threads 0\n')
  })
}

test.run()

interface Opened extends AsyncDisposable {
  readonly hashers: FileHashers
  readonly content: Buffer
  readonly descriptor: number
  readonly ranges: readonly FileRange[]
}

/** A file of random bytes, cut into ranges. */
function open(
  directory: TemporaryDirectory,
  options: FileHashersOptions,
  content: Buffer = randomFillSync(Buffer.alloc(FILE_BYTES))
): Opened {
  const path = `${directory.path}/file`
  writeFileSync(path, content)
  const descriptor = openSync(path, 'r')
  const hashers = new FileHashers(options)
  const ranges: FileRange[] = []
  for (let position = 0; position < content.length; position += RANGE_BYTES_MAX) {
    const length = Math.min(RANGE_BYTES_MAX, content.length - position)
    ranges.push({ descriptor, position, length, blockBytes: BLOCK_BYTES })
  }
  return {
    hashers,
    content,
    descriptor,
    ranges,
    [Symbol.asyncDispose]: async () => {
      await hashers.close()
      closeSync(descriptor)
    }
  }
}

function digestsOf(bytes: Buffer): Buffer {
  const digests: Buffer[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    digests.push(hash('sha256', bytes.subarray(at, at + BLOCK_BYTES), 'buffer'))
  }
  return Buffer.concat(digests)
}
