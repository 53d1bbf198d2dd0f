/**
 * A folder of this machine goes to another peer, and becomes a folder there.
 *
 *     node examples/02-import-export.ts
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWarren } from 'warren'

const place = await mkdtemp(join(tmpdir(), 'warren-example-'))
const photos = join(place, 'photos')
await mkdir(photos)
for (let i = 1; i <= 20; i++)
  await writeFile(join(photos, `${i}.raw`), new Uint8Array(100_000).fill(i))

// With a directory a peer is the same one again after a restart, with all its files.
const settings = { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false }
const alice = await createWarren({ ...settings, directory: join(place, 'alice') })
const bob = await createWarren({
  ...settings,
  directory: join(place, 'bob'),
  // Bob asks for the newest version whenever he looks, and not after some seconds only.
  attributeLifetimeMs: 0
})

// In place: Alice's peer notes where the bytes are, and keeps no second copy of them.
const taken = await alice.import(photos, '/photos', { inPlace: true })
console.log(`${taken.files} files, ${taken.bytes} bytes taken in`)

await bob.mount('/photos', await alice.share('/photos'))
const written = await bob.export('/photos', join(place, 'photos-of-bob'), {
  signal: AbortSignal.timeout(30_000),
  onProgress: ({ files, filesTotal }) => console.log(`  ${files} of ${filesTotal ?? '?'}`)
})
console.log(`${written.files} files written, ${written.failed.length} failed`)

// A second run carries only what has changed since.
await writeFile(join(photos, '21.raw'), 'a new one')
await alice.import(photos, '/photos', { inPlace: true })
// What is synced survives a power cut, and is published; otherwise that is done a moment later.
await alice.sync()
const again = await bob.export('/photos', join(place, 'photos-of-bob'))
console.log(`${again.files} written, ${again.skipped} were there`)
console.log(`${(await readdir(join(place, 'photos-of-bob'))).length} files in Bob's folder`)

await Promise.all([alice.stop(), bob.stop()])
await rm(place, { recursive: true })
