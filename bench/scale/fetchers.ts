/** More and more peers that fetch the same file of one provider at the same time. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { builtModule } from '../built-module.ts'
import { spawnPeer } from '../../test/fixtures/child-process.ts'
import type { PeerProcess } from '../../test/fixtures/child-process.ts'
import { makeFile } from '../data.ts'
import type { Usage } from '../side.ts'
import type { Curve, Point } from './curve.ts'
import { gatherPoints } from './points.ts'
import { CALL_MS_MAX } from './scale-run.ts'
import type { ScaleRun } from './scale-run.ts'

const MIB = 1024 * 1024

/** So much that a hundred fetch 1.6 GiB: long enough to measure, and little enough of the disk. */
const FILE_MIB = 16

/** A process each would need more memory than a small machine has. */
const PROCESSES_MAX = 4

export async function measureFetchers(run: ScaleRun): Promise<Curve[]> {
  const measure = async (count: number, directory: string): Promise<Point[]> => [
    await measureCrowd(run, count, directory)
  ]
  const what = 'peers that fetch at once'
  const [points = []] = await gatherPoints(run, what, run.scale.fetchers, 1, measure)
  const unit = `ms a MiB and peer`
  const name = `fetch of ${FILE_MIB} MiB by many (A is the provider, B the first process of fetchers)`
  return [{ name, counted: 'fetchers', unit, points }]
}

async function measureCrowd(run: ScaleRun, count: number, directory: string): Promise<Point> {
  const file = join(directory, 'file.bin')
  makeFile(file, FILE_MIB * MIB)
  const spawn = (module: string, name: string): Promise<PeerProcess> => {
    const flags = run.flagsOf(`fetchers-${count}-${name}`)
    return spawnPeer(builtModule(new URL(module, import.meta.url)), [], {
      callMsMax: CALL_MS_MAX,
      flags
    })
  }
  await using a = await spawn('../bench-peer.ts', 'A')
  await using crowd = new AsyncDisposableStack()
  mkdirSync(join(directory, 'a'))
  await a.call('start', join(directory, 'a'))
  await a.call('import', file, '/file.bin', true)
  const link = await a.call('share')
  const processes: PeerProcess[] = []
  for (const [index, share] of split(count, PROCESSES_MAX).entries()) {
    const own = join(directory, `b-${index}`)
    const b = crowd.use(await spawn('fetchers-peer.ts', `B${index}`))
    processes.push(b)
    await b.call('start', own, share, link)
  }
  for (const peer of [a, ...processes]) await peer.call('usage')
  const began = performance.now()
  await Promise.all(
    processes.map((b, index) => b.call('fetch', '/remote/file.bin', join(directory, `b-${index}`)))
  )
  const milliseconds = performance.now() - began
  const usage = { a: await a.call<Usage>('usage'), b: await processes[0]!.call<Usage>('usage') }
  return { count, cost: milliseconds / (count * FILE_MIB), usage }
}

/** Into at most `parts` parts that differ by one at most. */
function split(count: number, parts: number): number[] {
  const used = Math.min(count, parts)
  return Array.from({ length: used }, (_, index) => Math.floor((count + index) / used))
}
