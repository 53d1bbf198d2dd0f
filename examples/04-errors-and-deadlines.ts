/**
 * What goes wrong, goes wrong as with `node:fs/promises`: with a code. And nothing waits for ever.
 *
 *     node examples/04-errors-and-deadlines.ts
 */
import { WarrenError, createWarren, isWarrenError } from 'warren'

const settings = { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false }
const alice = await createWarren(settings)
// How long Bob looks for somebody who has a block, in milliseconds.
await using bob = await createWarren({ ...settings, fetchTimeoutMs: 1_000 })

await alice.fs.writeFile('/read.txt', 'Bob has read this')
await alice.fs.writeFile('/unread.bin', new Uint8Array(500_000).fill(7))
await bob.mount('/alice', await alice.share('/'))
console.log(await bob.fs.readFile('/alice/read.txt', 'utf8'))

console.log(await codeOf(bob.fs.readFile('/alice/nothing')))
console.log(await codeOf(bob.fs.writeFile('/alice/read.txt', 'mine')))
console.log(await codeOf(bob.fs.mkdir('/alice')))

// Alice goes. What Bob has read he has; what he has not, nobody can give him now.
await alice.stop()
console.log(await bob.fs.readFile('/alice/read.txt', 'utf8'))
console.log(await codeOf(bob.fs.readFile('/alice/unread.bin')))

// Everything that may take long takes a signal, and rejects with the reason of that signal.
const impatient = AbortSignal.timeout(100)
const read = bob.fs.readFile('/alice/unread.bin', { signal: impatient })
console.log(await read.catch(error => error === impatient.reason))

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'no error'
  } catch (error) {
    if (isWarrenError(error, 'EHOSTUNREACH')) return 'EHOSTUNREACH: nobody who is there has it'
    return error instanceof WarrenError ? `${error.code}: ${error.syscall ?? ''}` : String(error)
  }
}
