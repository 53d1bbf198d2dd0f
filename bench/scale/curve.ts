/** What one file, byte or fetcher costs when there are few and when there are many. */
import type { UsageOfBoth } from '../system.ts'
import { show, textOf } from '../tables.ts'

export interface Point {
  /** How many there are. */
  readonly count: number
  /** What each costs; NaN where it did not end. */
  readonly cost: number
  readonly usage?: UsageOfBoth
}

export interface Curve {
  /** `export of a tree`. */
  readonly name: string
  /** What is counted: `files`, `MiB`. */
  readonly counted: string
  readonly unit: string
  readonly points: readonly Point[]
}

/**
 * The exponent e of cost ~ count^e, by least squares over the logarithms: 0 is flat, 1 makes the
 * whole quadratic.
 */
export function slopeOf(points: readonly Point[]): number {
  const logs = points
    .filter(({ cost }) => cost > 0)
    .map(({ count, cost }) => [Math.log(count), Math.log(cost)] as const)
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(logs.map(([log]) => log)), mean(logs.map(([, log]) => log))]
  const together = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0)
  return together / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0)
}

export function curveText({ name, counted, unit, points }: Curve): string {
  const both = (usage: UsageOfBoth | undefined, key: 'cpuSeconds' | 'peakRssMiB'): string =>
    usage === undefined ? '' : `${show(usage.a[key])} / ${show(usage.b[key])}`
  const rows = points.map(({ count, cost, usage }) => [
    count.toLocaleString('en-US'),
    show(cost),
    both(usage, 'cpuSeconds'),
    both(usage, 'peakRssMiB')
  ])
  const head = [counted, unit, 'CPU A / B, s', 'peak RSS A / B, MiB']
  const slope = slopeOf(points)
  const shown = Number.isFinite(slope) ? slope.toFixed(2) : '–'
  return `${name}: the cost of each grows with the power ${shown}\n\n${textOf([head, ...rows])}`
}
