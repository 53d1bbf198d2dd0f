import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { readAhead } from '../../src/blocks/read-ahead.ts'

const test = suite('read ahead')

test('gives every value in order, with never more reads under way than allowed', async () => {
  const plan = fc.record({
    turns: fc.array(fc.nat(3), { maxLength: 40 }),
    readsMax: fc.integer({ min: 1, max: 5 }),
    slow: fc.boolean()
  })
  await fc.assert(
    fc.asyncProperty(plan, async ({ turns, readsMax, slow }) => {
      let underWay = 0
      let most = 0
      const read = async (index: number): Promise<number> => {
        most = Math.max(most, ++underWay)
        for (let left = turns[index]!; left > 0; left--) await turn()
        underWay--
        return index
      }
      const source = slow ? slowly(turns.keys()) : turns.keys()
      const values: number[] = []
      for await (const value of readAhead(source, read, { readsMax })) values.push(value)
      assert.deepEqual(values, [...turns.keys()])
      assert.ok(most <= readsMax)
    }),
    { numRuns: 60 }
  )
})

test('reads ahead while the caller is busy, and no further than allowed', async () => {
  const started: number[] = []
  const values = readAhead(numbers(), async index => started.push(index), { readsMax: 4 })
  await values.next()
  await turn()
  assert.deepEqual(started, [0, 1, 2, 3, 4])
  await values.return()
})

test('hands out what is there while the source is silent', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  async function* source(): AsyncGenerator<number> {
    yield 1
    await never
  }
  const values = readAhead(source(), async value => value, { readsMax: 4 })
  assert.deepEqual(await values.next(), { value: 1, done: false })
  assert.deepEqual(await values.return(), { value: undefined, done: true })
})

test('stops waiting for a silent source when the signal aborts', async () => {
  const controller = new AbortController()
  const { promise: never } = Promise.withResolvers<void>()
  async function* source(): AsyncGenerator<number> {
    await never
    yield 1
  }
  const { signal } = controller
  const first = readAhead(source(), async value => value, { readsMax: 4, signal }).next()
  await turn()
  controller.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
})

test('fails at the value whose read fails, after everything before it', async () => {
  const seen: number[] = []
  const read = async (index: number): Promise<number> => {
    if (index >= 2) throw new Error(`no ${index}`)
    await turn()
    return index
  }
  await assert.rejects(async () => {
    for await (const value of readAhead(numbers(), read, { readsMax: 8 })) seen.push(value)
  }, /no 2/)
  assert.deepEqual(seen, [0, 1])
})

test('passes on the failure of its source, after everything before it', async () => {
  const seen: number[] = []
  function* source(): Generator<number> {
    yield 1
    throw new Error('source broke')
  }
  await assert.rejects(async () => {
    for await (const value of readAhead(source(), async key => key, { readsMax: 8 })) {
      seen.push(value)
    }
  }, /source broke/)
  assert.deepEqual(seen, [1])
})

test('ends its source when the caller leaves early', async () => {
  let ended = false
  function* source(): Generator<number> {
    try {
      yield* numbers()
    } finally {
      ended = true
    }
  }
  for await (const value of readAhead(source(), async key => key, { readsMax: 2 })) {
    if (value === 3) break
  }
  assert.equal(ended, true)
})

function* numbers(): Generator<number> {
  for (let index = 0; ; index++) yield index
}

async function* slowly(source: Iterable<number>): AsyncGenerator<number> {
  for (const value of source) {
    await turn()
    yield value
  }
}

test.run()
