/** Figures as text: one table a group, floors and other systems below each figure of warren's. */
import { floorsOf, othersOf } from './comparisons.ts'
import { median, timesAsGood } from './figures.ts'
import type { Figure } from './figures.ts'
import type { Usage } from './side.ts'
import { OURS } from './system.ts'

export const GROUPS: Readonly<Record<string, string>> = {
  floors: 'Floors',
  W1: 'W1 bulk',
  W2: 'W2 small files',
  W3: 'W3 random access',
  W4: 'W4 first byte, listing',
  W5: 'W5 import',
  W6: 'W6 a reader while a holder catches up',
  scale: 'Scale'
}

export function show(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function tablesOf(figures: readonly Figure[]): string {
  const groups = [...new Set(figures.map(({ group }) => group))]
  return groups.map(group => tableOf(group, figures)).join('\n\n')
}

function tableOf(group: string, all: readonly Figure[]): string {
  const figures = all.filter(figure => figure.group === group)
  const head = [GROUPS[group] ?? group, 'median', 'min–max', 'unit', ...COSTS]
  if (group === 'floors' || group === 'scale') {
    return textOf([head, ...figures.map(figure => [figure.figure, ...cellsOf(figure)])])
  }
  const rows = figures
    .filter(({ system }) => system === OURS)
    .flatMap(our => {
      const own = [our.figure, ...cellsOf(our), '']
      const floors = floorsOf(our, all).map(floor => rowOf(`floor: ${floor.figure}`, floor, our))
      return [own, ...floors, ...othersOf(our, all).map(other => rowOf(other.system, other, our))]
    })
  return textOf([[...head, 'warren is'], ...rows])
}

/** Indented below the figure that it is held against. */
function rowOf(name: string, figure: Figure, our: Figure): string[] {
  const times = timesAsGood(our, figure)
  return [`· ${name}`, ...cellsOf(figure), Number.isFinite(times) ? `${show(times)} ×` : '–']
}

/** What the fetched or taken in cost provider A and fetcher B; the peak counts from their start. */
const COSTS = ['CPU A / B, s', 'peak RSS A / B, MiB', 'held up A / B, ms', 'collection A / B, ms']

function cellsOf({ values, unit, usage }: Figure): string[] {
  const ended = values.filter(value => !Number.isNaN(value))
  const range = ended.length > 0 ? `${show(Math.min(...ended))}–${show(Math.max(...ended))}` : '–'
  const both = (of: (used: Usage) => number): string => {
    if (usage.length === 0) return ''
    const ofA = median(usage.map(({ a }) => of(a)))
    return `${show(ofA)} / ${show(median(usage.map(({ b }) => of(b))))}`
  }
  return [
    show(median(values)),
    range,
    unit,
    both(({ cpuSeconds }) => cpuSeconds),
    both(({ peakRssMiB }) => peakRssMiB),
    both(({ heldUpMs }) => heldUpMs ?? NaN),
    both(({ collectingMs }) => collectingMs ?? NaN)
  ]
}

/** The first row is the head; the first and the fourth column are words, the others numbers. */
export function textOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const isWord = (column: number): boolean => column === 0 || column === 3
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      return isWord(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    })
    return `| ${cells.join(' | ')} |`
  }
  const rule = widths.map((width, column) => {
    return isWord(column) ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`
  })
  return [line(rows[0]!), `|${rule.join('|')}|`, ...rows.slice(1).map(line)].join('\n')
}
