/**
 * Prints the tables of `docs/replication.md`:
 *
 *     node --conditions=warren-source bench/placement.ts [blocks, 1000000 when absent]
 */
import { createBlocks, createCluster, measureBalance } from './placement-figures.ts'
import { measureMovement, measureSpeed } from './placement-figures.ts'
import type { ClusterShape } from './placement-figures.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const blocks = createBlocks(count)
/** Movement compares two placements of each block, and its figures are steady with fewer. */
const fewer = createBlocks(Math.min(count, 100_000))

function shape(holders: number, zones: number, pledges: readonly number[]): ClusterShape {
  return { holders, zones, pledges, copies: 3 }
}

const shapes = [
  shape(5, 1, [1]),
  shape(5, 1, [1, 2, 3]),
  shape(50, 1, [1]),
  shape(50, 1, [1, 2, 3]),
  shape(50, 5, [1, 2]),
  shape(1000, 1, [1]),
  shape(1000, 1, [1, 2, 3]),
  shape(1000, 10, [1, 2])
]

for (const one of shapes) {
  const [cluster, larger] = [one, { ...one, holders: one.holders + 1 }].map(createCluster)
  const { most, least } = measureBalance(cluster!, blocks)
  const join = measureMovement(cluster!, larger!, fewer)
  const leave = measureMovement(larger!, cluster!, fewer)
  const grow = measureMovement(cluster!, growLast(cluster!), fewer)
  const { placementsPerSecond, questionsPerSecond } = measureSpeed(cluster!, fewer)
  const cells = [
    one.holders,
    one.zones,
    one.pledges.join('/'),
    least.toFixed(3),
    most.toFixed(3),
    ...[join, leave, grow].flatMap(({ toUnavoidable, toProportional }) => {
      return [toUnavoidable.toFixed(3), toProportional.toFixed(3)]
    }),
    inThousands(placementsPerSecond),
    inThousands(questionsPerSecond)
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

function growLast(cluster: ReturnType<typeof createCluster>): ReturnType<typeof createCluster> {
  const last = cluster.holders.at(-1)!
  const grown = { ...last, pledgeBytes: 2 * last.pledgeBytes }
  return { ...cluster, holders: [...cluster.holders.slice(0, -1), grown] }
}

function inThousands(perSecond: number): string {
  return `${Math.round(perSecond / 1000)} k`
}
