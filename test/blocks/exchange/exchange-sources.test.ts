/** What a session makes of several sources, good and bad. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import { createMemoryBlockStore } from '../../../src/blocks/memory-block-store.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { decodeWant, encodeAnswer } from '../../../src/blocks/exchange/messages.ts'
import type { CallHandler, Peer, PeerId } from '../../../src/peer/index.ts'
import { FlowingClock } from '../../fixtures/flowing-clock.ts'
import { Neighbourhood, makeBlocks } from './exchange-fixtures.ts'
import type { Neighbour } from './exchange-fixtures.ts'

interface Context {
  clock: FlowingClock
  hood: Neighbourhood
  blocks: Block[]
}

/** Each holder alone takes 300 ms to send all blocks. */
const LINK = { bytesPerSecond: 32 * 1024 * 1024, delayMs: 1 }

const test = suite<Context>('block exchange: sources')
test.before(async context => {
  context.blocks = await makeBlocks(300, 32 * 1024)
})
test.before.each(context => {
  context.clock = new FlowingClock()
  context.hood = new Neighbourhood(context.clock, LINK)
})
test.after.each(async ({ clock, hood }) => {
  await hood.stop()
  clock.stop()
})

/** Fetches all blocks through bob and says how many milliseconds that took. */
async function fetchAll(
  { clock, blocks }: Pick<Context, 'clock' | 'blocks'>,
  bob: Neighbour,
  sources: readonly PeerId[],
  onBlock: (index: number) => void = () => {}
): Promise<number> {
  const reader = bob.exchange.reader({ sources: () => sources })
  const began = clock.now()
  let index = 0
  for await (const { id, bytes } of reader.getMany(blocks.map(block => block.id))) {
    assert.equal(id, blocks[index]!.id)
    assert.equal(Buffer.compare(bytes, blocks[index]!.bytes), 0)
    onBlock(index++)
  }
  assert.equal(index, blocks.length)
  return clock.now() - began
}

function blocksFrom(neighbour: Neighbour, source: PeerId): number {
  const transfers = neighbour.exchange.transfers()
  return transfers.find(({ peer }) => peer === source)?.blocksIn ?? 0
}

test('three holders share the work', async ({ clock, hood, blocks }) => {
  const holders = [await hood.add(blocks), await hood.add(blocks), await hood.add(blocks)]
  const bob = await hood.add()
  await hood.introduce(bob.peer, ...holders.map(({ peer }) => peer))
  await fetchAll(
    { clock, blocks },
    bob,
    holders.map(({ id }) => id)
  )
  for (const { id } of holders) assert.ok(blocksFrom(bob, id) > 20, `${blocksFrom(bob, id)}`)
})

test('a fast holder gets most of the work, a slow one does not hold it up', async ({
  clock,
  hood,
  blocks
}) => {
  const [fast, slow] = [await hood.add(blocks), await hood.add(blocks)]
  const bob = await hood.add()
  await hood.introduce(bob.peer, fast.peer, slow.peer)
  hood.network.shape(bob.id, slow.id, { bytesPerSecond: 512 * 1024 })
  hood.network.shape(bob.id, fast.id, { bytesPerSecond: 32 * 1024 * 1024 })
  const ms = await fetchAll({ clock, blocks }, bob, [slow.id, fast.id])
  assert.ok(blocksFrom(bob, fast.id) > 240, `${blocksFrom(bob, fast.id)}`)
  assert.ok(ms < 2000, `${ms} ms`)
})

test('a holder that dies in mid-transfer costs nothing much', async ({ clock, hood, blocks }) => {
  const [alice, carol] = [await hood.add(blocks), await hood.add(blocks)]
  const bob = await hood.add()
  await hood.introduce(bob.peer, alice.peer, carol.peer)
  const ms = await fetchAll({ clock, blocks }, bob, [alice.id, carol.id], index => {
    if (index === 20) hood.network.cut(bob.id, alice.id)
  })
  assert.ok(ms < 1000, `${ms} ms`)
})

test('the only holder is waited for when its connection breaks', async ({
  clock,
  hood,
  blocks
}) => {
  const alice = await hood.add(blocks)
  const bob = await hood.add()
  await hood.introduce(bob.peer, alice.peer)
  let mended: Promise<void> | undefined
  await fetchAll({ clock, blocks }, bob, [alice.id], index => {
    if (index !== 20) return
    hood.network.cut(bob.id, alice.id)
    mended = clock.sleep(400).then(() => hood.network.mend(bob.id, alice.id))
  })
  await mended
})

