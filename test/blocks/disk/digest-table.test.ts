import { suite } from 'uvu'
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { DigestTable, LENGTH_LIMIT, OFFSET_LIMIT } from '../../../src/blocks/disk/digest-table.ts'
import type { Place } from '../../../src/blocks/disk/digest-table.ts'
import { blockIdToBytes, createBlockId } from '../../../src/blocks/block-id.ts'
import type { Codec } from '../../../src/blocks/block-id.ts'

const test = suite('digest table')

const place = (container: number, offset = 0, length = 0): Place => ({ container, offset, length })

function idOf(number: number, codec: Codec = 'raw'): Uint8Array {
  const digest = new Uint8Array(32)
  // Only the last bytes differ, so that all ids want the same slot.
  new DataView(digest.buffer).setUint32(28, number)
  return blockIdToBytes(createBlockId(codec, digest))
}

function randomId(codec: Codec = 'raw'): Uint8Array {
  return blockIdToBytes(createBlockId(codec, crypto.getRandomValues(new Uint8Array(32))))
}

test('finds what was set, at the newest place', () => {
  const table = new DigestTable()
  const id = randomId()
  assert.equal(table.get(id), undefined)
  table.set(id, place(1, 2, 3))
  assert.deepEqual(table.get(id), place(1, 2, 3))
  table.set(id, place(4, 5, 6))
  assert.deepEqual(table.get(id), place(4, 5, 6))
  assert.equal(table.size, 1)
})

test('keeps two codecs of one digest apart', () => {
  const table = new DigestTable()
  table.set(idOf(1, 'raw'), place(1))
  assert.equal(table.has(idOf(1, 'dag-cbor')), false)
  table.set(idOf(1, 'dag-cbor'), place(2))
  assert.deepEqual(table.get(idOf(1, 'raw')), place(1))
  assert.equal(table.delete(idOf(1, 'raw')), true)
  assert.deepEqual(table.get(idOf(1, 'dag-cbor')), place(2))
})

test('holds the largest place and refuses the next', () => {
  const table = new DigestTable()
  const id = randomId('dag-cbor')
  const largest = place(2 ** 32 - 1, OFFSET_LIMIT - 1, LENGTH_LIMIT - 1)
  table.set(id, largest)
  assert.deepEqual(table.get(id), largest)
  assert.deepEqual([...table.entries()], [{ id, place: largest }])
  assert.throws(() => table.set(id, place(0)), RangeError)
  assert.throws(() => table.set(id, place(2 ** 32)), RangeError)
  assert.throws(() => table.set(id, place(1, OFFSET_LIMIT)), RangeError)
  assert.throws(() => table.set(id, place(1, 0, LENGTH_LIMIT)), RangeError)
})

test('refuses what is no id', () => {
  assert.throws(() => new DigestTable().has(new Uint8Array(35)), TypeError)
  assert.throws(() => new DigestTable().set(new Uint8Array(37), place(1)), TypeError)
})

test('answers as a map does', () => {
  const action = fc.record({
    kind: fc.constantFrom('set', 'set', 'delete'),
    number: fc.nat(40),
    codec: fc.constantFrom<Codec>('raw', 'dag-cbor'),
    offset: fc.nat(OFFSET_LIMIT - 1)
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), actions => {
      const table = new DigestTable()
      const model = new Map<string, Place>()
      for (const { kind, number, codec, offset } of actions) {
        const id = idOf(number, codec)
        const key = `${number} ${codec}`
        if (kind === 'delete') assert.equal(table.delete(id), model.delete(key))
        else table.set(id, place(number + 1, offset, number))
        if (kind === 'set') model.set(key, place(number + 1, offset, number))
      }
      assert.equal(table.size, model.size)
      for (const [key, expected] of model) {
        const [number, codec] = key.split(' ') as [string, Codec]
        assert.deepEqual(table.get(idOf(Number(number), codec)), expected)
      }
      const listed = [...table.entries()].map(entry => entry.place)
      assert.deepEqual(
        new Set(listed.map(place => JSON.stringify(place))),
        new Set([...model.values()].map(place => JSON.stringify(place)))
      )
      assert.equal(listed.length, model.size)
    }),
    { numRuns: 100 }
  )
})

test('sees every lasting entry once while others come and go', () => {
  const table = new DigestTable()
  const lasting = Array.from({ length: 2000 }, () => randomId())
  const passing = Array.from({ length: 2000 }, () => randomId())
  for (let index = 0; index < 2000; index++) {
    table.set(lasting[index]!, place(1))
    table.set(passing[index]!, place(2))
  }
  const seen: string[] = []
  let step = 0
  for (const { id, place } of table.entries()) {
    if (place.container === 1) seen.push(String(id))
    table.delete(passing[step % 2000]!)
    table.set(randomId(), { container: 3, offset: 0, length: 0 })
    if (++step > 20_000) break
  }
  assert.deepEqual(seen.sort(), lasting.map(String).sort())
})

test('takes less than 60 bytes an entry, and reuses what is freed', () => {
  const table = new DigestTable()
  const ids = Array.from({ length: 100_000 }, () => randomId())
  for (const id of ids) table.set(id, place(1))
  assert.ok(table.memoryBytes / ids.length < 60, `${table.memoryBytes / ids.length}`)
  const before = table.memoryBytes
  for (const id of ids) table.delete(id)
  for (let round = 0; round < ids.length; round++) table.set(randomId(), place(1))
  assert.equal(table.memoryBytes, before)
})

test.run()
