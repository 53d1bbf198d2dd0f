/**
 * Systems that install from npm, into `bench/peers` and never with warren: each is one module there
 * that answers the same calls.
 */
import { existsSync } from 'node:fs'
import { startPair } from '../pair.ts'
import type { Timed, TimedRanges } from '../side.ts'
import type { Sides, StartOptions, System } from '../system.ts'

const PEERS = new URL('../peers/', import.meta.url)
const MISSING = 'not installed, see `npm ci --prefix bench/peers`'

async function start(module: URL, options: StartOptions): Promise<Sides> {
  const pair = await startPair(module, options)
  const { a, b } = pair
  let link: unknown
  return {
    provide: async source => {
      link = await a.call('provide', source)
      await b.call('connect', link)
    },
    fetch: target => b.call<Timed>('fetch', link, target),
    readRanges: (directory, offsets, atOnce) =>
      b.call<TimedRanges>('readRanges', link, directory, offsets, atOnce),
    usage: () => pair.usage(),
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]()
  }
}

function fromNpm(name: string, file: string): System {
  const isThere = existsSync(new URL(`node_modules/${file}/package.json`, PEERS))
  const missing = isThere ? {} : { missing: MISSING }
  const module = new URL(`${file}.js`, PEERS)
  return { name, ...missing, readsRanges: true, start: options => start(module, options) }
}

export const fromNpmAll: readonly System[] = [
  fromNpm('Helia', 'helia'),
  fromNpm('Hyperdrive', 'hyperdrive'),
  fromNpm('WebTorrent', 'webtorrent')
]
