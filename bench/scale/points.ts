/** Points of several curves, gathered count by count; what does not end is said and shown as –. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Point } from './curve.ts'
import type { ScaleRun } from './scale-run.ts'

/** One point for each curve. */
export type MeasurePoint = (count: number, directory: string) => Promise<readonly Point[]>

/** As many lists as `curves`, each with a point for every count. */
export async function gatherPoints(
  { directory, say, warmMemory }: ScaleRun,
  what: string,
  counts: readonly number[],
  curves: number,
  measure: MeasurePoint
): Promise<Point[][]> {
  const lists = Array.from({ length: curves }, (): Point[] => [])
  for (const count of counts) {
    say(`${what}: ${count.toLocaleString('en-US')}`)
    const own = join(directory, `${what}-${count}`.replaceAll(' ', '-'))
    mkdirSync(own)
    warmMemory()
    try {
      const points = await measure(count, own)
      for (const [index, point] of points.entries()) lists[index]!.push(point)
    } catch (error) {
      say(String(error).split('\n', 1)[0]!)
      for (const list of lists) list.push({ count, cost: NaN })
    } finally {
      rmSync(own, { recursive: true, maxRetries: 3 })
    }
  }
  return lists
}
