/**
 * One workload, system by system, each in fresh processes. What a foreign system does not manage
 * is said, shown as –, and not tried again in a later run; what warren does not manage is an error.
 * What it cost is kept beside the first figure.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { What } from './figures.ts'
import type { Run } from './run.ts'
import { OURS } from './system.ts'
import type { Sides, System, UsageOfBoth } from './system.ts'

/** Enough for what a process that broke said first. */
const REASON_CHARACTERS_MAX = 600

export interface Measured {
  /** One for each figure. */
  readonly values: readonly number[]
  readonly usage: UsageOfBoth
}

export type Measure = (sides: Sides, directory: string) => Promise<Measured>

export async function measureSystems(
  run: Run,
  whats: readonly What[],
  measure: Measure
): Promise<void> {
  for (const system of run.systems) {
    const name = `${whats[0]!.group}-${whats[0]!.figure}-${system.name}`.replaceAll(/[^\w.]+/g, '-')
    if (run.failures.has(name)) continue
    const { values, usage } = await attempt(run, system, name, measure)
    for (const [index, what] of whats.entries()) {
      const cost = index === 0 ? usage : undefined
      run.figures.add({ ...what, system: system.name }, values[index] ?? NaN, cost)
    }
  }
}

async function attempt(
  run: Run,
  system: System,
  name: string,
  measure: Measure
): Promise<Partial<Measured> & Pick<Measured, 'values'>> {
  const directory = join(run.directory, name)
  const target = join(directory, 'fetched')
  mkdirSync(target, { recursive: true })
  run.warmMemory()
  try {
    const flags = (side: string): readonly string[] => run.flagsOf(`${name}-${side}`)
    await using sides = await system.start({ directory, flags })
    return await measure(sides, target)
  } catch (error) {
    if (system.name === OURS) throw error
    run.failures.add(name)
    run.say(`${name}: ${String(error).slice(0, REASON_CHARACTERS_MAX)}`)
    return { values: [] }
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}
