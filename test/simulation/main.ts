/**
 * Simulates a cluster:
 *
 *     npm run simulate -- [--seed N] [--steps M] [--machines K] [--liar] [--trace] [--runs R]
 *
 * The same seed, steps and machines give the same run: one that fails is replayed by its seed. With
 * `--runs` as many seeds are tried, one after the other, from `--seed` on.
 */
import { parseArgs } from 'node:util'
import { simulate } from './simulation.ts'

const USAGE = `npm run simulate -- [options]

  --seed N      the first seed; default: one by chance, which is printed
  --runs R      how many seeds, one after the other; default 1
  --steps M     steps of each; default 10000
  --machines K  machines in the cluster; default 5
  --liar        one of them pretends to hold what it is given
  --trace       prints every step`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    steps: { type: 'string', default: '10000' },
    machines: { type: 'string', default: '5' },
    liar: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(USAGE)
  process.exit()
}
const [first, steps, machines, runs] = [
  values.seed,
  values.steps,
  values.machines,
  values.runs
].map(Number) as [number, number, number, number]

for (let seed = first; seed < first + runs; seed++) {
  const startMs = performance.now()
  console.log(`seed ${seed}, ${steps} steps, ${machines} machines`)
  try {
    const write = values.trace ? { write: (line: string) => console.log(line) } : {}
    const report = await simulate({ seed, steps, machines, liar: values.liar, ...write })
    const hours = (report.simulatedMs / 3_600_000).toFixed(1)
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    console.log(`  ${report.outcomes.map(([what, count]) => `${what} ${count}`).join(', ')}`)
    console.log(`  ${report.timers} timers, ${report.bytesCarried} bytes carried`)
    console.log(`  held for ${hours} simulated hours, in ${seconds} s; digest ${report.digest}`)
  } catch (error) {
    console.log(String((error as Error).message))
    console.log(
      `replay: npm run simulate -- --seed ${seed} --steps ${steps} --machines ${machines}` +
        (values.liar ? ' --liar' : '')
    )
    process.exitCode = 1
  }
}
