/** Three holders, each with a third of the link: what they bring, and what losing one costs. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { Block } from '../../../src/blocks/block.ts'
import { BLOCKS_PROTOCOL, encodeAnswer } from '../../../src/blocks/exchange/messages.ts'
import type { CallHandler } from '../../../src/peer/index.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import type { ManualClock } from '../../peer/manual-clock.ts'
import { Neighbourhood, collect, makeBlocks } from './exchange-fixtures.ts'
import type { Neighbour } from './exchange-fixtures.ts'

interface Context {
  clock: ManualClock
  hood: Neighbourhood
  blocks: Block[]
}

const BLOCK_BYTES = 64 * 1024
const LINK = { bytesPerSecond: 10_000_000 / 3, delayMs: 5 }

const test = suite<Context>('block exchange: three holders')
test.before(async context => {
  context.blocks = await makeBlocks(320, BLOCK_BYTES)
})
test.before.each(context => {
  context.clock = createManualClock()
  context.hood = new Neighbourhood(context.clock)
})
test.after.each(async ({ clock, hood }) => {
  const stopped = hood.stop()
  await clock.advance(1000)
  await stopped
})

/** A fetch under way from so many holders, each behind a link of its own. */
async function fetchFrom(
  count: number,
  { hood, blocks }: Context
): Promise<{ holders: Neighbour[]; bob: Neighbour; fetched: Promise<Block[]> }> {
  const bob = await hood.add()
  const holders: Neighbour[] = []
  for (let i = 0; i < count; i++) {
    const holder = await hood.add(blocks)
    holders.push(holder)
    hood.network.shape(holder.id, bob.id, LINK)
  }
  await hood.introduce(bob.peer, ...holders.map(({ peer }) => peer))
  const reader = bob.exchange.reader({ sources: () => holders.map(({ id }) => id) })
  return { holders, bob, fetched: collect(reader.getMany(blocks.map(({ id }) => id))) }
}

/** Moves the clock until the blocks are there, and checks them; how long it took. */
async function timeOf(fetched: Promise<Block[]>, { clock, blocks }: Context): Promise<number> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  fetched.then(settle, settle)
  const began = clock.now()
  for (let step = 0; !settled; step++) {
    assert.ok(step < 10_000, 'it never ends')
    await clock.advance(10)
  }
  const ids = (await fetched).map(({ id }) => id)
  assert.deepEqual(
    ids,
    blocks.map(({ id }) => id)
  )
  return clock.now() - began
}

test('bring more than 2.5 times what one brings, and hardly anything twice', async context => {
  const { hood, blocks } = context
  const one = await timeOf((await fetchFrom(1, context)).fetched, context)
  const before = hood.network.bytesCarried()
  const three = await timeOf((await fetchFrom(3, context)).fetched, context)
  assert.ok(one / three > 2.5, `${one} ms from one, ${three} ms from three`)
  const carried = (hood.network.bytesCarried() - before) / (blocks.length * BLOCK_BYTES)
  assert.ok(carried < 1.05, `${carried} times what was wanted was carried`)
})

/** What three would take less the share of one from the middle on, and a second for noticing. */
async function losingOneInTheMiddle(
  context: Context,
  lose: (holder: Neighbour, bob: Neighbour) => void
): Promise<void> {
  const { clock, blocks } = context
  const { holders, bob, fetched } = await fetchFrom(3, context)
  const third = (blocks.length * BLOCK_BYTES) / (3 * LINK.bytesPerSecond)
  await clock.advance(500 * third)
  lose(holders[1]!, bob)
  const ms = 500 * third + (await timeOf(fetched, context))
  const bestMs = 1000 * (third / 2 + (third / 2) * 1.5)
  assert.ok(ms < bestMs + 1000, `${ms} ms, ${bestMs} at best`)
}

test('one that falls silent in the middle costs less than a second', context =>
  losingOneInTheMiddle(context, (holder, bob) => context.hood.network.mute(holder.id, bob.id)))

test('one that is gone in the middle costs less than a second', context =>
  losingOneInTheMiddle(context, (holder, bob) => context.hood.network.cut(holder.id, bob.id)))

test('one that begins to lie in the middle costs less than a second', context =>
  losingOneInTheMiddle(context, holder => {
    const lie: CallHandler = async function* () {
      yield encodeAnswer([BLOCK_BYTES], { payload: [new Uint8Array(BLOCK_BYTES)] })
    }
    // What it serves from now on; calls under way end by themselves.
    void holder.exchange.stop().then(() => holder.peer.serve(BLOCKS_PROTOCOL, lie))
  }))

test.run()
