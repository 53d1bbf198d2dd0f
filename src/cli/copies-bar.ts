/** Draws what share of some bytes has how many copies: `[33333333333333332210]`. */

/** Each cell is a twentieth of the bytes. */
const CELLS = 20

/** For ten copies and more. */
const MANY = '+'

/**
 * Every cell shows how many copies its share of the bytes has, most copies first. However little it
 * is, what there are few copies of has a cell: that is what one looks for.
 */
export function copiesBar(bytesByCopies: readonly number[]): string {
  const counts = [...bytesByCopies.entries()].filter(([, bytes]) => bytes > 0).toReversed()
  const total = counts.reduce((sum, [, bytes]) => sum + bytes, 0)
  if (total === 0) return `[${' '.repeat(CELLS)}]`
  const merged = counts.length > CELLS ? mergeMost(counts) : counts
  const shared = CELLS - merged.length
  const cells = merged.map(([, bytes]) => 1 + Math.floor((bytes / total) * shared))
  // What rounding left over goes to the largest share.
  const largest = cells.indexOf(Math.max(...cells))
  cells[largest]! += CELLS - cells.reduce((sum, count) => sum + count, 0)
  const text = merged.map(([copies], index) =>
    (copies > 9 ? MANY : String(copies)).repeat(cells[index]!)
  )
  return `[${text.join('')}]`
}

type Count = [copies: number, bytes: number]

/** There are fewer cells than numbers of copies: those with the most copies are shown as one. */
function mergeMost(counts: readonly Count[]): Count[] {
  const rest = counts.slice(-(CELLS - 1))
  const most = counts.slice(0, -(CELLS - 1))
  return [[most.at(-1)![0], most.reduce((sum, [, bytes]) => sum + bytes, 0)], ...rest]
}
