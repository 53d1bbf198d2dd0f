/** Text in columns, as tables on a terminal are. */

/** Text to the left of its column, numbers to the right. */
export type Alignment = 'left' | 'right'

const GAP = '  '

/** Lines as wide as they have to be. Rows may be shorter than the first. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[]
): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length)
    }
  }
  return rows.map(row => {
    const cells = row.map((cell, index) =>
      alignments[index] === 'right' ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)
    )
    return cells.join(GAP).trimEnd()
  })
}
