/** Heads that are taken before they are durable: what is read, what is written, and what a failing disk does. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { createBlock } from '../../../src/blocks/index.ts'
import { createEagerHeadStore } from '../../../src/namespace/heads/eager-head-store.ts'
import { signHead } from '../../../src/namespace/heads/head-record.ts'
import type { HeadStore } from '../../../src/namespace/heads/head-store.ts'
import type { SignedHead } from '../../../src/namespace/heads/head.ts'
import { createMemoryHeadStore } from '../../../src/namespace/heads/memory-head-store.ts'
import { createSigningKey } from '../../../src/peer/index.ts'

const test = suite('eager head store')
const key = await createSigningKey()

async function head(sequence: number, content = 'x'): Promise<SignedHead> {
  const { id } = await createBlock('dag-cbor', new TextEncoder().encode(`${content}${sequence}`))
  return signHead(key, { sequence, root: id, timeMs: 0 })
}

/** A store whose writes wait until they are let through, and can fail. */
function createSlowStore(): {
  readonly store: HeadStore
  readonly writes: SignedHead[]
  readonly letThrough: (error?: Error) => void
} {
  const store = createMemoryHeadStore()
  const writes: SignedHead[] = []
  let gate = Promise.withResolvers<void>()
  return {
    store: {
      ...store,
      get: volume => store.get(volume),
      compareAndSet: async (expected, next) => {
        writes.push(next)
        await gate.promise
        return store.compareAndSet(expected, next)
      }
    },
    writes,
    letThrough(error) {
      const before = gate
      gate = Promise.withResolvers<void>()
      if (error === undefined) before.resolve()
      else before.reject(error)
    }
  }
}

test('a head is there before it is stored', async () => {
  const { store, letThrough } = createSlowStore()
  const eager = createEagerHeadStore(store)
  const first = await head(1)
  assert.equal(await eager.compareAndSet(undefined, first), true)
  assert.equal(await eager.get(first.volume), first)
  assert.equal(await store.get(first.volume), undefined)
  letThrough()
  await eager.flush()
  assert.deepEqual(await store.get(first.volume), first)
  assert.deepEqual(await eager.get(first.volume), first)
})

test('it compares with the newest, stored or not, and moves forwards', async () => {
  const { store, letThrough } = createSlowStore()
  const eager = createEagerHeadStore(store)
  const [first, second] = [await head(1), await head(2)]
  assert.equal(await eager.compareAndSet(undefined, first), true)
  assert.equal(await eager.compareAndSet(undefined, second), false)
  assert.equal(await eager.compareAndSet(2, second), false)
  await assert.rejects(eager.compareAndSet(1, first), { code: 'EINVAL' })
  assert.equal(await eager.compareAndSet(1, second), true)
  letThrough()
  await new Promise(resolve => setTimeout(resolve))
  letThrough()
  await eager.flush()
  assert.deepEqual(await store.get(first.volume), second)
})

test('of heads that come while one is written only the last is written', async () => {
  const slow = createSlowStore()
  const eager = createEagerHeadStore(slow.store)
  for (let sequence = 1; sequence <= 10; sequence++) {
    const expected = sequence === 1 ? undefined : sequence - 1
    assert.equal(await eager.compareAndSet(expected, await head(sequence)), true)
  }
  slow.letThrough()
  await new Promise(resolve => setTimeout(resolve, 5))
  slow.letThrough()
  await eager.flush()
  assert.deepEqual(
    slow.writes.map(({ sequence }) => sequence),
    [1, 10]
  )
})

test('of two at once one is set', async () => {
  const eager = createEagerHeadStore(createMemoryHeadStore())
  const [one, other] = [await head(1, 'a'), await head(1, 'b')]
  const results = await Promise.allSettled([
    eager.compareAndSet(undefined, one),
    eager.compareAndSet(undefined, other)
  ])
  const values = results.map(result => result.status === 'fulfilled' && result.value)
  assert.deepEqual(values.filter(Boolean), [true])
})

test('a disk that fails loses nothing that is in memory, and is tried again', async () => {
  const slow = createSlowStore()
  const eager = createEagerHeadStore(slow.store)
  const [first, second] = [await head(1), await head(2)]
  await eager.compareAndSet(undefined, first)
  await new Promise(resolve => setTimeout(resolve, 5))
  slow.letThrough(new Error('full'))
  await eager.flush()
  assert.equal(await eager.get(first.volume), first)
  assert.equal(await eager.compareAndSet(1, second), true)
  await new Promise(resolve => setTimeout(resolve, 5))
  slow.letThrough()
  await eager.flush()
  assert.deepEqual(await slow.store.get(first.volume), second)
})

test('a stored head is not taken back by an older one that was waiting', async () => {
  const store = createMemoryHeadStore()
  const eager = createEagerHeadStore(store)
  const [first, second] = [await head(1), await head(2)]
  await store.compareAndSet(undefined, second)
  assert.equal(await eager.compareAndSet(undefined, first), false)
  await eager.flush()
  assert.deepEqual(await store.get(first.volume), second)
})

test.run()
