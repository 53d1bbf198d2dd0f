import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Place } from '../../../src/blocks/disk/digest-table.ts'
import { HostFileReferences } from '../../../src/blocks/disk/host-file-references.ts'

const test = suite('host-file references')

test('agree with a plain list, whatever is added and removed', () => {
  const change = fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'removeIn', 'remove'),
    block: fc.nat(4),
    file: fc.integer({ min: 1, max: 5 }),
    offset: fc.nat(2 ** 41)
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), changes => {
      const references = new HostFileReferences()
      let model: (Place & { block: number })[] = []
      for (const { kind, block, file, offset } of changes) {
        const id = idOf(block)
        const isThere = model.some(range => range.block === block && range.container === file)
        if (kind === 'add' && !isThere) {
          const place = { container: file, offset, length: block * 100 }
          references.add(id, place)
          model.push({ ...place, block })
        } else if (kind === 'removeIn') {
          references.removeIn(id, file)
          model = model.filter(range => range.block !== block || range.container !== file)
        } else if (kind === 'remove') {
          references.remove(id)
          model = model.filter(range => range.block !== block)
        }
      }
      agree(references, model)
    }),
    { numRuns: 300 }
  )
})

test('do not slow down for a block that one file repeats, or that many files have', () => {
  const references = new HostFileReferences()
  const id = idOf(1)
  for (let offset = 0; offset < 100_000; offset++) {
    references.add(id, { container: 1, offset, length: 1 })
  }
  assert.equal(references.references, 1)
  for (let container = 2; container < 100_000; container++) {
    references.add(id, { container, offset: 0, length: 1 })
  }
  assert.equal(references.references, 99_999)
  assert.equal(references.placesOf(id, 8).length, 8)
  references.remove(id)
  assert.equal(references.references, 0)
  assert.equal(references.bytes, 0)
})

function agree(
  references: HostFileReferences,
  model: readonly (Place & { block: number })[]
): void {
  const blocks = new Set(model.map(({ block }) => block))
  assert.equal(references.blocks, blocks.size)
  assert.equal(references.references, model.length)
  assert.equal(
    references.bytes,
    [...blocks].reduce((sum, block) => sum + block * 100, 0)
  )
  assert.equal([...references.entries()].length, blocks.size)
  for (let block = 0; block <= 4; block++) {
    const expected = model.filter(range => range.block === block)
    const places = references.placesOf(idOf(block), 100)
    const byFile = (a: Place, b: Place): number => a.container - b.container
    assert.deepEqual(
      places.sort(byFile),
      expected.map(({ block: _block, ...place }) => place).sort(byFile)
    )
    for (let file = 1; file <= 5; file++) {
      const isIn = expected.some(({ container }) => container === file)
      assert.equal(references.hasIn(idOf(block), file), isIn)
    }
  }
}

function idOf(block: number): Uint8Array {
  const id = new Uint8Array(36)
  id[1] = 0x55
  id[20] = block
  return id
}

test.run()
