/**
 * The workloads, each between two processes with their data on disk: provider A holds it, fetcher
 * B starts with nothing. Sizes come from the caller; what was fetched is compared byte by byte,
 * outside the time that is measured.
 */
import { join } from 'node:path'
import type { Timed } from './bench-peer.ts'
import { hashOf, makeDirectory, makeFile, makeTree } from './data.ts'
import { percentile } from './figures.ts'
import type { Figures } from './figures.ts'
import { startPair } from './pair.ts'

const MIB = 1024 * 1024
const RANGE_BYTES = 64 * 1024

export interface Sizes {
  readonly fileMiB: number
  readonly files: number
  readonly ranges: number
  readonly listed: number
}

export interface Run {
  /** A directory of this run's own, removed afterwards. */
  readonly directory: string
  /** Test data, shared by the runs. */
  readonly data: Data
  readonly sizes: Sizes
  readonly figures: Figures
  readonly flags: readonly string[]
}

export interface Data {
  readonly file: string
  readonly tree: string
  readonly listed: string
}

export type Workload = (run: Run) => Promise<void>

export function makeData(directory: string, sizes: Sizes): Data {
  const data = {
    file: join(directory, 'file.bin'),
    tree: join(directory, 'tree'),
    listed: join(directory, 'listed')
  }
  makeFile(data.file, sizes.fileMiB * MIB)
  makeTree(data.tree, sizes.files, 4096)
  makeDirectory(data.listed, sizes.listed)
  return data
}

/** W1: one large file, from B's request to the last verified byte on B's disk. */
const bulk: Workload = async ({ directory, data, sizes, figures, flags }) => {
  await using pair = await startPair(directory, flags)
  const { a, b } = pair
  await a.call('import', data.file, '/file.bin', true)
  await b.call('mount', await a.call('share'))
  const target = join(directory, 'fetched.bin')
  const { milliseconds } = await b.call<Timed>('export', '/remote/file.bin', target)
  await requireEqual(data.file, target)
  figures.add('W1 bulk', 'MiB/s', sizes.fileMiB / (milliseconds / 1000))
  await pair.noteUsage(figures, 'W1')
}

/** W2: many small files, until they are files on B's disk. */
const smallFiles: Workload = async ({ directory, data, sizes, figures, flags }) => {
  await using pair = await startPair(directory, flags)
  const { a, b } = pair
  await a.call('import', data.tree, '/tree', true)
  await b.call('mount', await a.call('share'))
  const target = join(directory, 'fetched')
  const { milliseconds } = await b.call<Timed>('export', '/remote/tree', target)
  await requireEqual(data.tree, target)
  figures.add('W2 small files', 'files/s', sizes.files / (milliseconds / 1000))
  await pair.noteUsage(figures, 'W2')
}

/** W3: random ranges of a file that B does not hold, one at a time and 16 at once. */
const randomAccess: Workload = async ({ directory, data, sizes, figures, flags }) => {
  for (const atOnce of [1, 16]) {
    await using pair = await startPair(join(directory, `at-once-${atOnce}`), flags)
    const { a, b } = pair
    await a.call('import', data.file, '/file.bin', true)
    await b.call('mount', await a.call('share'))
    const offsets = Array.from({ length: sizes.ranges }, () =>
      Math.floor(Math.random() * (sizes.fileMiB * MIB - RANGE_BYTES))
    )
    const { latencies, milliseconds } = await b.call<{
      readonly latencies: readonly number[]
      readonly milliseconds: number
    }>('readRanges', '/remote/file.bin', offsets, atOnce)
    if (atOnce === 1) {
      figures.add('W3 one at a time, p50', 'ms', percentile(latencies, 0.5))
      figures.add('W3 one at a time, p99', 'ms', percentile(latencies, 0.99))
    } else {
      figures.add('W3 16 at once', 'ops/s', sizes.ranges / (milliseconds / 1000))
      figures.add('W3 16 at once, p99', 'ms', percentile(latencies, 0.99))
    }
    await pair.noteUsage(figures, `W3 (${atOnce} at once)`)
  }
}

/** W4: connect, resolve, open, first 64 KiB; and listing a directory with attributes. */
const firstByte: Workload = async ({ directory, data, sizes, figures, flags }) => {
  await using pair = await startPair(directory, flags)
  const { a, b } = pair
  await a.call('import', data.file, '/file.bin', true)
  await a.call('import', data.listed, '/listed', true)
  const link = await a.call('share')
  const first = await b.call<Timed>('firstByte', link, '/remote/file.bin')
  figures.add('W4 first byte', 'ms', first.milliseconds)
  const cold = await b.call<Timed>('list', '/remote/listed')
  figures.add(`W4 list ${sizes.listed} with attributes, cold`, 'ms', cold.milliseconds)
  const warm = await b.call<Timed>('list', '/remote/listed')
  figures.add(`W4 list ${sizes.listed} with attributes, warm`, 'ms', warm.milliseconds)
}

/** W5: taking in the large file, copied and in place, and the tree of small files. */
const imports: Workload = async ({ directory, data, sizes, figures, flags }) => {
  for (const inPlace of [false, true]) {
    const how = inPlace ? 'in place' : 'copied'
    await using pair = await startPair(join(directory, how), flags)
    const { a } = pair
    const file = await a.call<Timed>('import', data.file, '/file.bin', inPlace)
    figures.add(
      `W5 import of the file, ${how}`,
      'MiB/s',
      sizes.fileMiB / (file.milliseconds / 1000)
    )
    const tree = await a.call<Timed>('import', data.tree, '/tree', inPlace)
    figures.add(
      `W5 import of the tree, ${how}`,
      'files/s',
      sizes.files / (tree.milliseconds / 1000)
    )
    const again = await a.call<Timed>('import', data.tree, '/tree', inPlace)
    figures.add(
      `W5 second import of the tree, ${how}`,
      'files/s',
      sizes.files / (again.milliseconds / 1000)
    )
    await pair.noteUsage(figures, `W5 ${how}`)
  }
}

export const workloads: Readonly<Record<string, Workload>> = {
  W1: bulk,
  W2: smallFiles,
  W3: randomAccess,
  W4: firstByte,
  W5: imports
}

async function requireEqual(source: string, copy: string): Promise<void> {
  if ((await hashOf(source)) !== (await hashOf(copy))) throw new Error(`${copy} is not ${source}`)
}
