/** The tree of ids: what is in it, what ranges of it add up to, and what it weighs. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId } from '../../../src/blocks/index.ts'
import { Inventory } from '../../../src/replication/index.ts'
import { chaskey, createChaskeyKey } from '../../../src/replication/inventory/chaskey.ts'
import {
  BOUND_BYTES_MAX,
  boundBetween,
  compareKeys,
  decodeBound,
  encodeBound,
  idsOf,
  keyOf
} from '../../../src/replication/inventory/inventory-key.ts'
import { VIEWS_MAX } from '../../../src/replication/inventory/inventory-page.ts'
import { createRandom, makeIds, sorted } from '../replicas-fixtures.ts'

const SALT = new Uint8Array(16).fill(7)
const WHOLE = { from: undefined, to: undefined }

const test = suite('inventory')

function inventoryOf(ids: Iterable<BlockId>): Inventory {
  const inventory = new Inventory()
  for (const id of ids) inventory.add(id)
  return inventory
}

function idsIn(inventory: Inventory): BlockId[] {
  return idsOf(inventory.view({ salt: SALT }).keys(WHOLE))
}

test('Chaskey-12 hashes as its authors say', () => {
  const key = createChaskeyKey(
    new Uint8Array(Uint32Array.of(0x833d3433, 0x009f389f, 0x2398e64f, 0x417acf39).buffer)
  )
  const message = new Uint32Array(Uint8Array.from({ length: 32 }, (_, i) => i).buffer)
  const tag = new Uint32Array(2)
  chaskey(key, message, 0, 0, tag)
  assert.deepEqual([...tag], [0x77962784, 0x07c647fa])
  chaskey(key, message, 0, 1, tag)
  assert.notDeepEqual([...tag], [0x77962784, 0x07c647fa])
  assert.throws(() => createChaskeyKey(new Uint8Array(15)), TypeError)
})

test('holds what was added and not taken, in order, through growth and shrinking', () => {
  const random = createRandom(5)
  const ids = makeIds(20_000, 5)
  const inventory = new Inventory()
  const model = new Set<BlockId>()
  for (const [share, steps] of [
    [0.9, 25_000],
    [0.1, 25_000],
    [0.5, 5000],
    [0, 60_000]
  ] as const) {
    for (let step = 0; step < steps; step++) {
      const id = ids[Math.floor(random() * ids.length)]!
      if (random() < share) {
        assert.equal(inventory.add(id), !model.has(id))
        model.add(id)
      } else {
        assert.equal(inventory.delete(id), model.delete(id))
      }
    }
    assert.equal(inventory.size, model.size)
    const held = idsIn(inventory)
    assert.deepEqual(sorted(held), sorted(model))
    const keys = held.map(keyOf)
    assert.ok(keys.every((key, i) => i === 0 || compareKeys(keys[i - 1]!, key) < 0))
    assert.ok(ids.slice(0, 500).every(id => inventory.has(id) === model.has(id)))
  }
})

test('takes less than 64 bytes a block, and gives them back', () => {
  const ids = makeIds(30_000, 15)
  const inventory = inventoryOf(ids)
  inventory.view({ salt: SALT }).total()
  const bytes = inventory.memoryBytes / ids.length
  assert.ok(bytes > 35 && bytes < 52, `${bytes} bytes a block`)
  for (const id of ids.slice(1000)) inventory.delete(id)
  assert.ok(inventory.memoryBytes < 1000 * 300, `${inventory.memoryBytes} bytes for 1000 blocks`)
  for (const id of ids) inventory.delete(id)
  assert.ok(inventory.memoryBytes < 10_000, `${inventory.memoryBytes} bytes for nothing`)
})

test('a fingerprint does not depend on how the ids came', () => {
  const ids = makeIds(3000, 6)
  const one = inventoryOf(ids)
  const other = inventoryOf([...ids].reverse())
  const extra = makeIds(2000, 7)
  for (const id of extra) other.add(id)
  const before = other.view({ salt: SALT }).total()
  for (const id of extra) other.delete(id)
  const total = one.view({ salt: SALT }).total()
  assert.equal(total.count, 3000)
  assert.deepEqual(other.view({ salt: SALT }).total(), total)
  assert.notDeepEqual(before, total)
  const resalted = one.view({ salt: new Uint8Array(16) }).total()
  assert.notDeepEqual(resalted.fingerprint, total.fingerprint)
})

test('parts of a range add up to it, and are even', () => {
  const inventory = inventoryOf(makeIds(7000, 8))
  const view = inventory.view({ salt: SALT })
  const keys = view.keys(WHOLE)
  const from = keys.slice(9 * 1234, 9 * 1235)
  const to = keys.slice(9 * 5678, 9 * 5679)
  for (const range of [WHOLE, { from, to }, { from, to: undefined }, { from: undefined, to }]) {
    const whole = view.total(range)
    for (const parts of [1, 2, 16, 100, 256]) {
      const split = view.split(range, parts)
      assert.equal(split.length, parts)
      const sum = [0, 0, 0]
      for (const part of split) {
        assert.deepEqual(view.total(part.range), {
          count: part.count,
          fingerprint: part.fingerprint
        })
        assert.ok(Math.abs(part.count - whole.count / parts) < 1)
        sum[0]! += part.count
        sum[1]! ^= part.fingerprint[0]!
        sum[2]! ^= part.fingerprint[1]!
      }
      assert.deepEqual([sum[0], sum[1]! >>> 0, sum[2]! >>> 0], [whole.count, ...whole.fingerprint])
      assert.equal(split[0]!.range.from, range.from)
      assert.equal(split.at(-1)!.range.to, range.to)
    }
  }
  assert.equal(view.split(WHOLE, 1e6).length, 7000)
  assert.equal(new Inventory().view({ salt: SALT }).split(WHOLE, 5).length, 1)
  const average =
    view.split(WHOLE, 256).reduce((sum, { range }) => sum + encodeBound(range.from).length, 0) / 256
  assert.ok(average < 4, `a bound of ${average} bytes`)
})

test('more views than there is room for are right all the same', async () => {
  const ids = makeIds(1000, 9)
  const inventory = inventoryOf(ids)
  const views = Array.from({ length: 2 * VIEWS_MAX + 1 }, (_, i) => {
    const filter = {
      name: `${i}`,
      includes: (id: BlockId): boolean => id.charCodeAt(30) % (i + 1) === 0
    }
    return { view: inventory.view({ salt: SALT, filter }), filter }
  })
  await Promise.all(views.map(({ view }) => view.prepare()))
  for (const round of [0, 1]) {
    for (const { view, filter } of views) {
      assert.equal(view.total().count, ids.slice(round).filter(filter.includes).length)
    }
    inventory.delete(ids[round]!)
  }
})

test('a filter is asked once for each id', () => {
  let asked = 0
  const filter = { name: 'counting', includes: () => ++asked > 0 }
  const ids = makeIds(1000, 10)
  const inventory = inventoryOf(ids.slice(1))
  inventory.view({ salt: SALT, filter }).split(WHOLE, 20)
  inventory.add(ids[0]!)
  inventory.delete(ids[1]!)
  inventory.view({ salt: SALT, filter }).split(WHOLE, 20)
  assert.equal(asked, 1000)
})

test('samples are as likely as each other', () => {
  const ids = makeIds(500, 11)
  const filter = { name: 'most', includes: (id: BlockId) => id !== ids[0] }
  const view = inventoryOf(ids).view({ salt: SALT, filter })
  const times = new Map<BlockId, number>()
  for (const id of view.sample(50_000, createRandom(12))) times.set(id, (times.get(id) ?? 0) + 1)
  assert.equal(times.size, 499)
  assert.ok(!times.has(ids[0]!))
  assert.ok([...times.values()].every(count => count > 50 && count < 160))
  assert.deepEqual(new Inventory().view({ salt: SALT }).sample(5, createRandom(1)), [])
})

test('bounds are short, lie between, and survive the wire', () => {
  const keys = makeIds(300, 13).map(keyOf).sort(compareKeys)
  for (let i = 1; i < keys.length; i++) {
    const bound = boundBetween(keys[i - 1]!, keys[i]!)
    assert.ok(compareKeys(keys[i - 1]!, bound) < 0)
    assert.ok(compareKeys(bound, keys[i]!) <= 0)
    assert.deepEqual(decodeBound(encodeBound(bound)), bound)
    assert.deepEqual(decodeBound(encodeBound(keys[i]!)), keys[i])
  }
  assert.equal(decodeBound(new Uint8Array(BOUND_BYTES_MAX + 1).fill(1)), undefined)
  assert.equal(decodeBound(Uint8Array.of(1, 0)), undefined)
})

test('is filled from a store, and stops when it is told to', async () => {
  const ids = makeIds(5000, 14)
  const inventory = new Inventory()
  await inventory.addAll(ids)
  assert.equal(inventory.size, 5000)
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(new Inventory().addAll(ids, { signal }), /enough/)
  const view = inventory.view({ salt: SALT })
  await assert.rejects(view.prepare({ signal }), /enough/)
})

test.run()
