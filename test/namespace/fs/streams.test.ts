/** Long content: streams, iterables, and the promise that readers see old or new and never half. */
import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { suite } from 'uvu'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import type { Volume } from '../../../src/namespace/volume/volume.ts'
import { orphanRange } from '../../../src/namespace/volume/keys.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'

const test = suite('fs streams')

const bytes = new Uint8Array(3_000_000).map((_, index) => (index * 31 + (index >> 10)) & 255)

test('a read stream gives a range, in pieces no longer than asked', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', bytes)
  assert.equal(Buffer.compare(await collected(fs.createReadStream('/file')), bytes), 0)
  const stream = fs.createReadStream('/file', {
    start: 999_999,
    end: 2_000_001,
    highWaterMark: 5000
  })
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  assert(pieces.every(piece => piece.length <= 5000))
  assert.equal(Buffer.compare(Buffer.concat(pieces), bytes.subarray(999_999, 2_000_002)), 0)
  assert.throws(() => fs.createReadStream('/file', { start: 5, end: 4 }), RangeError)
  await assert.rejects(collected(fs.createReadStream('/nothing')), {
    code: 'ENOENT',
    syscall: 'open'
  })
  await assert.rejects(collected(fs.createReadStream('/')), { code: 'EISDIR', syscall: 'read' })
})

test('changing what a stream gave changes nothing that is stored', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', bytes)
  for await (const piece of fs.createReadStream('/file')) piece.fill(0)
  ;(await fs.readFile('/file')).fill(1)
  assert.equal(Buffer.compare(await fs.readFile('/file'), bytes), 0)
})

test('changing what was written afterwards changes nothing that is stored', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 1024 * 1024 })
  const { fs } = fixture
  const sizes = [100, 50_000, 1024 * 1024, 5 * 1024 * 1024]
  // Slicing a Buffer shares its memory: both kinds are tried.
  const arrays = sizes.flatMap(size => [new Uint8Array(size), Buffer.alloc(size)])
  // Each content is another one, since equal blocks are stored once.
  let fill = 1
  for (const own of arrays) {
    for (const verb of ['writeFile', 'appendFile'] as const) {
      own.fill(++fill)
      await fs[verb]('/file', own)
      own.fill(0)
      const read = await fs.readFile('/file')
      assert(
        read.every(byte => byte === fill),
        `${own.constructor.name} of ${own.length} bytes`
      )
      await fs.unlink('/file')
    }
  }
})

test('streams become Node streams, and pipe', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await pipeline(
    Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]),
    Writable.fromWeb(fs.createWriteStream('/file') as never)
  )
  assert.equal(Buffer.compare(await fs.readFile('/file'), bytes), 0)
  const read = Readable.fromWeb(fs.createReadStream('/file') as never)
  assert.equal(Buffer.compare(Buffer.concat(await read.toArray()), bytes), 0)
  await fs.createReadStream('/file').pipeTo(fs.createWriteStream('/copy', { flush: true }))
  assert.equal(Buffer.compare(await fs.readFile('/copy'), bytes), 0)
})

test('a write stream can begin in the middle or append', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', 'abcdef')
  await written(fs.createWriteStream('/file', { start: 2 }), ['C', 'D'])
  await written(fs.createWriteStream('/file', { flags: 'a' }), ['gh'])
  assert.equal(await fs.readFile('/file', 'utf8'), 'abCDefgh')
  await assert.rejects(written(fs.createWriteStream('/no/file'), ['x']), { code: 'ENOENT' })
})

test('handles give streams that close them, or not', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', bytes)
  const handle = await fs.open('/file')
  assert.equal((await collected(handle.readableWebStream())).length, bytes.length)
  await handle.read(Buffer.alloc(10))
  assert.equal((await collected(handle.createReadStream())).length, bytes.length - 10)
  await assert.rejects(handle.read(), { code: 'EBADF' })
  const writer = await fs.open('/new', 'w')
  await written(writer.createWriteStream(), ['one', 'two'])
  assert.equal(await fs.readFile('/new', 'utf8'), 'onetwo')
})

test('leaving a stream early lets go of its file', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  await fs.writeFile('/file', bytes)
  for await (const _ of fs.createReadStream('/file', { highWaterMark: 10 })) {
    await fs.unlink('/file')
    break
  }
  assert.equal(await orphans(root.volume), 0)
})

