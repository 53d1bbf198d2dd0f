/** Two fresh processes of one module, provider A and fetcher B, each with a directory of its own. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { spawnPeer } from '../test/fixtures/child-process.ts'
import type { PeerProcess } from '../test/fixtures/child-process.ts'
import type { Usage } from './side.ts'
import type { StartOptions, UsageOfBoth } from './system.ts'

/** What does not end by then is not waited for, and shown as –. */
const CALL_MS_MAX = 180_000

export interface Pair extends AsyncDisposable {
  readonly a: PeerProcess
  readonly b: PeerProcess
  /** What both sides have used since the last call. */
  usage(): Promise<UsageOfBoth>
}

/** The module answers `start(directory)` and `usage()`. */
export async function startPair(module: URL, options: StartOptions): Promise<Pair> {
  const { directory, flags, callMsMax = CALL_MS_MAX } = options
  const start = async (side: 'A' | 'B'): Promise<PeerProcess> => {
    const path = join(directory, `store-${side.toLowerCase()}`)
    mkdirSync(path, { recursive: true })
    const peer = await spawnPeer(module, [], { callMsMax, flags: flags(side) })
    await peer.call('start', path)
    return peer
  }
  const a = await start('A')
  const b = await start('B').catch(async (error: unknown) => {
    await a.stop()
    throw error
  })
  return {
    a,
    b,
    usage: async () => ({ a: await a.call<Usage>('usage'), b: await b.call<Usage>('usage') }),
    [Symbol.asyncDispose]: async () => {
      await b.stop()
      await a.stop()
    }
  }
}
