/**
 * Sharing on a local network without any configuration. On each of two machines:
 *
 *     node examples/lan/main.ts <folder>
 *
 * Shares the folder, and lists who else is there and what they offer, whenever that changes. What
 * is offered can be read from any of them by the path or the link that is printed, for instance
 * with `warren get <link>`. Ends with Ctrl-C.
 */
import { hostname } from 'node:os'
import { basename, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWarren } from 'warren'
import type { PeerReport } from 'warren'

/** How often it is looked who is there, in milliseconds. */
const LOOK_MS = 1_000

const [argument] = process.argv.slice(2)
if (argument === undefined) {
  console.error('usage: node examples/lan/main.ts <folder>')
  process.exit(2)
}
const folder = resolve(argument)
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())

// The defaults: listen on every interface, find others by multicast. In memory: this peer is a
// new one each time, and nothing is left of it.
await using warren = await createWarren()
const path = `/${basename(folder)}`
await warren.import(folder, path)
console.log(`${hostname()} is peer ${warren.id}`)
console.log(`shared: ${folder}\n  ${await warren.share(path)}`)

let told = ''
while (!interrupted.signal.aborted) {
  const text = (await warren.peers()).map(describe).join('')
  if (text !== told) console.log(text === '' ? 'nobody else is there' : text)
  told = text
  await sleep(LOOK_MS, undefined, { signal: interrupted.signal }).catch(() => {})
}

function describe({ id, connected, shares }: PeerReport): string {
  // Names come from strangers; `createWarren` lets no control characters through in shares.
  const offers = shares.map(({ path, link }) => `  ${path}\n    ${link}\n`)
  return `peer ${id}${connected ? '' : ' (away)'}\n${offers.join('')}`
}
