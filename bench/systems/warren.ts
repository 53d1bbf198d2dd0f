/** Warren itself, taking in what it provides where it is. */
import { basename } from 'node:path'
import { builtModule } from '../built-module.ts'
import { startPair } from '../pair.ts'
import type { Pair } from '../pair.ts'
import type { Timed, TimedRanges } from '../side.ts'
import { OURS } from '../system.ts'
import type { Sides, StartOptions, System } from '../system.ts'

/** With the calls that only warren has to answer. */
export function startWarrens(options: StartOptions): Promise<Pair> {
  return startPair(builtModule(new URL('../bench-peer.ts', import.meta.url)), options)
}

async function start(options: StartOptions): Promise<Sides> {
  const pair = await startWarrens(options)
  const { a, b } = pair
  let path = ''
  return {
    provide: async source => {
      const name = basename(source)
      await a.call('import', source, `/${name}`, true)
      await b.call('mount', await a.call('share'))
      path = `/remote/${name}`
    },
    fetch: target => b.call<Timed>('export', path, target),
    readRanges: (_directory, offsets, atOnce) =>
      b.call<TimedRanges>('readRanges', path, offsets, atOnce),
    usage: () => pair.usage(),
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]()
  }
}

export const warren: System = { name: OURS, readsRanges: true, start }
