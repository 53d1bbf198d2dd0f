/**
 * The benchmark: `npm run bench -- [--full] [--runs N] [--only W1,W3] [--profile] [--json FILE]`.
 *
 * Small sizes by default, so that it is over in a minute; `--full` takes the real ones (1 GiB,
 * 10,000 files). Prints each figure's median, minimum and maximum over the runs. Floors, measured
 * in the same run on the same machine, are what the figures are to be held against.
 */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Figures, tableOf } from './figures.ts'
import { floors } from './floors.ts'
import { makeData, workloads } from './workloads.ts'
import type { Sizes } from './workloads.ts'

const SMALL: Sizes = { fileMiB: 64, files: 1_000, ranges: 200, listed: 1_000 }
const FULL: Sizes = { fileMiB: 1_024, files: 10_000, ranges: 1_000, listed: 10_000 }
const TINY: Sizes = { fileMiB: 4, files: 200, ranges: 20, listed: 100 }

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    profile: { type: 'boolean', default: false },
    json: { type: 'string' }
  }
})

const sizes = options.full ? FULL : options.tiny ? TINY : SMALL
const runs = Number(options.runs)
const all = { ...floors, ...workloads }
const names = options.only?.split(',') ?? Object.keys(all)
const unknown = names.filter(name => !Object.hasOwn(all, name))
if (unknown.length > 0 || !(runs >= 1)) {
  console.error(`usage: npm run bench -- [--only ${Object.keys(all).join(',')}] [--runs N]`)
  process.exit(2)
}

const top = mkdtempSync(join(tmpdir(), 'warren-bench-'))
const figures = new Figures()
try {
  const data = makeData(top, sizes)
  const flags = options.profile ? ['--cpu-prof', '--cpu-prof-dir=.'] : []
  for (let run = 1; run <= runs; run++) {
    for (const name of names) {
      console.error(`run ${run} of ${runs}: ${name}`)
      const directory = join(top, `${name}-${run}`)
      mkdirSync(directory)
      await all[name]!({ directory, data, sizes, figures, flags })
      rmSync(directory, { recursive: true })
    }
  }
} finally {
  rmSync(top, { recursive: true, force: true })
}

const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}`
console.log(`${machine}; ${runs} runs; ${JSON.stringify(sizes)}\n`)
console.log(tableOf(figures.list()))
if (options.json !== undefined) {
  writeFileSync(
    options.json,
    JSON.stringify({ machine, runs, sizes, figures: figures.list() }, undefined, 2)
  )
}
