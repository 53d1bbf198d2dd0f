/** Trees of more and more small files, taken in where they are and fetched until they are files. */
import { join } from 'node:path'
import { makeTree } from '../data.ts'
import type { Timed } from '../side.ts'
import { startWarrens } from '../systems/warren.ts'
import type { Curve, Point } from './curve.ts'
import { gatherPoints } from './points.ts'
import { CALL_MS_MAX } from './scale-run.ts'
import type { ScaleRun } from './scale-run.ts'

const FILE_BYTES = 4_096

export async function measureFiles(run: ScaleRun): Promise<Curve[]> {
  const measure = (count: number, directory: string): Promise<Point[]> =>
    measureTree(run, count, directory)
  const lists = await gatherPoints(run, 'files in a tree', run.scale.files, 2, measure)
  return ['import of a tree', 'export of a remote tree'].map((name, index) => {
    return { name, counted: 'files', unit: 'µs a file', points: lists[index]! }
  })
}

async function measureTree(run: ScaleRun, count: number, directory: string): Promise<Point[]> {
  const tree = join(directory, 'tree')
  makeTree(tree, count, FILE_BYTES)
  const flags = (side: string): readonly string[] => run.flagsOf(`files-${count}-${side}`)
  await using pair = await startWarrens({ directory, flags, callMsMax: CALL_MS_MAX })
  const { a, b } = pair
  await pair.usage()
  const taken = await a.call<Timed>('import', tree, '/tree', true)
  const ofImport = await pair.usage()
  await b.call('mount', await a.call('share'))
  const fetched = await b.call<Timed>('export', '/remote/tree', join(directory, 'fetched'))
  const ofExport = await pair.usage()
  const each = ({ milliseconds }: Timed): number => (milliseconds * 1000) / count
  return [
    { count, cost: each(taken), usage: ofImport },
    { count, cost: each(fetched), usage: ofExport }
  ]
}