test('a holder that falls silent loses its work to others within a second', async ({
  clock,
  hood,
  blocks
}) => {
  const [alice, carol] = [await hood.add(blocks), await hood.add(blocks)]
  const bob = await hood.add()
  await hood.introduce(bob.peer, alice.peer, carol.peer)
  const ms = await fetchAll({ clock, blocks }, bob, [alice.id, carol.id], index => {
    if (index === 20) hood.network.mute(bob.id, alice.id)
  })
  assert.ok(ms < 1500, `${ms} ms`)
  hood.network.mend(bob.id, alice.id)
})

test('a holder that never answers is given up for one that does', async ({
  clock,
  hood,
  blocks
}) => {
  const silent = await hood.addLiar(async function* (_, { signal }) {
    await new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    )
    yield { body: {} }
  })
  const carol = await hood.add(blocks)
  const bob = await hood.add()
  await hood.introduce(bob.peer, silent, carol.peer)
  const ms = await fetchAll({ clock, blocks }, bob, [silent.id, carol.id])
  assert.ok(ms < 1500, `${ms} ms`)
  const alone = bob.exchange.reader({ sources: () => [silent.id], deadlineMs: 500 })
  const [unknown] = await makeBlocks(1, 10, 99)
  const began = clock.now()
  await assert.rejects(alone.get(unknown!.id), error => isWarrenError(error, 'EHOSTUNREACH'))
  assert.ok(clock.now() - began < 1500)
})

test('work is done by many holders that each have a part', async ({ clock, hood, blocks }) => {
  const parts = [0, 1, 2].map(part => blocks.filter((_, index) => index % 3 === part))
  const holders = await Promise.all(parts.map(part => hood.add(part)))
  const bob = await hood.add()
  await hood.introduce(bob.peer, ...holders.map(({ peer }) => peer))
  const ms = await fetchAll(
    { clock, blocks },
    bob,
    holders.map(({ id }) => id)
  )
  assert.ok(ms < 1000, `${ms} ms`)
  // What was handed out is written a moment later, and at the latest now.
  await bob.exchange.stop()
  assert.equal(bob.store.usage().blocks, blocks.length)
})

test('peers that were not named are asked when they are connected', async ({
  clock,
  hood,
  blocks
}) => {
  const [alice, carol] = [await hood.add(blocks.slice(0, 100)), await hood.add(blocks)]
  const bob = await hood.add()
  await hood.introduce(bob.peer, alice.peer, carol.peer)
  await bob.peer.dial(carol.id)
  await fetchAll({ clock, blocks }, bob, [alice.id])
  assert.ok(blocksFrom(bob, alice.id) >= 50)
  assert.ok(blocksFrom(bob, carol.id) >= 200)
})

test('a holder that connects while a block is wanted is asked', async ({ clock, hood, blocks }) => {
  const bob = await hood.add()
  const carol = await hood.add(blocks)
  const reader = bob.exchange.reader()
  const wanted = reader.get(blocks[0]!.id)
  await clock.sleep(50)
  await carol.peer.remember(bob.id, bob.peer.addresses())
  await carol.peer.dial(bob.id)
  assert.equal(Buffer.compare(await wanted, blocks[0]!.bytes), 0)
})

test('a block that appears at a holder later is found again', async ({ hood, blocks }) => {
  const alice = await hood.add()
  const bob = await hood.add()
  await hood.introduce(bob.peer, alice.peer)
  const reader = bob.exchange.reader({ sources: () => [alice.id] })
  await assert.rejects(reader.get(blocks[0]!.id), error => isWarrenError(error, 'EHOSTUNREACH'))
  await alice.store.putMany(blocks)
  const other = bob.exchange.reader({ sources: () => [alice.id] })
  assert.equal(Buffer.compare(await other.get(blocks[0]!.id), blocks[0]!.bytes), 0)
})

test('with no source at all a block is unreachable at the deadline', async ({
  clock,
  hood,
  blocks
}) => {
  const bob = await hood.add()
  const reader = bob.exchange.reader({ deadlineMs: 200 })
  const began = clock.now()
  await assert.rejects(reader.get(blocks[0]!.id), error => isWarrenError(error, 'EHOSTUNREACH'))
  const ms = clock.now() - began
  assert.ok(ms >= 190 && ms < 1000, `${ms} ms`)
})

