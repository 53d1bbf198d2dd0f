import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareNames, readNames, sortNames } from '../../../src/namespace/host/host-names.ts'
import { Slices } from '../../../src/namespace/host/slices.ts'

const test = suite('names of the host')

const name = fc.string({ unit: 'binary', maxLength: 6 })

test('are ordered as their bytes are', () => {
  fc.assert(
    fc.property(name, name, (one, other) => {
      const bytes = Buffer.compare(Buffer.from(one), Buffer.from(other))
      assert.equal(Math.sign(compareNames(one, other)), bytes)
    })
  )
})

test('are sorted in runs', async () => {
  for (const count of [0, 1, 4_096, 4_097, 20_000]) {
    const names = Array.from({ length: count }, () => `${Math.random()}`)
    assert.deepEqual(await sortNames(names, new Slices()), names.toSorted())
  }
})

test('are those the directory has', async () => {
  const { names, notUtf8 } = await readNames(import.meta.dirname, new Slices())
  assert.ok(names.includes('host-names.test.ts'))
  assert.deepEqual(notUtf8, [])
  await assert.rejects(readNames(`${import.meta.dirname}/nowhere`, new Slices()), {
    code: 'ENOENT'
  })
})

test.run()
