/** Figures: several measurements of one thing by one system, with what it cost. */
import { OURS } from './system.ts'
import type { UsageOfBoth } from './system.ts'

export type Unit = 'MiB/s' | 'files/s' | 'ops/s' | 'ms'

export interface What {
  /** The workload it belongs to, or `floors`. */
  readonly group: string
  /** What is measured: `bulk`, `16 at once`. */
  readonly figure: string
  readonly unit: Unit
  /** Who was measured. Default warren. */
  readonly system?: string
}

export interface Figure extends Required<What> {
  /** One of each run; NaN where a run did not end. */
  readonly values: readonly number[]
  /** One of each run, where it was measured. */
  readonly usage: readonly UsageOfBoth[]
}

/** Rates are the better the higher they are, everything else the lower it is. */
export function isBetterHigher(unit: Unit): boolean {
  return unit === 'MiB/s' || unit === 'files/s' || unit === 'ops/s'
}

/** How many times as good `ours` is as `theirs`: more than 1 is better, in whichever unit. */
export function timesAsGood(ours: Figure, theirs: Figure): number {
  const [a, b] = [median(ours.values), median(theirs.values)]
  return isBetterHigher(ours.unit) ? a / b : b / a
}

/** Of the runs that ended. */
export function median(values: readonly number[]): number {
  return percentile(
    values.filter(value => !Number.isNaN(value)),
    0.5
  )
}

/** Nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}

/** Gathers values under what they measure, in the order they first came. */
export class Figures {
  readonly #figures = new Map<
    string,
    Required<What> & { readonly values: number[]; readonly usage: UsageOfBoth[] }
  >()

  add(what: What, value: number, usage?: UsageOfBoth): void {
    const { group, figure, unit, system = OURS } = what
    const key = JSON.stringify([group, figure, system])
    const known = this.#figures.get(key) ?? { group, figure, unit, system, values: [], usage: [] }
    known.values.push(value)
    if (usage !== undefined) known.usage.push(usage)
    this.#figures.set(key, known)
  }

  list(): Figure[] {
    return [...this.#figures.values()]
  }
}
