/**
 * The benchmark: `npm run bench -- [--full] [--runs N] [--only W1,W3] [--peers all|none|Helia,…]
 * [--json FILE] [--node-flags "…"] [--profile] [--scale]`.
 *
 * Small sizes by default, so that it is over in a minute; `--full` takes the real ones (1 GiB,
 * 10,000 files), and fills free memory first. Floors and other systems are measured in the same run
 * on the same machine: they are what the figures are to be held against. `--profile` keeps a CPU
 * profile of every process. `--scale` measures what a file, a byte and a peer cost when there are many.
 */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { aimsText, judge } from './aims.ts'
import { compare } from './comparisons.ts'
import { Figures } from './figures.ts'
import { floors } from './floors.ts'
import { readOptions } from './options.ts'
import type { Options } from './options.ts'
import type { Run, Sizes, Workload } from './run.ts'
import { curveText, slopeOf } from './scale/curve.ts'
import type { Curve } from './scale/curve.ts'
import { measureScale, SCALES } from './scale/scale.ts'
import { chooseSystems } from './systems/choose-systems.ts'
import { tablesOf } from './tables.ts'
import { MemoryWarmer } from './warm-memory.ts'
import { makeData, workloads } from './workloads.ts'

const SIZES: Readonly<Record<Options['size'], Sizes>> = {
  full: { fileMiB: 1_024, files: 10_000, ranges: 1_000, listed: 10_000 },
  small: { fileMiB: 64, files: 1_000, ranges: 200, listed: 1_000 },
  tiny: { fileMiB: 4, files: 200, ranges: 20, listed: 100 }
}

const all: Readonly<Record<string, Workload>> = { ...floors, ...workloads }
const say = (line: string): void => console.error(line)
const processor = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}`
const machine = `Node ${process.version}, ${processor}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}`
const options = readOptions(Object.keys(all))
const sizes = SIZES[options.size]
const figures = new Figures()
const top = mkdtempSync(join(tmpdir(), 'warren-bench-'))
const profiles = options.profile ? mkdtempSync(join(tmpdir(), 'warren-profiles-')) : undefined
const warmer = new MemoryWarmer(top)
const warmMemory = (): void => (options.size === 'full' ? warmer.warm() : undefined)
process.once('exit', () => rmSync(top, { recursive: true, force: true, maxRetries: 3 }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

if (options.scale) reportScale(await runScale())
else {
  await runAll()
  report()
}
if (profiles !== undefined) console.log(`\nCPU profiles are in ${profiles}`)

async function runScale(): Promise<Curve[]> {
  const flagsOf = (process: string): string[] => flagsFor(process)
  const scale = SCALES[options.size]
  return await measureScale({ directory: top, scale, flagsOf, warmMemory, say })
}

async function runAll(): Promise<void> {
  const systems = chooseSystems(options.peers, say)
  const data = makeData(top, sizes)
  const failures = new Set<string>()
  for (let run = 1; run <= options.runs; run++) {
    for (const name of options.only) {
      say(`run ${run} of ${options.runs}: ${name}`)
      const directory = join(top, `${name}-${run}`)
      mkdirSync(directory)
      const flagsOf = (process: string): string[] => flagsFor(join(`run-${run}`, process))
      const shared = { directory, data, sizes, figures, systems, failures }
      await all[name]!({ ...shared, flagsOf, warmMemory, say } satisfies Run)
      // Where many files were just removed Linux is ten times slower in making new ones.
      if (name !== 'W2') rmSync(directory, { recursive: true })
    }
  }
}

/** A directory each for the profiles: a process and its threads write one each. */
function flagsFor(process: string): string[] {
  if (profiles === undefined) return [...options.nodeFlags]
  return [...options.nodeFlags, '--cpu-prof', `--cpu-prof-dir=${join(profiles, process)}`]
}

function report(): void {
  const list = figures.list()
  const { runs } = options
  console.log(`${machine}; ${runs} runs; ${JSON.stringify(sizes)}\n`)
  console.log(tablesOf(list))
  const aims = options.size === 'full' ? judge(list) : []
  if (aims.length > 0) console.log(`\n${aimsText(aims)}`)
  write({ machine, runs, sizes, figures: list, comparisons: compare(list), aims })
}

function reportScale(curves: readonly Curve[]): void {
  console.log(machine)
  for (const curve of curves) console.log(`\n${curveText(curve)}`)
  write({ machine, curves: curves.map(curve => ({ ...curve, slope: slopeOf(curve.points) })) })
}

function write(json: object): void {
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(json, undefined, 2))
}
