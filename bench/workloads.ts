/**
 * The workloads, each between two processes with their data on disk: provider A holds it, fetcher
 * B starts with nothing. Sizes come from the caller; what was fetched is compared byte by byte,
 * outside the time that is measured. W1, W2 and W3 are those of every system, W4 to W6 warren's.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf, hashOfRange, makeDirectory, makeFile, makeTree } from './data.ts'
import { measureSystems } from './measure-systems.ts'
import { percentile } from './figures.ts'
import type { Data, Run, Sizes, Workload } from './run.ts'
import { RANGES_PER_SAMPLE } from './side.ts'
import type { Timed } from './side.ts'
import type { UsageOfBoth } from './system.ts'
import { whileRepairing } from './repair.ts'
import { startWarrens } from './systems/warren.ts'

const MIB = 1024 * 1024
const RANGE_BYTES = 64 * 1024

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
const bulk: Workload = run =>
  measureSystems(
    run,
    [{ group: 'W1', figure: 'bulk', unit: 'MiB/s' }],
    async (sides, directory) => {
      await sides.provide(run.data.file)
      await sides.usage()
      const target = join(directory, 'file.bin')
      const { milliseconds } = await sides.fetch(target)
      const usage = await sides.usage()
      await requireEqual(run.data.file, target)
      return { values: [(run.sizes.fileMiB / milliseconds) * 1000], usage }
    }
  )

/** W2: many small files, until they are files on B's disk. */
const smallFiles: Workload = run =>
  measureSystems(
    run,
    [{ group: 'W2', figure: 'small files', unit: 'files/s' }],
    async (sides, directory) => {
      await sides.provide(run.data.tree)
      await sides.usage()
      const target = join(directory, 'tree')
      const { milliseconds } = await sides.fetch(target)
      const usage = await sides.usage()
      await requireEqual(run.data.tree, target)
      return { values: [(run.sizes.files / milliseconds) * 1000], usage }
    }
  )

/** W3: random ranges of a file that B does not hold, one at a time and 16 at once. */
const randomAccess: Workload = async run => {
  await readRandomly(run, 1)
  await readRandomly(run, 16)
}

function readRandomly(run: Run, atOnce: number): Promise<void> {
  const { data, sizes } = run
  const how = atOnce === 1 ? 'one at a time' : `${atOnce} at once`
  const whats = [
    atOnce === 1
      ? ({ group: 'W3', figure: `${how}, p50`, unit: 'ms' } as const)
      : ({ group: 'W3', figure: how, unit: 'ops/s' } as const),
    { group: 'W3', figure: `${how}, p99`, unit: 'ms' } as const
  ]
  const able = run.systems.filter(({ readsRanges }) => readsRanges)
  return measureSystems({ ...run, systems: able }, whats, async (sides, directory) => {
    await sides.provide(data.file)
    const offsets = Array.from({ length: sizes.ranges }, () =>
      Math.floor(Math.random() * (sizes.fileMiB * MIB - RANGE_BYTES))
    )
    await sides.usage()
    const { latencies, milliseconds, samples } = await sides.readRanges!(directory, offsets, atOnce)
    const usage = await sides.usage()
    const sampled = offsets.filter((_, index) => index % RANGES_PER_SAMPLE === 0)
    requireSame(
      samples,
      sampled.map(offset => hashOfRange(data.file, offset, RANGE_BYTES))
    )
    const first = atOnce === 1 ? percentile(latencies, 0.5) : (sizes.ranges / milliseconds) * 1000
    return { values: [first, percentile(latencies, 0.99)], usage }
  })
}

/** W4: connect, resolve, open, first 64 KiB; and listing a directory with attributes. */
const firstByte: Workload = async ({ directory, data, sizes, figures, flagsOf, warmMemory }) => {
  warmMemory()
  await using pair = await startWarrens({ directory, flags: side => flagsOf(`W4-${side}`) })
  const { a, b } = pair
  await a.call('import', data.file, '/file.bin', true)
  await a.call('import', data.listed, '/listed', true)
  const link = await a.call('share')
  await pair.usage()
  const note = async (figure: string, { milliseconds }: Timed): Promise<void> =>
    figures.add({ group: 'W4', figure, unit: 'ms' }, milliseconds, await pair.usage())
  await note('first byte', await b.call<Timed>('firstByte', link, '/remote/file.bin'))
  const list = `list ${sizes.listed} with attributes`
  await note(`${list}, cold`, await b.call<Timed>('list', '/remote/listed'))
  await note(`${list}, warm`, await b.call<Timed>('list', '/remote/listed'))
  await note(`${list}, one by one`, await b.call<Timed>('listOneByOne', '/remote/listed'))
}

/** W5: taking in the large file, copied and in place, and the tree of small files, twice. */
const imports: Workload = async ({ directory, data, sizes, figures, flagsOf, warmMemory }) => {
  for (const inPlace of [false, true]) {
    warmMemory()
    const how = inPlace ? 'in place' : 'copied'
    const own = join(directory, how)
    mkdirSync(own)
    await using pair = await startWarrens({
      directory: own,
      flags: side => flagsOf(`W5-${how}-${side}`)
    })
    const measure = async (source: string, path: string): Promise<[number, UsageOfBoth]> => {
      await pair.usage()
      const { milliseconds } = await pair.a.call<Timed>('import', source, path, inPlace)
      return [milliseconds / 1000, await pair.usage()]
    }
    const [file, usageOfFile] = await measure(data.file, '/file.bin')
    const rate = { group: 'W5', figure: `file, ${how}`, unit: 'MiB/s' } as const
    figures.add(rate, sizes.fileMiB / file, usageOfFile)
    for (const which of ['tree', 'second import of the tree']) {
      const [tree, usage] = await measure(data.tree, '/tree')
      const what = { group: 'W5', figure: `${which}, ${how}`, unit: 'files/s' } as const
      figures.add(what, sizes.files / tree, usage)
    }
  }
}

export const workloads: Readonly<Record<string, Workload>> = {
  W1: bulk,
  W2: smallFiles,
  W3: randomAccess,
  W4: firstByte,
  W5: imports,
  W6: whileRepairing
}

async function requireEqual(source: string, copy: string): Promise<void> {
  if ((await hashOf(source)) !== (await hashOf(copy))) throw new Error(`${copy} is not ${source}`)
}

function requireSame(read: readonly string[], wanted: readonly string[]): void {
  if (read.join() !== wanted.join()) throw new Error('a range is not what the file holds')
}
