/**
 * Sealed volumes from end to end: alice owns one, hal holds it without the key and bob reads it from
 * hal. Nothing that hal has on disk, and nothing that any of them says, shows names or contents.
 */
import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encode } from 'cborg'
import { suite } from 'uvu'
import { createBlockExchange } from '../../src/blocks/index.ts'
import type { BlockStore } from '../../src/blocks/index.ts'
import { openDiskBlockStore } from '../../src/blocks/disk/index.ts'
import { createMemoryHeadStore, createReadKey, createWarren } from '../../src/index.ts'
import type { Warren } from '../../src/index.ts'
import { formatLink, parseLink } from '../../src/namespace/index.ts'
import { createMemoryNetwork, createSigningKey } from '../../src/peer/index.ts'
import type { IncomingMessage, OutgoingMessage, Peer } from '../../src/peer/index.ts'
import { noise, prose } from '../blocks/encoding/fixtures.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { eventually, rejectsWith, startWarren } from './fixtures.ts'

const test = suite('sealed volumes')

/** In names, in contents short and long, in what a symlink points at and in the middle of a file. */
const WORDS = ['plumbeous', 'quixotry', 'zephyrean', 'xylograph', 'jabberwock', 'rabbit'] as const

/** Everything that is said over peers that were wrapped. */
class Record {
  readonly #heard: Uint8Array[] = []

  of(peer: Peer): Peer {
    const note = <Message extends OutgoingMessage | IncomingMessage>(message: Message): Message => {
      const payload: unknown = message.payload ?? []
      this.#heard.push(encode(message.body))
      this.#heard.push(...(payload instanceof Uint8Array ? [payload] : (payload as Uint8Array[])))
      return message
    }
    const noteEach = async function* <Message extends OutgoingMessage | IncomingMessage>(
      messages: AsyncIterable<Message>
    ): AsyncGenerator<Message> {
      for await (const message of messages) yield note(message)
    }
    return new Proxy(peer, {
      get(target, name) {
        if (name === 'call') {
          const call: Peer['call'] = (to, protocol, request, options) =>
            noteEach(target.call(to, protocol, note(request), options))
          return call
        }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      }
    })
  }

  words(): string[] {
    return wordsIn(this.#heard)
  }

  get bytes(): number {
    return this.#heard.reduce((sum, { length }) => sum + length, 0)
  }
}

function wordsIn(pieces: Iterable<Uint8Array>): string[] {
  const found = new Set<string>()
  for (const piece of pieces) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    for (const word of WORDS) if (bytes.includes(word)) found.add(word)
  }
  return [...found].sort()
}

async function wordsUnder(directory: string): Promise<string[]> {
  const pieces: Uint8Array[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    pieces.push(Buffer.from(path))
    if (entry.isFile()) pieces.push(await readFile(path))
  }
  return wordsIn(pieces)
}

function largeFile(): Uint8Array {
  const bytes = noise(700_000)
  bytes.set(new TextEncoder().encode('zephyrean'), 400_000)
  bytes.set(prose(200_000), 450_000)
  return bytes
}

async function fill({ fs }: Warren): Promise<void> {
  await fs.mkdir('/plumbeous/inner', { recursive: true })
  await fs.writeFile('/plumbeous/note.txt', 'quixotry in a small file')
  await fs.writeFile('/plumbeous/inner/large.bin', largeFile())
  await fs.symlink('jabberwock', '/plumbeous/link')
  for (let number = 0; number < 300; number++) {
    await fs.writeFile(`/plumbeous/inner/xylograph-${number}`, `quixotry ${number}`)
  }
}

async function requireFilled({ fs }: Warren, at: string): Promise<void> {
  assert.deepEqual(await fs.readdir(at), ['plumbeous'])
  assert.deepEqual((await fs.readdir(`${at}/plumbeous`)).sort(), ['inner', 'link', 'note.txt'])
  const entries = await fs.readdir(`${at}/plumbeous/inner`, { withFileTypes: true })
  assert.equal(entries.length, 301)
  assert.equal(await fs.readFile(`${at}/plumbeous/note.txt`, 'utf8'), 'quixotry in a small file')
  assert.equal(await fs.readFile(`${at}/plumbeous/inner/xylograph-77`, 'utf8'), 'quixotry 77')
  assert.equal(await fs.readlink(`${at}/plumbeous/link`), 'jabberwock')
  const large = largeFile()
  const path = `${at}/plumbeous/inner/large.bin`
  assert.equal((await fs.stat(path)).size, large.length)
  const handle = await fs.open(path)
  for (const [position, length] of [
    [400_000, 9],
    [0, 1],
    [131_071, 2],
    [499_990, 150_000],
    [699_999, 100]
  ] as const) {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, position)
    assert.deepEqual(buffer.subarray(0, bytesRead), large.slice(position, position + length))
  }
  await handle.close()
  assert.deepEqual(new Uint8Array(await fs.readFile(path)), large)
}

