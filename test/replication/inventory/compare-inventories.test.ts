/** Two holders find out how their sets differ, whatever the sets are. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createBlockId, digestOf } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'
import { Inventory, createInventoryComparer } from '../../../src/replication/index.ts'
import { createInventoryHandler } from '../../../src/replication/index.ts'
import type { InventoryFilter } from '../../../src/replication/index.ts'
import type { Peer } from '../../../src/peer/index.ts'
import {
  Holders,
  backgroundClock,
  codeOf,
  counting,
  createRandom,
  createRandomBytes,
  makeIds,
  sorted
} from '../replicas-fixtures.ts'

const SCOPE = 'a volume'

const test = suite<{ holders: Holders }>('inventories: comparing')
test.before.each(context => {
  context.holders = new Holders()
})
test.after.each(({ holders }) => holders.stop())

interface Pair {
  readonly alice: Pick<Peer, 'call'> & { calls: number }
  readonly aliceHas: Inventory
  readonly bob: Peer
  readonly bobHas: Inventory
  readonly filter: InventoryFilter | undefined
  readonly compare: () => Promise<{ onlyHere: BlockId[]; onlyThere: BlockId[] }>
}

async function pair(
  holders: Holders,
  sets: { here: Iterable<BlockId>; there: Iterable<BlockId>; filter?: InventoryFilter }
): Promise<Pair> {
  const { filter } = sets
  const aliceHas = new Inventory()
  const bobHas = new Inventory()
  await aliceHas.addAll(sets.here)
  await bobHas.addAll(sets.there)
  const inventory = createInventoryHandler({
    clock: backgroundClock,
    scopeOf: async name => (name === SCOPE ? { inventory: bobHas, filter } : undefined)
  })
  const alice = counting(await holders.add())
  const bob = await holders.add({ inventory })
  const parts = { peer: alice, clock: backgroundClock, randomBytes: createRandomBytes(7) }
  const comparer = createInventoryComparer(parts)
  const question = { holder: bob.id, scope: SCOPE, inventory: aliceHas, filter }
  return {
    alice,
    aliceHas,
    bob,
    bobHas,
    filter,
    async compare() {
      const onlyHere: BlockId[] = []
      const onlyThere: BlockId[] = []
      for await (const difference of comparer.compare(question)) {
        onlyHere.push(...difference.onlyHere)
        onlyThere.push(...difference.onlyThere)
      }
      return { onlyHere, onlyThere }
    }
  }
}

for (const [here, there, common] of [
  [0, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 5000],
  [1, 0, 5000],
  [0, 1, 5000],
  [50, 30, 5000],
  [3000, 2000, 1000],
  [0, 20_000, 0],
  [20_000, 0, 0],
  [20_000, 1, 3],
  [1, 20_000, 3],
  [0, 20_000, 40]
] as const) {
  test(`${here} only here, ${there} only there, ${common} in common`, async ({ holders }) => {
    const ids = makeIds(here + there + common, 10 * here + there + common)
    const onlyHere = ids.slice(0, here)
    const onlyThere = ids.slice(here, here + there)
    const both = ids.slice(here + there)
    const { compare, alice } = await pair(holders, {
      here: [...onlyHere, ...both],
      there: [...both, ...onlyThere]
    })
    const difference = await compare()
    assert.deepEqual(sorted(difference.onlyHere), sorted(onlyHere))
    assert.deepEqual(sorted(difference.onlyThere), sorted(onlyThere))
    if (here + there === 0) assert.equal(alice.calls, 1)
    assert.ok(alice.calls <= 12, `${alice.calls} requests`)
  })
}

test('what was compared once is cheap to compare again after changes', async ({ holders }) => {
  const ids = makeIds(4000, 3)
  const { compare, aliceHas, bobHas } = await pair(holders, { here: ids, there: ids })
  const [first, second, third] = ids as [BlockId, BlockId, BlockId]
  assert.deepEqual(await compare(), { onlyHere: [], onlyThere: [] })
  aliceHas.delete(first)
  bobHas.delete(second)
  assert.deepEqual(await compare(), { onlyHere: [second], onlyThere: [first] })
  bobHas.delete(first)
  aliceHas.delete(second)
  const [fresh] = makeIds(1, 99)
  aliceHas.add(fresh!)
  assert.deepEqual(await compare(), { onlyHere: [fresh], onlyThere: [] })
  aliceHas.delete(fresh!)
  bobHas.delete(third)
  assert.deepEqual(await compare(), { onlyHere: [third], onlyThere: [] })
})

test('only what the filter lets through is compared', async ({ holders }) => {
  const ids = makeIds(3000, 4)
  const filter = { name: 'even', includes: (id: BlockId) => id.charCodeAt(20) % 2 === 0 }
  const here = ids.filter((_, index) => index % 100 !== 0)
  const there = ids.filter((_, index) => index % 100 !== 1)
  const { compare } = await pair(holders, { here, there, filter })
  const difference = await compare()
  const expected = (rest: number): BlockId[] =>
    ids.filter((id, index) => index % 100 === rest && filter.includes(id))
  assert.deepEqual(sorted(difference.onlyHere), sorted(expected(1)))
  assert.deepEqual(sorted(difference.onlyThere), sorted(expected(0)))
})

test('random sets of random sizes, twenty seeds', async ({ holders }) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = createRandom(seed)
    const ids = makeIds(Math.floor(10 ** (3.5 * random())), seed)
    const share = random()
    const here = ids.filter(() => random() < share)
    const there = ids.filter(() => random() < share)
    const { compare } = await pair(holders, { here, there })
    const difference = await compare()
    const [hereSet, thereSet] = [new Set(here), new Set(there)]
    const why = `seed ${seed}`
    assert.deepEqual(sorted(difference.onlyHere), sorted(here.filter(id => !thereSet.has(id))), why)
    assert.deepEqual(
      sorted(difference.onlyThere),
      sorted(there.filter(id => !hereSet.has(id))),
      why
    )
  }
})

test('ids that share all but their last bytes are told apart', async ({ holders }) => {
  const [model] = makeIds(1)
  const digest = digestOf(model!)
  const near = Array.from({ length: 600 }, (_, index) => {
    const other = digest.slice()
    other[30] = index >> 8
    other[31] = index
    return createBlockId(index % 2 === 0 ? 'raw' : 'dag-cbor', other)
  })
  const twins = near.slice(0, 100).map((id, index) => {
    return createBlockId(index % 2 === 0 ? 'dag-cbor' : 'raw', digestOf(id))
  })
  const { compare } = await pair(holders, { here: near, there: [...near.slice(1), ...twins] })
  const difference = await compare()
  assert.deepEqual(difference.onlyHere, near.slice(0, 1))
  assert.deepEqual(sorted(difference.onlyThere), sorted(twins))
})

test('a name that the holder does not know', async ({ holders }) => {
  const { alice, aliceHas, bob } = await pair(holders, { here: [], there: [] })
  const comparer = createInventoryComparer({ peer: alice, clock: backgroundClock })
  const question = { holder: bob.id, scope: 'another', inventory: aliceHas }
  assert.equal(await codeOf(comparer.compare(question).next()), 'ENOENT')
})

test('a salt for each question costs the holder too much', async ({ holders }) => {
  const { alice, aliceHas, bob } = await pair(holders, { here: [], there: [] })
  const codes: string[] = []
  for (let i = 0; i < 10; i++) {
    const comparer = createInventoryComparer({ peer: alice, clock: backgroundClock })
    const question = { holder: bob.id, scope: SCOPE, inventory: aliceHas }
    const answer = comparer.compare(question).next()
    codes.push(
      await answer.then(
        () => 'fine',
        () => codeOf(answer)
      )
    )
  }
  assert.deepEqual(codes, [...Array.from({ length: 8 }, () => 'fine'), 'EBUSY', 'EBUSY'])
})

test('ends when the caller says so, and at its deadline', async ({ holders }) => {
  const never = async function* (): AsyncGenerator<never> {
    yield await new Promise<never>(() => {})
  }
  const alice = await holders.add()
  const bob = await holders.add({ inventory: never })
  const comparer = createInventoryComparer({ peer: alice, clock: backgroundClock })
  const question = { holder: bob.id, scope: SCOPE, inventory: new Inventory() }
  const late = comparer.compare(question, { timeoutMs: 30 }).next()
  assert.equal(await codeOf(late), 'ETIMEDOUT')
  const signal = AbortSignal.timeout(30)
  await assert.rejects(comparer.compare(question, { signal }).next(), { name: 'TimeoutError' })
})

test.run()
