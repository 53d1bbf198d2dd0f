/**
 * Two peers in one program: one writes and shares, the other mounts and reads.
 *
 *     node examples/01-two-peers.ts
 */
import { createWarren } from 'warren'

// Without a directory a peer keeps everything in memory. These two stay on this machine.
const settings = { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false }
await using alice = await createWarren(settings)
await using bob = await createWarren(settings)

// Files have the verbs of `node:fs/promises`.
await alice.fs.mkdir('/letters')
await alice.fs.writeFile('/letters/first.txt', 'Dear Bob')

// A link is text that may be sent by any means. It says what is shared, and where Alice is.
const link = await alice.share('/letters')
console.log(link)

// A mount is a part of Bob's own tree, over a connection that is encrypted and authenticated.
await bob.mount('/from-alice', link)
console.log(await bob.fs.readdir('/from-alice'))
console.log(await bob.fs.readFile('/from-alice/first.txt', 'utf8'))

// What Alice changes, Bob sees: he is told of each new version.
const changes = bob.fs.watch('/from-alice', { signal: AbortSignal.timeout(10_000) })
const change = changes[Symbol.asyncIterator]().next()
await alice.fs.writeFile('/letters/second.txt', 'How are you?')
await change
console.log(await bob.fs.readdir('/from-alice'))