interface Cast extends AsyncDisposable {
  readonly record: Record
  readonly alice: Warren
  readonly hal: Warren
  readonly halDirectory: string
  readonly bob: Warren
  readonly full: string
  readonly bare: string
}

/** Alice has filled her volume, hal has all of its blocks; bob knows nothing yet. */
async function createCast(sealed: boolean): Promise<Cast> {
  const network = createMemoryNetwork()
  const record = new Record()
  const directory = await createTemporaryDirectory('sealed')
  const join = (): Peer => record.of(network.createPeer({ discovery: false }))
  const headStore = createMemoryHeadStore()
  const [alicePeer, halPeer, bobPeer] = [join(), join(), join()]
  const alice = await createWarren({ peer: alicePeer, headStore, sealed })
  await fill(alice)
  const full = await alice.share('/')
  const bare = await alice.share('/', { key: false })
  const store = await openDiskBlockStore(directory.join('held'))
  const hal = await createWarren({
    peer: halPeer,
    directory: directory.join('hal'),
    blockStore: store
  })
  await hal.mount('/held', bare, { offline: true })
  const root = (await headStore.get(alice.volume))!.root
  const holding = createBlockExchange({ peer: halPeer, store })
  const reader = holding.reader({ sources: () => [alice.id] })
  for await (const _ of reader.getSubtree(root));
  // Hal knows the newest head by following the volume.
  await hal.fs.readdir('/held').catch(() => {})
  await holding.stop()
  await store.sync()
  const bob = await createWarren({ peer: bobPeer })
  const close = async (): Promise<void> => {
    for (const warren of [bob, hal, alice]) await warren.stop()
    await (store as BlockStore).close()
    await directory.remove()
  }
  const halDirectory = directory.path
  return { record, alice, hal, halDirectory, bob, full, bare, [Symbol.asyncDispose]: close }
}

/** The link as hal would be named in it. */
function from({ hal }: Cast, link: string): string {
  return formatLink({ ...parseLink(link), peers: [{ id: hal.id, addresses: hal.addresses() }] })
}

test('a holder and the wire see no word, and a reader sees everything', async () => {
  await using cast = await createCast(true)
  const { record, alice, hal, halDirectory, bob, full, bare } = cast
  assert.equal(parseLink(full).key?.length, 43)
  assert.equal(parseLink(bare).key, undefined)
  await rejectsWith(hal.fs.readdir('/held'), 'EACCES', { syscall: 'scandir' })
  await alice.stop()
  await bob.mount('/alice', from(cast, full))
  await requireFilled(bob, '/alice')
  assert.deepEqual(await wordsUnder(halDirectory), [])
  assert.deepEqual(record.words(), [])
  assert.ok(record.bytes > 1_000_000)
  // Compressed before it was sealed.
  assert.ok(hal.usage().bytes < 700_000)
  // What hal holds is what its mount needs, though it cannot read it.
  await hal.collect()
  await bob.unmount('/alice')
  await bob.collect()
  await bob.mount('/alice', from(cast, full))
  await requireFilled(bob, '/alice')
})

test('words are found where nothing is sealed', async () => {
  await using cast = await createCast(false)
  const { record, halDirectory, bob, full } = cast
  assert.equal(parseLink(full).key, undefined)
  await bob.mount('/alice', from(cast, full))
  await requireFilled(bob, '/alice')
  assert.deepEqual(await wordsUnder(halDirectory), [...WORDS].sort())
  assert.deepEqual(record.words(), [...WORDS].sort())
})

test('a link opens only with the key, and the key may come later', async () => {
  await using cast = await createCast(true)
  const { bob, full, bare } = cast
  await rejectsWith(bob.mount('/a', from(cast, bare)), 'EACCES', { syscall: 'mount', path: '/a' })
  const wrong = formatLink({ ...parseLink(full), key: createReadKey() })
  await rejectsWith(bob.mount('/a', from(cast, wrong)), 'EACCES', { syscall: 'mount' })
  assert.deepEqual(bob.mounts(), [])
  await bob.mount('/bare', from(cast, bare), { offline: true })
  await rejectsWith(bob.fs.readdir('/bare'), 'EACCES')
  await rejectsWith(bob.fs.readFile('/bare/plumbeous/note.txt'), 'EACCES')
  await bob.mount('/full', from(cast, full))
  await requireFilled(bob, '/full')
  // It is one volume, whatever it was mounted by.
  await requireFilled(bob, '/bare')
  // And bob may pass it on.
  const passedOn = await bob.share('/full/plumbeous')
  assert.equal(parseLink(passedOn).key, parseLink(full).key)
  assert.equal(parseLink(passedOn).path, '/plumbeous')
  assert.deepEqual(parseLink(await bob.share('/full/plumbeous', { key: false })).path, '/')
})

