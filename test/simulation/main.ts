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

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    steps: { type: 'string', default: '10000' },
    machines: { type: 'string', default: '5' },
    liar: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false }
  }
})
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
