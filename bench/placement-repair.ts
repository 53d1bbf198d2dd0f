/**
 * Prints the table of repair in `docs/replication.md`:
 *
 *     node --conditions=warren-source bench/placement-repair.ts [blocks, 1000000 when absent]
 */
import { createBlocks, createCluster } from './placement-figures.ts'
import type { ClusterShape } from './placement-figures.ts'
import { measureRepair } from './placement-repair-figures.ts'
import type { Repair } from './placement-repair-figures.ts'

const BLOCK_BYTES = 128 * 1024
const GIB = 2 ** 30
const HOLDERS = 1000

const blocks = createBlocks(Number(process.argv[2] ?? 1_000_000))

const shapes: readonly ClusterShape[] = [
  { holders: HOLDERS, zones: 1, pledges: [1], copies: 3 },
  { holders: HOLDERS, zones: 10, pledges: [1, 2], copies: 3 }
]

for (const shape of shapes) {
  const cluster = createCluster(shape)
  const events: Readonly<Record<string, () => Repair>> = {
    'one holder gone': () => measureRepair(cluster, blocks, (_, number) => number !== 7),
    'ten in a hundred gone at once': () =>
      measureRepair(cluster, blocks, (_, number) => !isAmongTenPercent(number)),
    'a zone gone': () => measureRepair(cluster, blocks, ({ zone }) => zone !== 'zone 3')
  }
  for (const [event, measure] of Object.entries(events)) {
    if (event === 'a zone gone' && shape.zones === 1) continue
    print(shape, event, measure())
  }
}

/** By chance, the same ones in every run, whatever their zones and pledges. */
function isAmongTenPercent(number: number): boolean {
  return Math.imul(number + 1, 0x9e3779b1) >>> 0 < 2 ** 32 / 10
}

function print({ zones, pledges }: ClusterShape, event: string, repair: Repair): void {
  const { copiesGone, copiesMade, blocksLost, pulledMost, sentMost, pulledMostCopies } = repair
  const cells = [
    zones,
    pledges.join(', '),
    event,
    inGib(copiesGone),
    inGib(copiesMade),
    (copiesMade / (copiesGone - 3 * blocksLost)).toFixed(3),
    blocksLost,
    inGib(pulledMostCopies),
    pulledMost.toFixed(2),
    sentMost.toFixed(2)
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

function inGib(copies: number): string {
  return ((copies * BLOCK_BYTES) / GIB).toPrecision(3)
}
