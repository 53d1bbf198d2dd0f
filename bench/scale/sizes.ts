/** Larger and larger files. The largest is a hole: what it costs to fetch would fill the disk. */
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFile } from '../data.ts'
import type { Timed, TimedRanges } from '../side.ts'
import { startWarrens } from '../systems/warren.ts'
import type { Curve, Point } from './curve.ts'
import { gatherPoints } from './points.ts'
import { CALL_MS_MAX } from './scale-run.ts'
import type { ScaleRun } from './scale-run.ts'

const MIB = 1024 * 1024

export async function measureSizes(run: ScaleRun): Promise<Curve[]> {
  const { fileMiB, sparseMiB } = run.scale
  const measure = (count: number, directory: string): Promise<Point[]> =>
    measureFile(run, count, directory)
  const counts = [...fileMiB, ...sparseMiB]
  const lists = await gatherPoints(run, 'MiB in a file', counts, 3, measure)
  const curve = (name: string, unit: string, index: number): Curve => {
    return { name, counted: 'MiB', unit, points: lists[index]! }
  }
  return [
    curve('import of a file', 'ms a MiB', 0),
    curve('first 64 KiB from the middle of a remote file', 'ms', 1),
    curve('export of a remote file', 'ms a MiB', 2)
  ]
}

async function measureFile(run: ScaleRun, count: number, directory: string): Promise<Point[]> {
  const isSparse = run.scale.sparseMiB.includes(count)
  const file = join(directory, 'file.bin')
  if (isSparse) makeHole(file, count * MIB)
  else makeFile(file, count * MIB)
  const flags = (side: string): readonly string[] => run.flagsOf(`MiB-${count}-${side}`)
  await using pair = await startWarrens({ directory, flags, callMsMax: CALL_MS_MAX })
  const { a, b } = pair
  await pair.usage()
  const taken = await a.call<Timed>('import', file, '/file.bin', true)
  const ofImport = await pair.usage()
  await b.call('mount', await a.call('share'))
  const middle = Math.floor((count * MIB) / 2)
  const read = await b.call<TimedRanges>('readRanges', '/remote/file.bin', [middle], 1)
  const ofReads = await pair.usage()
  const points: Point[] = [
    { count, cost: taken.milliseconds / count, usage: ofImport },
    { count, cost: read.milliseconds, usage: ofReads }
  ]
  if (isSparse) return points
  const target = join(directory, 'fetched.bin')
  const fetched = await b.call<Timed>('export', '/remote/file.bin', target)
  return [...points, { count, cost: fetched.milliseconds / count, usage: await pair.usage() }]
}

function makeHole(path: string, bytes: number): void {
  writeFileSync(path, '')
  truncateSync(path, bytes)
}