test('reading is cancelled with the reason of the signal', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', bytes)
  const controller = new AbortController()
  const reason = new Error('enough')
  const stream = fs.createReadStream('/file', { signal: controller.signal, highWaterMark: 10 })
  await assert.rejects(async () => {
    for await (const _ of stream) controller.abort(reason)
  }, reason)
})

test('a reader that began keeps its version while the file is replaced', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', bytes)
  const read: Uint8Array[] = []
  for await (const piece of fs.createReadStream('/file')) {
    if (read.length === 0) await fs.writeFile('/file', 'replaced')
    read.push(piece)
  }
  assert.equal(Buffer.compare(Buffer.concat(read), bytes), 0)
  assert.equal(await fs.readFile('/file', 'utf8'), 'replaced')
})

test('readers never see half of a content', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 10_000 })
  const { fs } = fixture
  const contents = [1, 2, 3].map(fill => Buffer.alloc(300_000 + fill, fill))
  await fs.writeFile('/file', contents[0]!)
  const writing = (async () => {
    for (let round = 0; round < 12; round++) {
      const content = contents[round % 3]!
      await fs.writeFile('/file', slices(content, 7000))
    }
  })()
  let done = false
  void writing.finally(() => (done = true))
  while (!done) {
    const content = await fs.readFile('/file')
    assert(contents.some(whole => Buffer.compare(whole, content) === 0))
  }
  await writing
})

test('a source that fails, or a signal, leaves the old content and nothing else', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 10_000 })
  const { fs, root } = fixture
  await fs.writeFile('/file', 'old')
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield* slices(bytes.subarray(0, 2_500_000), 100_000)
    throw new Error('source failed')
  }
  await assert.rejects(fs.writeFile('/file', failing()), /source failed/)
  await assert.rejects(fs.writeFile('/new', failing()), /source failed/)
  const controller = new AbortController()
  const aborting = async function* (): AsyncGenerator<Uint8Array> {
    for (const piece of slices(bytes, 100_000)) {
      yield piece
      controller.abort()
    }
  }
  const { signal } = controller
  await assert.rejects(fs.writeFile('/new', aborting(), { signal }), { name: 'AbortError' })
  assert.deepEqual(await fs.readdir('/'), ['file'])
  assert.equal(await fs.readFile('/file', 'utf8'), 'old')
  assert.equal(await orphans(root.volume), 0)
})

test('a source that has nothing to give does not keep a cancelled write', async () => {
  await using fixture = await createFileSystemFixture()
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes
    await new Promise(() => {})
  }
  const controller = new AbortController()
  const writing = fixture.fs.writeFile('/file', silent(), { signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  await assert.rejects(writing, { name: 'AbortError' })
  assert.deepEqual(await fixture.fs.readdir('/'), [])
})

test('hard links share a long replacement', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  await fs.writeFile('/file', 'short')
  await fs.link('/file', '/second')
  await fs.writeFile('/file', bytes)
  assert.equal(Buffer.compare(await fs.readFile('/second'), bytes), 0)
  assert.equal((await fs.stat('/second')).nlink, 2)
  assert.equal(await orphans(root.volume), 0)
})

test('a file is written from a source without being held in memory', async () => {
  await using fixture = await createFileSystemFixture({ blockBytes: 64 * 1024 })
  const { fs } = fixture
  // The same block over and over takes no room in the store either.
  const block = new Uint8Array(64 * 1024).fill(5)
  const before = process.memoryUsage.rss()
  await fs.writeFile(
    '/file',
    (async function* () {
      for (let index = 0; index < 16 * 256; index++) yield block.slice()
    })()
  )
  const grown = (process.memoryUsage.rss() - before) / 1024 ** 2
  assert.equal((await fs.stat('/file')).size, 256 * 1024 ** 2)
  assert(grown < 150, `${grown} MiB more`)
})

function* slices(whole: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
}

async function collected(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function written(
  stream: WritableStream<Uint8Array | string>,
  pieces: readonly string[]
): Promise<void> {
  const writer = stream.getWriter()
  for (const piece of pieces) await writer.write(piece)
  await writer.close()
}

/** Inodes without a name. */
async function orphans(volume: Volume): Promise<number> {
  const snapshot = await volume.snapshot()
  assert((await snapshot.inode(ROOT_INODE)) !== undefined)
  let count = 0
  for await (const batch of snapshot.tree.scan(orphanRange())) count += batch.length
  return count
}

test.run()
