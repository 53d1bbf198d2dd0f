/** Whatever is stored where and wanted how: what comes out is what was put in. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isWarrenError } from '../../../src/errors.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { Neighbourhood, makeBlocks, makeNode } from './exchange-fixtures.ts'
import type { Neighbour } from './exchange-fixtures.ts'

const test = suite<{ blocks: Block[] }>('block exchange: properties')
test.before(async context => {
  const sizes = [0, 1, 100, 5000, 40_000, 300_000]
  const made = await Promise.all(sizes.map((size, seed) => makeBlocks(8, size, seed)))
  // The empty block is one block however often it is made.
  context.blocks = [...new Map(made.flat().map(block => [block.id, block])).values()]
})

interface Scenario {
  /** For each block the holders that have it, as bits; the lowest is the asker itself. */
  readonly where: readonly number[]
  readonly wanted: readonly number[]
  readonly windowBytes: number
  readonly leaveAfter: number
  readonly holders: number
}

const scenario = (count: number): fc.Arbitrary<Scenario> => {
  return fc.record({
    where: fc.array(fc.integer({ min: 0, max: 15 }), { minLength: count, maxLength: count }),
    wanted: fc.array(fc.nat(count - 1), { maxLength: 120 }),
    windowBytes: fc.constantFrom(1000, 100_000, 8_000_000),
    leaveAfter: fc.oneof(fc.constant(Infinity), fc.nat(100)),
    holders: fc.integer({ min: 1, max: 3 })
  })
}

async function withNeighbours(
  count: number,
  blocksOf: (index: number) => readonly Block[],
  run: (neighbours: readonly Neighbour[]) => Promise<void>
): Promise<void> {
  const hood = new Neighbourhood()
  try {
    const neighbours: Neighbour[] = []
    for (let i = 0; i < count; i++) neighbours.push(await hood.add(blocksOf(i)))
    await hood.introduce(...neighbours.map(({ peer }) => peer))
    await run(neighbours)
  } finally {
    await hood.stop()
  }
}

test('random wants of random blocks at random holders', async ({ blocks }) => {
  const property = fc.asyncProperty(scenario(blocks.length), async given => {
    const { where, wanted, windowBytes, leaveAfter, holders } = given
    const blocksOf = (index: number): Block[] => blocks.filter((_, i) => where[i]! & (1 << index))
    await withNeighbours(1 + holders, blocksOf, async ([bob, ...others]) => {
      const sources = (): Neighbour['id'][] => others.map(({ id }) => id)
      const reader = bob!.exchange.reader({ sources, windowBytes })
      const mask = (1 << (holders + 1)) - 1
      let expected = wanted.findIndex(index => (where[index]! & mask) === 0)
      if (expected < 0) expected = wanted.length
      const ids = wanted.map(index => blocks[index]!.id)
      let count = 0
      let failure: unknown
      try {
        for await (const { id, bytes } of reader.getMany(ids)) {
          assert.equal(id, ids[count])
          assert.equal(Buffer.compare(bytes, blocks[wanted[count]!]!.bytes), 0)
          if (++count > leaveAfter) break
        }
      } catch (error) {
        if (!isWarrenError(error, 'EHOSTUNREACH')) throw error
        failure = error
      }
      assert.equal(count, Math.min(expected, leaveAfter + 1))
      assert.equal(failure !== undefined, expected < wanted.length && expected <= leaveAfter)
      await reader.flush()
      for (const index of wanted.slice(0, count)) {
        assert.ok(await bob!.store.has(blocks[index]!.id))
      }
    })
  })
  await fc.assert(property, { numRuns: 100, endOnFailure: true })
})

test('random trees', async ({ blocks }) => {
  // Each node links to some of what was made before it: a directed graph without cycles.
  const shapes = fc.array(fc.array(fc.nat(1000), { maxLength: 12 }), {
    minLength: 1,
    maxLength: 25
  })
  const property = fc.asyncProperty(shapes, fc.boolean(), async (shape, cold) => {
    const made: Block[] = blocks.filter(({ bytes }) => bytes.length <= 5000)
    for (const [body, links] of shape.entries()) {
      made.push(
        await makeNode(
          links.map(link => made[link % made.length]!.id),
          body
        )
      )
    }
    const root = made.at(-1)!.id
    await withNeighbours(
      2,
      index => (index === 0 ? [] : made),
      async ([bob, alice]) => {
        const reader = bob!.exchange.reader({ sources: () => [alice!.id] })
        const fetched: BlockId[] = []
        for await (const { id } of reader.getSubtree(root, { cold })) fetched.push(id)
        assert.deepEqual(fetched, orderOf(root, made, shape))
      }
    )
  })
  await fc.assert(property, { numRuns: 100, endOnFailure: true })
})

/** The order of a subtree, said in another way than the walk says it. */
function orderOf(
  root: BlockId,
  made: readonly Block[],
  shape: readonly (readonly number[])[]
): BlockId[] {
  const data = made.length - shape.length
  const order = new Set<BlockId>()
  const visit = (index: number): void => {
    const { id } = made[index]!
    if (order.has(id)) return
    order.add(id)
    if (index < data) return
    // A node links only to what was made before it.
    for (const link of shape[index - data]!) visit(link % index)
  }
  visit(made.findIndex(({ id }) => id === root))
  return [...order]
}

test.run()
