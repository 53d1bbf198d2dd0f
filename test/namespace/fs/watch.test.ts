/** Watching: what is told, of whom, and what happens to a reader who is slow. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { FileSystem, WatchEvent, WatchOptions } from '../../../src/namespace/fs/index.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import { createFileSystemFixture } from '../../fixtures/file-system.ts'

const test = suite('watch')

/** Events of a watch as text, up to the one that `until` names. */
function begin(
  fs: FileSystem,
  path: string,
  options: WatchOptions = {}
): (until: string) => Promise<string[]> {
  const signal = AbortSignal.timeout(40_000)
  const events = fs.watch(path, { ...options, signal })[Symbol.asyncIterator]()
  // Asked for at once: watching begins with the first question.
  let next: Promise<IteratorResult<WatchEvent>> | undefined = events.next()
  return async until => {
    const seen: string[] = []
    for (;;) {
      const { value, done } = await (next ?? events.next())
      next = undefined
      if (done === true) return seen
      const { eventType, filename }: WatchEvent = value
      seen.push(filename === null ? eventType : `${eventType} ${filename}`)
      if (seen.at(-1) === until) return seen
    }
  }
}

/** Lets the watch look at what is there first. */
async function settle(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 10))
}

test('files that appear, change, move and go are told by name', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.mkdir('/dir/sub', { recursive: true })
  await fs.writeFile('/dir/old', 'old')
  const events = begin(fs, '/dir')
  await settle()
  await fs.writeFile('/dir/new', 'x')
  assert.deepEqual(await events('rename new'), ['rename new'])
  await fs.writeFile('/dir/old', 'changed')
  assert.deepEqual(await events('change old'), ['change old'])
  await fs.chmod('/dir/old', 0o600)
  assert.deepEqual(await events('change old'), ['change old'])
  await fs.setAttribute('/dir/old', 'colour', 'red')
  assert.deepEqual(await events('change old'), ['change old'])
  await fs.rename('/dir/old', '/dir/sub/moved')
  assert.deepEqual(await events('rename old'), ['rename old'])
  await fs.writeFile('/dir/sub/not told', 'x')
  await fs.writeFile('/elsewhere', 'x')
  await fs.unlink('/dir/new')
  assert.deepEqual(await events('rename new'), ['rename new'])
})

test('a recursive watch tells paths, and only those below', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.mkdir('/dir/a/b', { recursive: true })
  await fs.mkdir('/beside')
  await fs.writeFile('/dir/a/b/file', 'x')
  const events = begin(fs, '/dir', { recursive: true })
  await settle()
  await fs.writeFile('/beside/file', 'x')
  await fs.writeFile('/dir/a/b/file', 'changed')
  assert.deepEqual(await events('change a/b/file'), ['change a/b/file'])
  await fs.mkdir('/dir/a/c/d', { recursive: true })
  assert.deepEqual(await events('rename a/c/d'), ['rename a/c', 'rename a/c/d'])
  await fs.rename('/dir/a/b', '/dir/a/c/d/b')
  assert.deepEqual((await events('rename a/c/d/b')).toSorted(), ['rename a/b', 'rename a/c/d/b'])
  await fs.appendFile('/dir/a/c/d/b/file', 'more')
  assert.deepEqual(await events('change a/c/d/b/file'), ['change a/c/d/b/file'])
})

test('changes that others make to the volume are told as well', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  const events = begin(fs, '/')
  await settle()
  await root.volume.update(async transaction => {
    const inode = await transaction.create(ROOT_INODE, 'theirs', { type: 'file', mode: 0o644 })
    await transaction.setInline(inode.number, Uint8Array.of(1))
  })
  assert.deepEqual(await events('rename theirs'), ['rename theirs'])
})

test('a file can be watched, until it is removed', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await fs.writeFile('/file', 'x')
  const events = begin(fs, '/file')
  await settle()
  await fs.appendFile('/file', 'y')
  assert.deepEqual(await events('change file'), ['change file'])
  await fs.writeFile('/other', 'y')
  await fs.unlink('/file')
  assert.deepEqual(await events(''), ['rename file'])
})

test('more events than may wait are an overflow', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs, root } = fixture
  const events = begin(fs, '/', { maxQueue: 10 })
  await settle()
  const make = async (count: number, prefix: string): Promise<void> => {
    await root.volume.update(async transaction => {
      for (let index = 0; index < count; index++) {
        await transaction.create(ROOT_INODE, `${prefix}${index}`, { type: 'file', mode: 0o644 })
      }
    })
  }
  await make(10, 'a')
  assert.equal((await events('rename a9')).length, 10)
  await make(11, 'b')
  assert.equal((await events('overflow')).length, 11)
  await fs.writeFile('/last', 'x')
  assert.deepEqual(await events('rename last'), ['rename last'])
})

test('watching ends with its signal, and begins only where something is', async () => {
  await using fixture = await createFileSystemFixture()
  const { fs } = fixture
  await assert.rejects(begin(fs, '/nothing')(''), { code: 'ENOENT', syscall: 'watch' })
  const controller = new AbortController()
  const watching = (async () => {
    for await (const _ of fs.watch('/', { signal: controller.signal })) assert.fail('no event')
  })()
  await settle()
  controller.abort()
  await assert.rejects(watching, { name: 'AbortError' })
})

test.run()
