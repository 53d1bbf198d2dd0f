import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { negativeLogarithm } from '../../../src/replication/placement/logarithm.ts'

const test = suite('logarithm')

test('is the logarithm, close to both ends too', () => {
  const steps = fc.bigInt({ min: 0n, max: 2n ** 52n - 1n })
  const nearEnds = fc.nat(1000).chain(n => fc.constantFrom(BigInt(n), 2n ** 52n - 1n - BigInt(n)))
  fc.assert(
    fc.property(fc.oneof(steps, nearEnds), step => {
      const shortfall = (Number(step) + 0.5) / 2 ** 52
      const expected = -Math.log1p(-shortfall)
      const error = Math.abs(negativeLogarithm(1 - shortfall) / expected - 1)
      assert.ok(error < 2e-15, `${shortfall}: off by ${error}`)
    }),
    { numRuns: 20_000 }
  )
})

test('has these very bits everywhere', () => {
  const bits = (value: number): string => {
    const view = new DataView(new ArrayBuffer(8))
    view.setFloat64(0, value)
    return view.getBigUint64(0).toString(16)
  }
  const values = [0.1, 0.5, 0.7, 0.9, 2 ** -53, 1 - 2 ** -53].map(negativeLogarithm)
  assert.deepEqual(values.map(bits), [
    '40026bb1bbb55515',
    '3fe62e42fefa39ef',
    '3fd6d3c324e13f4f',
    '3fbaf8e8210a415b',
    '40425e4f7b2737fa',
    '3ca0000000000000'
  ])
})

test.run()
