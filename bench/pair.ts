/** Two fresh peers in processes of their own, provider A and fetcher B, over loopback. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { spawnPeer } from '../test/fixtures/child-process.ts'
import type { PeerProcess } from '../test/fixtures/child-process.ts'
import type { Usage } from './bench-peer.ts'
import type { Figures } from './figures.ts'

const CALL_MS_MAX = 600_000

export interface Pair extends AsyncDisposable {
  readonly a: PeerProcess
  readonly b: PeerProcess
  /** Notes what both sides have used so far. */
  noteUsage(figures: Figures, name: string): Promise<void>
}

export async function startPair(directory: string, flags: readonly string[] = []): Promise<Pair> {
  const start = async (name: string): Promise<PeerProcess> => {
    const path = join(directory, name)
    mkdirSync(path, { recursive: true })
    const options = { callMsMax: CALL_MS_MAX, flags }
    const peer = await spawnPeer(new URL('bench-peer.ts', import.meta.url), [], options)
    await peer.call('start', path)
    return peer
  }
  const a = await start('store-a')
  const b = await start('store-b')
  return {
    a,
    b,
    noteUsage: async (figures, name) => {
      for (const [side, peer] of [
        ['A', a],
        ['B', b]
      ] as const) {
        const usage = await peer.call<Usage>('usage')
        figures.add(`${name} peak RSS ${side}`, 'MiB', usage.peakRssMiB)
        figures.add(`${name} CPU ${side}`, 's', usage.cpuSeconds)
        figures.add(`${name} event loop held up ${side}`, 'ms', usage.heldUpMs)
      }
    },
    [Symbol.asyncDispose]: async () => {
      await b.stop()
      await a.stop()
    }
  }
}
