/** The shape of trees: how full nodes are, and that no change leaves one too large or too small. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { BlockId } from '../../../src/blocks/index.ts'
import { isWarrenError } from '../../../src/errors.ts'
import { cutPoints } from '../../../src/namespace/tree/cut.ts'
import {
  KEY_BYTES_MAX,
  INNER_SIZE,
  LEAF_SIZE,
  VALUE_BYTES_MAX
} from '../../../src/namespace/tree/limits.ts'
import type { Change, Tree } from '../../../src/namespace/tree/tree.ts'
import type { Shape, TreeFixture } from './tree-fixture.ts'
import { checkShape, collect, createFixture, numberKey, remove, run, set } from './tree-fixture.ts'

const test = suite('tree: shape')

/** A generator of numbers under one, the same in each run (a linear congruence). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state / 2 ** 31
  }
}

async function shapeOf(tree: Tree, fixture: TreeFixture): Promise<Shape & { root: BlockId }> {
  const { root } = await tree.flush(fixture.store)
  return { ...(await checkShape(fixture.store, root)), root }
}

test('ascending entries leave full leaves behind', async () => {
  const fixture = createFixture()
  let tree = fixture.open()
  for (let from = 0; from < 60_000; from += 500) tree = await tree.apply(run(from, 500))
  const shape = await shapeOf(tree, fixture)
  assert.equal(shape.entries, 60_000)
  assert.ok(shape.leafBytes / shape.leaves > 0.95 * LEAF_SIZE.full)
})

test('so do ascending entries one at a time, and in the middle of a tree', async () => {
  const fixture = createFixture()
  let tree = await fixture.open().apply(run(1_000_000, 2000))
  tree = await tree.apply(run(0, 2000))
  const before = await shapeOf(tree, fixture)
  for (let number = 2000; number < 12_000; number++) tree = await tree.apply(run(number, 1))
  const shape = await shapeOf(tree, fixture)
  const added = shape.leafBytes - before.leafBytes
  assert.ok(added / (shape.leaves - before.leaves) > 0.9 * LEAF_SIZE.full)
})

test('entries in random order leave leaves more than half full', async () => {
  const random = numbers(7)
  const fixture = createFixture()
  let tree = fixture.open()
  for (let round = 0; round < 300; round++) {
    const chosen = new Set(Array.from({ length: 100 }, () => Math.floor(random() * 1e9)))
    const keys = [...chosen].toSorted((left, right) => left - right)
    tree = await tree.apply(keys.map(key => set(numberKey(key), new Uint8Array(100))))
  }
  const shape = await shapeOf(tree, fixture)
  assert.ok(shape.leafBytes / shape.leaves > 0.5 * LEAF_SIZE.full)
})

test('descending entries leave leaves half full', async () => {
  const fixture = createFixture()
  let tree = fixture.open()
  for (let from = 20_000; from > 0; from -= 100) tree = await tree.apply(run(from, 100))
  const shape = await shapeOf(tree, fixture)
  assert.ok(shape.leafBytes / shape.leaves > 0.45 * LEAF_SIZE.full)
})

test('a tree shrinks as its entries go, to a single empty leaf', async () => {
  const fixture = createFixture()
  const count = 30_000
  let tree: Tree = await (await fixture.open().apply(run(0, count))).flush(fixture.store)
  const full = await shapeOf(tree, fixture)
  const random = numbers(3)
  const order = Array.from({ length: count }, (_, index) => ({ index, at: random() }))
    .toSorted((left, right) => left.at - right.at)
    .map(({ index }) => index)
  for (let from = 0; from < count; from += 3000) {
    const gone = order.slice(from, from + 3000).toSorted((left, right) => left - right)
    tree = await tree.apply(gone.map(number => remove(numberKey(number))))
    const shape = await shapeOf(tree, fixture)
    assert.equal(shape.entries, count - from - 3000)
    const share = shape.entries / count
    assert.ok(shape.leaves <= Math.max(1, Math.ceil((full.leaves * share) / 0.25)))
  }
  const empty = await shapeOf(tree, fixture)
  assert.deepEqual({ levels: empty.levels, leaves: empty.leaves }, { levels: 1, leaves: 1 })
  assert.deepEqual(await collect(tree), [])
  // An empty tree is an empty tree, whatever it held.
  assert.equal(empty.root, (await createFixture().open().flush(fixture.store)).root)
})

test('a range that goes at once takes its nodes along', async () => {
  const fixture = createFixture()
  let tree = await fixture.open().apply(run(0, 30_000))
  tree = await tree.flush(fixture.store)
  tree = await tree.apply(run(10, 29_980).map(({ key }) => remove(key)))
  const shape = await shapeOf(tree, fixture)
  assert.deepEqual({ levels: shape.levels, entries: shape.entries }, { levels: 1, entries: 20 })
})

test('the largest entries fit, and any mixture with small ones', async () => {
  const largest = (number: number): Change =>
    set(numberKey(number, KEY_BYTES_MAX), new Uint8Array(VALUE_BYTES_MAX).fill(number))
  const random = numbers(11)
  const fixture = createFixture()
  let tree = fixture.open()
  for (let round = 0; round < 30; round++) {
    const chosen = new Set(Array.from({ length: 12 }, () => Math.floor(random() * 400)))
    const changes = [...chosen]
      .toSorted((left, right) => left - right)
      .map(number => {
        const kind = random()
        if (kind < 0.3) return largest(number)
        const key = numberKey(number, KEY_BYTES_MAX)
        return kind < 0.6 ? remove(key) : set(key, new Uint8Array(Math.floor(random() * 4000)))
      })
    tree = await tree.apply(changes)
    await shapeOf(tree, fixture)
  }
  const all = await fixture.open().apply(Array.from({ length: 100 }, (_, n) => largest(n)))
  const shape = await shapeOf(all, fixture)
  assert.equal(shape.entries, 100)
  assert.equal(shape.leaves, 100)
})

test('keys and values over the limit are refused', async () => {
  const tree = createFixture().open()
  const refused = async (change: Change): Promise<void> => {
    await assert.rejects(tree.apply([change]), error => isWarrenError(error, 'EINVAL'))
  }
  await refused(set(new Uint8Array(KEY_BYTES_MAX + 1), new Uint8Array(0)))
  await refused(remove(new Uint8Array(KEY_BYTES_MAX + 1)))
  await refused(set(new Uint8Array(1), new Uint8Array(VALUE_BYTES_MAX + 1)))
})

test('changes out of order are a mistake of the caller', async () => {
  const tree = createFixture().open()
  const [one, two] = run(1, 2) as [Change, Change]
  await assert.rejects(tree.apply([two, one]), TypeError)
  await assert.rejects(tree.apply([one, one]), TypeError)
  await assert.rejects(tree.getMany([two.key, one.key]), TypeError)
})

test('cuts cover everything and leave no piece too small or too large', () => {
  const small = fc.integer({ min: 2, max: 200 })
  const entry = fc.oneof(small, fc.integer({ min: 1, max: KEY_BYTES_MAX + VALUE_BYTES_MAX + 60 }))
  const child = fc.oneof(small, fc.integer({ min: 42, max: KEY_BYTES_MAX + 50 }))
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  for (const [size, item, first] of [
    [LEAF_SIZE, entry, {}],
    [INNER_SIZE, child, { firstBytes: 42 }]
  ] as const) {
    const list = fc.array(item, { minLength: 1, maxLength: 800, size: 'max' })
    fc.assert(
      fc.property(list, part, (items, changedPart) => {
        const ends = cutPoints({
          ...first,
          items,
          changedTo: Math.round(changedPart * items.length),
          size
        })
        assert.equal(ends.at(-1), items.length)
        let from = 0
        for (const to of ends) {
          assert.ok(to > from)
          const sizes = items.slice(from, to)
          if ('firstBytes' in first) sizes[0] = first.firstBytes
          const bytes = sizes.reduce((sum, one) => sum + one, 0)
          if (ends.length > 1) assert.ok(bytes >= size.low)
          assert.ok(bytes < size.full + Math.max(...items) / 2 + 2 * size.low)
          from = to
        }
      }),
      { numRuns: 200 }
    )
  }
})

test.run()
