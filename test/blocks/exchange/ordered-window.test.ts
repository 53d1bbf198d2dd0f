import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import type { Lookup } from '../../../src/blocks/exchange/local-first.ts'
import { WINDOW_BLOCKS_MAX } from '../../../src/blocks/exchange/limits.ts'
import { OrderedWindow } from '../../../src/blocks/exchange/ordered-window.ts'
import { systemClock } from '../../../src/peer/index.ts'

const test = suite('block exchange: window')

const WINDOW_BYTES = 1000

/** A window over ids `0`, `1`, … whose wants are answered by hand. */
function openWindow(
  count: number,
  { keep = true }: { readonly keep?: boolean } = {}
): {
  blocks: AsyncGenerator<Block>
  wanted: Lookup[]
  kept: BlockId[]
  cancelled: BlockId[]
} {
  const wanted: Lookup[] = []
  const kept: BlockId[] = []
  const cancelled: BlockId[] = []
  const ids = Array.from({ length: count }, (_, index) => `${index}` as BlockId)
  const window = new OrderedWindow(
    {
      clock: systemClock,
      want: lookup => wanted.push(lookup),
      keep: ({ id }) => kept.push(id),
      cancel: ({ id }) => cancelled.push(id),
      blockBytes: () => 100
    },
    ids,
    { windowBytes: WINDOW_BYTES, keep }
  )
  return { blocks: window[Symbol.asyncIterator](), wanted, kept, cancelled }
}

function idsOf(lookups: readonly Lookup[]): number[] {
  return lookups.map(({ id }) => Number(id))
}

test('asks for a window ahead, and then for a quarter at a time', async () => {
  const { blocks, wanted } = openWindow(100)
  const first = blocks.next()
  assert.deepEqual(idsOf(wanted), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  for (const lookup of wanted) lookup.take(new Uint8Array(100))
  await first
  const sizes = [wanted.length]
  for (let i = 0; i < 6; i++) {
    await blocks.next()
    sizes.push(wanted.length)
  }
  assert.deepEqual(sizes, [10, 10, 10, 13, 13, 13, 16])
})

test('blocks much larger than foreseen are let go and got again in their turn', async () => {
  const { blocks, wanted } = openWindow(10)
  const first = blocks.next()
  for (const lookup of wanted.splice(0)) lookup.take(new Uint8Array(900))
  assert.equal((await first).done, false)
  // Only the head fits; the other nine must not stay in memory.
  for (let index = 1; index < 10; index++) {
    const next = blocks.next()
    assert.deepEqual(idsOf(wanted), [index])
    wanted.pop()!.take(new Uint8Array(900))
    const { value } = await next
    assert.equal((value as Block).id, `${index}`)
  }
  assert.equal((await blocks.next()).done, true)
})

test('what is let go is kept where it can be had again, although nobody asked for that', async () => {
  const { blocks, wanted, kept } = openWindow(3, { keep: false })
  const first = blocks.next()
  assert.ok(wanted.every(lookup => !lookup.keep))
  for (const lookup of wanted.splice(0)) lookup.take(new Uint8Array(900))
  await first
  assert.deepEqual(kept, ['1', '2'])
  await blocks.return(undefined)
})

test('holds no more blocks than the limit, be they as small as they may', async () => {
  const wanted: Lookup[] = []
  const ids = Array.from({ length: 3 * WINDOW_BLOCKS_MAX }, (_, index) => `${index}` as BlockId)
  const components = {
    clock: systemClock,
    want: (lookup: Lookup) => wanted.push(lookup),
    keep: () => {},
    cancel: () => {},
    blockBytes: () => 1
  }
  const window = new OrderedWindow(components, ids, { windowBytes: 1e9, keep: true })
  const blocks = window[Symbol.asyncIterator]()
  const first = blocks.next()
  assert.equal(wanted.length, WINDOW_BLOCKS_MAX)
  wanted[0]!.take(new Uint8Array(1))
  await first
  await blocks.return()
})

test('leaving cancels what is waited for and nothing else', async () => {
  const { blocks, wanted, cancelled } = openWindow(10)
  const first = blocks.next()
  for (const lookup of wanted.slice(0, 4)) lookup.take(new Uint8Array(10))
  await first
  await blocks.return(undefined)
  assert.deepEqual(cancelled, ['4', '5', '6', '7', '8', '9'])
  assert.ok(wanted.slice(4).every(lookup => lookup.cancelled))
})

test('a failure comes in its turn', async () => {
  const { blocks, wanted } = openWindow(3)
  const first = blocks.next()
  wanted[1]!.fail(new RangeError('lost'))
  wanted[0]!.take(new Uint8Array(1))
  assert.equal((await first).done, false)
  await assert.rejects(blocks.next(), RangeError)
  assert.equal((await blocks.next()).done, true)
})

test.run()
