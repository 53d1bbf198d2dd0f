/** Figures: several measurements of one thing, and how they are shown. */

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly values: readonly number[]
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}

export function show(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function tableOf(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'median', 'min', 'max', 'unit'],
    ...figures.map(({ name, unit, values }) => [
      name,
      show(median(values)),
      show(Math.min(...values)),
      show(Math.max(...values)),
      unit
    ])
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(
    row =>
      '| ' +
      row
        .map((cell, column) =>
          column === 0 || column === 4
            ? cell.padEnd(widths[column]!)
            : cell.padStart(widths[column]!)
        )
        .join(' | ') +
      ' |'
  )
  const rule =
    '|' +
    widths
      .map((width, column) => '-'.repeat(width + 1) + (column > 0 && column < 4 ? ':' : '-'))
      .join('|') +
    '|'
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

/** Gathers values under names, in the order they first came. */
export class Figures {
  readonly #figures = new Map<string, { readonly unit: string; readonly values: number[] }>()

  add(name: string, unit: string, value: number): void {
    const figure = this.#figures.get(name) ?? { unit, values: [] }
    figure.values.push(value)
    this.#figures.set(name, figure)
  }

  list(): Figure[] {
    return [...this.#figures].map(([name, { unit, values }]) => ({ name, unit, values }))
  }
}