test('an unreachable holder is waited for a while, not for ever', async ({
  clock,
  hood,
  blocks
}) => {
  const gone = hood.network.createPeer({ discovery: false })
  const bob = await hood.add()
  const reader = bob.exchange.reader({ sources: () => [gone.id], patienceMs: 300 })
  const began = clock.now()
  await assert.rejects(reader.get(blocks[0]!.id), error => isWarrenError(error, 'EHOSTUNREACH'))
  const ms = clock.now() - began
  assert.ok(ms >= 290 && ms < 2000, `${ms} ms`)
})

/** Answers from a store, through a lie. */
type Lie = (ids: readonly BlockId[], blocks: readonly Uint8Array[]) => ReturnType<CallHandler>

const lies: Record<string, Lie> = {
  async *'wrong bytes'(_, blocks) {
    for (const bytes of blocks) {
      const wrong = bytes.slice()
      wrong[7]! ^= 1
      yield encodeAnswer([wrong.length], { payload: [wrong] })
    }
  },
  async *'a wrong length'(_, blocks) {
    for (const bytes of blocks) {
      const wrong = bytes.subarray(1)
      yield encodeAnswer([wrong.length], { payload: [wrong] })
    }
  },
  async *'lengths that do not add up'(_, blocks) {
    for (const bytes of blocks) yield encodeAnswer([bytes.length - 1], { payload: [bytes] })
  },
  async *'extra blocks'(_, blocks) {
    for (const bytes of [...blocks, ...blocks]) {
      yield encodeAnswer([bytes.length], { payload: [bytes] })
    }
  },
  async *'reordered blocks'(_, blocks) {
    for (const bytes of blocks.toReversed()) {
      yield encodeAnswer([bytes.length], { payload: [bytes] })
    }
  },
  async *'an endless stream'(_, blocks) {
    while (true) yield encodeAnswer([blocks[0]!.length], { payload: [blocks[0]!] })
  },
  async *'empty messages without end'() {
    while (true) yield { body: { lengths: new Uint8Array(0) } }
  },
  async *'huge counts'() {
    yield { body: { lengths: new Uint8Array(512 * 1024) } }
  },
  async *'huge lengths'() {
    yield encodeAnswer([0xffff_fffe], { payload: [] })
  },
  async *nonsense() {
    yield { body: ['lengths', 1, null] }
  },
  async *'an early end'(_, blocks) {
    yield encodeAnswer([blocks[0]!.length], { payload: [blocks[0]!] })
  },
  async *nothing() {}
}

async function addLiar(hood: Neighbourhood, blocks: readonly Block[], lie: Lie): Promise<Peer> {
  const store = createMemoryBlockStore()
  await store.putMany(blocks)
  return hood.addLiar(async function* (request) {
    const want = decodeWant(request)
    assert.ok(want.kind === 'blocks')
    const found = await Promise.all(want.ids.map(id => store.get(id)))
    yield* lie(
      want.ids,
      found.map(bytes => bytes!)
    )
  })
}

for (const [name, lie] of Object.entries(lies)) {
  test(`a source that sends ${name} costs little beside an honest one`, async ({
    clock,
    hood,
    blocks
  }) => {
    const liar = await addLiar(hood, blocks, lie)
    const carol = await hood.add(blocks)
    const bob = await hood.add()
    await hood.introduce(bob.peer, liar, carol.peer)
    const ms = await fetchAll({ clock, blocks }, bob, [liar.id, carol.id])
    assert.ok(ms < 1000, `${ms} ms`)
  })

  test(`a source that sends ${name} is a clear error when there is no other`, async ({
    clock,
    hood,
    blocks
  }) => {
    const liar = await addLiar(hood, blocks, lie)
    const bob = await hood.add()
    await hood.introduce(bob.peer, liar)
    const began = clock.now()
    await assert.rejects(fetchAll({ clock, blocks }, bob, [liar.id]), error => {
      assert.ok(isWarrenError(error, 'EHOSTUNREACH'))
      assert.ok(
        isWarrenError(error.cause, 'EPROTO') || isWarrenError(error.cause, 'EBADMSG'),
        String(error.cause)
      )
      return true
    })
    assert.ok(clock.now() - began < 1000)
  })
}

test.run()