test('shares of a sealed volume are not told of to who asks', async () => {
  await using cast = await createCast(true)
  const { alice, hal } = cast
  await alice.share('/plumbeous')
  assert.equal(alice.shares().length, 2)
  for (const { link } of alice.shares()) assert.notEqual(parseLink(link).key, undefined)
  await hal.peer.dial(alice.id)
  const [known] = (await hal.peers()).filter(({ id }) => id === alice.id)
  assert.deepEqual(known?.shares, [])
})

test('what the owner changes arrives, also at who only holds it', async () => {
  await using cast = await createCast(true)
  const { alice, hal, bob, full } = cast
  await bob.mount('/alice', full)
  await alice.fs.writeFile('/plumbeous/note.txt', 'news')
  await alice.sync()
  await eventually(async () => {
    assert.equal(await bob.fs.readFile('/alice/plumbeous/note.txt', 'utf8'), 'news')
  })
  await rejectsWith(hal.fs.readdir('/held'), 'EACCES')
})

test('stays sealed, with its key, over restarts', async () => {
  await using directory = await createTemporaryDirectory('sealed-kept')
  const options = { directory: directory.path, listen: [] }
  const first = await startWarren({ ...options, sealed: true })
  const { volume } = first
  await fill(first)
  await first.mount('/self', await first.share('/plumbeous'))
  const { key } = parseLink(await first.share('/'))
  await first.stop()
  const again = await startWarren(options)
  assert.equal(again.volume, volume)
  assert.equal(parseLink(await again.share('/')).key, key)
  assert.equal(await again.fs.readFile('/plumbeous/note.txt', 'utf8'), 'quixotry in a small file')
  assert.equal(await again.fs.readFile('/self/note.txt', 'utf8'), 'quixotry in a small file')
  await again.stop()
  for (const name of ['volume.read-key', 'namespace.json']) {
    assert.equal((await stat(directory.join(name))).mode & 0o777, 0o600, name)
  }
  assert.deepEqual(await wordsUnder(directory.join('blocks')), [])
  await rejectsWith(startWarren({ ...options, sealed: false }), 'EINVAL', { message: /sealed/ })
  const readKey = createReadKey()
  await rejectsWith(startWarren({ ...options, readKey }), 'EACCES')
  await (await startWarren({ ...options, sealed: true })).stop()
})

test('what was made unsealed stays so', async () => {
  await using directory = await createTemporaryDirectory('unsealed')
  const options = { directory: directory.path, listen: [] }
  await (await startWarren(options)).stop()
  await rejectsWith(startWarren({ ...options, sealed: true }), 'EINVAL', { message: /not sealed/ })
  await using again = await startWarren(options)
  assert.deepEqual(await again.fs.readdir('/'), [])
})

test('an app may keep the keys itself', async () => {
  const volumeKey = await createSigningKey()
  await rejectsWith(startWarren({ volumeKey, sealed: true }), 'EINVAL', { message: /readKey/ })
  await rejectsWith(startWarren({ sealed: false, readKey: createReadKey() }), 'EINVAL')
  await rejectsWith(startWarren({ readKey: 'short' as ReturnType<typeof createReadKey> }), 'EINVAL')
  await rejectsWith(startWarren({ sealed: true, blockBytes: 1024 * 1024 }), 'EINVAL', {
    message: /blockBytes/
  })
  const readKey = createReadKey()
  await using warren = await startWarren({ volumeKey, readKey })
  assert.equal(parseLink(await warren.share('/')).key, readKey)
})

test('folders are imported as copies and exported', async () => {
  await using directory = await createTemporaryDirectory('sealed-host')
  const source = directory.join('source')
  await mkdir(source)
  const large = largeFile()
  await writeFile(join(source, 'large'), large)
  await writeFile(join(source, 'small'), 'quixotry')
  await using alice = await startWarren({ directory: directory.join('alice'), sealed: true })
  await rejectsWith(alice.import(source, '/in', { inPlace: true }), 'ENOTSUP')
  assert.equal((await alice.import(source, '/in')).files, 2)
  assert.equal((await alice.import(source, '/in')).skipped, 2)
  assert.deepEqual(await wordsUnder(directory.join('alice')), [])

  await using bob = await startWarren({ directory: directory.join('bob') })
  await bob.mount('/alice', await alice.share('/'))
  const target = directory.join('target')
  assert.equal((await bob.export('/alice/in', target)).files, 2)
  assert.deepEqual(new Uint8Array(await readFile(join(target, 'large'))), large)
  // Of a file that looks changed only the blocks are written that are not there.
  const cut = large.slice()
  cut.fill(0, 0, 10)
  await writeFile(join(target, 'large'), cut)
  await utimes(join(target, 'large'), 1, 1)
  await bob.export('/alice/in', target)
  assert.deepEqual(new Uint8Array(await readFile(join(target, 'large'))), large)
  const report = await bob.export('/alice/in', target, { verify: true })
  assert.deepEqual([report.files, report.skipped], [0, 2])
  assert.deepEqual(await wordsUnder(directory.join('bob')), [])
})

test.run()
