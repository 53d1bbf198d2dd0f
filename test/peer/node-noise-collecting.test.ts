/** Collecting while bytes pass: when it happens, and that it is the young generation only. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import type { PerformanceEntry } from 'node:perf_hooks'
import { setImmediate as nextEvent } from 'node:timers/promises'
import {
  COLLECTED_BYTES,
  collectWhilePassing,
  collectYoung
} from '../../src/peer/node-noise/collecting.ts'
import { nodePrimitives } from '../../src/peer/node-noise/index.ts'

const NOTHING = new Uint8Array(0)
const KEY = new Uint8Array(32)
const NONCE = new Uint8Array(12)

/** What the types of Node leave out. */
interface GarbageEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number }
}

const test = suite('collecting')

test('waits until the bytes have passed and their event is over', async () => {
  const { pass, times } = counting()
  pass(COLLECTED_BYTES - 1)
  await nextEvent()
  assert.equal(times(), 0)
  pass(1)
  assert.equal(times(), 0)
  await nextEvent()
  assert.equal(times(), 1)
  pass(COLLECTED_BYTES - 1)
  await nextEvent()
  assert.equal(times(), 1)
})

test('happens once for an event, however many bytes it brings', async () => {
  const { pass, times } = counting()
  for (let round = 0; round < 3; round++) pass(COLLECTED_BYTES)
  await nextEvent()
  await nextEvent()
  assert.equal(times(), 1)
})

test('counts both directions, and what fails too', async () => {
  const { primitives, pass, times } = counting()
  pass(COLLECTED_BYTES - 20)
  assert.throws(() =>
    primitives.chaCha20Poly1305Decrypt(new Uint8Array(20), NONCE, NOTHING, KEY, NOTHING)
  )
  await nextEvent()
  assert.equal(times(), 1)
})

test('leaves the primitives as they are', () => {
  const { primitives } = counting()
  const plaintext = Buffer.from('a letter')
  const sealed = primitives.chaCha20Poly1305Encrypt(plaintext, NONCE, NOTHING, KEY).subarray()
  const expected = nodePrimitives.chaCha20Poly1305Encrypt(plaintext, NONCE, NOTHING, KEY)
  assert.deepEqual(sealed, expected.subarray())
  const opened = primitives.chaCha20Poly1305Decrypt(sealed, NONCE, NOTHING, KEY)
  assert.deepEqual(opened.subarray(), plaintext)
})

test('reaches the young generation, and only that', async () => {
  const kinds: number[] = []
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries() as GarbageEntry[]) kinds.push(entry.detail.kind)
  })
  observer.observe({ entryTypes: ['gc'] })
  collectYoung()
  collectYoung()
  for (let turn = 0; turn < 100 && kinds.length < 2; turn++) await nextEvent()
  observer.disconnect()
  const minor = constants.NODE_PERFORMANCE_GC_MINOR
  assert.ok(kinds.filter(kind => kind === minor).length >= 2, `kinds ${kinds.join(' ')}`)
  assert.ok(!kinds.includes(constants.NODE_PERFORMANCE_GC_MAJOR), `kinds ${kinds.join(' ')}`)
})

test('frees the arrays that nobody refers to any more', async () => {
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 40; round++) Buffer.allocUnsafeSlow(1024 * 1024)
  collectYoung()
  await nextEvent()
  const left = process.memoryUsage().arrayBuffers - before
  assert.ok(left < 8 * 1024 * 1024, `${left} bytes are left`)
})

test('does not leave the collector to others', () => {
  collectYoung()
  assert.equal(globalThis.gc, undefined)
})

function counting(): {
  readonly primitives: typeof nodePrimitives
  readonly pass: (bytes: number) => void
  readonly times: () => number
} {
  let times = 0
  const primitives = collectWhilePassing(nodePrimitives, { collect: () => times++ })
  return {
    primitives,
    pass: bytes => {
      primitives.chaCha20Poly1305Encrypt(new Uint8Array(bytes), NONCE, NOTHING, KEY)
    },
    times: () => times
  }
}

test.run()
