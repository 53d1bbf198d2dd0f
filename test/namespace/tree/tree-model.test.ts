/** Random histories of a tree, held against a plain sorted map. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { BlockId } from '../../../src/blocks/index.ts'
import type { Change, Difference, Tree, TreeEntry } from '../../../src/namespace/tree/tree.ts'
import { checkShape, collect, createFixture, danglingId, numberKey } from './tree-fixture.ts'

const test = suite('tree: random histories')

/** Numbers in ascending order with what they were set to. */
type Model = ReadonlyMap<number, { readonly value: Uint8Array; readonly link?: BlockId }>

const KEYS = 3000
const links = await Promise.all([1, 2, 3].map(danglingId))

interface Step {
  readonly kind: 'set' | 'remove' | 'flush' | 'reopen'
  readonly from: number
  readonly count: number
  /** Distance between keys: 1 is a run, more is scattered. */
  readonly stride: number
  readonly bytes: number
  readonly seed: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('set', 'set', 'set', 'remove', 'remove', 'flush', 'reopen'),
  from: fc.nat(KEYS),
  count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2000 })),
  stride: fc.constantFrom(1, 1, 2, 7, 61),
  bytes: fc.constantFrom(0, 1, 30, 300, 2000, 20_000),
  seed: fc.nat(255)
})

/** Half of all histories begin with a tree of three levels. */
const full: Step = { kind: 'set', from: 0, count: KEYS, stride: 1, bytes: 3000, seed: 9 }
const history = fc
  .tuple(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 12, size: 'max' }))
  .map(([filled, steps]) =>
    filled ? [full, { ...full, kind: 'flush' as const }, ...steps] : steps
  )

/**
 * Keys of different lengths that sort as their numbers do. They differ late, so inner nodes have
 * few children and the trees of this test have three levels.
 */
const keys = Array.from({ length: 2 * KEYS }, (_, number) => {
  const longer = new Uint8Array(900 + (number % 3 === 0 ? 0 : number % 40))
  longer.set(numberKey(number, 900))
  return longer
})

function keyOf(number: number): Uint8Array {
  return keys[number] as Uint8Array
}

function changesOf({ kind, from, count, stride, bytes, seed }: Step): Map<number, Change> {
  const changes = new Map<number, Change>()
  for (let index = 0; index < count; index++) {
    const number = from + index * stride
    if (number > KEYS) break
    const key = keyOf(number)
    const value =
      kind === 'remove' ? undefined : new Uint8Array((bytes * (1 + (number % 3))) / 3).fill(seed)
    const link = links[(number + seed) % 7]
    const linked = value !== undefined && link !== undefined
    changes.set(number, linked ? { key, value, link } : { key, value })
  }
  return changes
}

function changed(model: Model, changes: ReadonlyMap<number, Change>): Model {
  const after = new Map(model)
  for (const [number, { value, link }] of changes) {
    if (value === undefined) after.delete(number)
    else after.set(number, link === undefined ? { value } : { value, link })
  }
  return new Map([...after].toSorted(([left], [right]) => left - right))
}

function entriesOf(model: Model, from = 0, to = Infinity): TreeEntry[] {
  return [...model]
    .filter(([number]) => number >= from && number < to)
    .map(([number, content]) => ({ key: keyOf(number), ...content }))
}

function differencesOf(before: Model, after: Model): Difference[] {
  const numbers = new Set([...before.keys(), ...after.keys()])
  return [...numbers]
    .toSorted((left, right) => left - right)
    .map(number => {
      const key = keyOf(number)
      const [old, now] = [before.get(number), after.get(number)]
      return { key, before: old && { key, ...old }, after: now && { key, ...now } }
    })
    .filter(({ before: old, after: now }) => !sameContent(old, now))
}

/** As `assert.deepEqual` says, in a fraction of the time. */
function assertSame(found: readonly TreeEntry[], expected: readonly TreeEntry[]): void {
  assert.equal(found.length, expected.length)
  for (const [index, entry] of found.entries()) {
    const other = expected[index] as TreeEntry
    const same = sameContent(entry, other) && Buffer.compare(entry.key, other.key) === 0
    if (!same) assert.deepEqual(entry, other)
  }
}

function sameContent(left: TreeEntry | undefined, right: TreeEntry | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return left.link === right.link && Buffer.compare(left.value, right.value) === 0
}

async function checkAll(tree: Tree, model: Model): Promise<void> {
  assertSame(await collect(tree), entriesOf(model))
}

async function checkParts(tree: Tree, model: Model, { from, count }: Step): Promise<void> {
  const to = from + count
  const range = { from: keyOf(from), to: keyOf(to) }
  assertSame(await collect(tree, range, { readAhead: true }), entriesOf(model, from, to))
  const [one] = entriesOf(model, from, from + 1)
  assert.deepEqual(await tree.get(keyOf(from)), one)
  const numbers = Array.from({ length: 50 }, (_, index) => from + index * 11)
  const expected = numbers.map(number => entriesOf(model, number, number + 1)[0])
  assert.deepEqual(await tree.getMany(numbers.map(keyOf)), expected)
}

async function checkDifferences(before: [Tree, Model], after: [Tree, Model]): Promise<void> {
  const found: Difference[] = []
  for await (const difference of after[0].differences(before[0])) found.push(difference)
  const expected = differencesOf(before[1], after[1])
  assert.equal(found.length, expected.length)
  for (const [index, difference] of found.entries()) {
    const other = expected[index] as Difference
    assert.equal(Buffer.compare(difference.key, other.key), 0)
    for (const side of ['before', 'after'] as const) {
      assert.ok(sameContent(difference[side], other[side]))
    }
  }
}

test('a tree says what a sorted map says, whatever came before', async () => {
  let levels = 0
  await fc.assert(
    fc.asyncProperty(history, async steps => {
      const fixture = createFixture()
      let tree = fixture.open()
      let model: Model = new Map()
      const versions: [Tree, Model][] = [[tree, model]]
      for (const next of steps) {
        if (next.kind === 'flush' || next.kind === 'reopen') {
          const flushed = await tree.flush(fixture.store)
          assert.equal(flushed.unflushedBytes, 0)
          const shape = await checkShape(fixture.store, flushed.root)
          assert.equal(shape.entries, model.size)
          levels = Math.max(levels, shape.levels)
          tree = next.kind === 'reopen' ? fixture.open(flushed.root) : flushed
        } else {
          const changes = changesOf(next)
          tree = await tree.apply([...changes.values()])
          model = changed(model, changes)
        }
        await checkParts(tree, model, next)
        versions.push([tree, model])
      }
      await checkAll(tree, model)
      for (const version of versions) await checkAll(...version)
      for (const version of versions.slice(-4)) {
        await checkDifferences(version, [tree, model])
        await checkDifferences([tree, model], version)
      }
    }),
    { numRuns: 16, interruptAfterTimeLimit: 20_000 }
  )
  assert.ok(levels >= 3, `trees of ${levels} levels`)
})

test.run()
