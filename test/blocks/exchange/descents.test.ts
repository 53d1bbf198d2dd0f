/** Going down a tree at somebody else's, on a clock moved by hand: round trips, and those who lie. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import { createDecodingReader } from '../../../src/blocks/encoding/index.ts'
import { createReadKey } from '../../../src/blocks/encoding/read-key.ts'
import { Sealing } from '../../../src/blocks/encoding/sealing.ts'
import type { BlockStore, GetOptions } from '../../../src/blocks/block-store.ts'
import { createBlocksHandler } from '../../../src/blocks/exchange/serve-blocks.ts'
import { STALL_MS } from '../../../src/blocks/exchange/limits.ts'
import { MISSING, decodeWant, encodeAnswer } from '../../../src/blocks/exchange/messages.ts'
import { createMemoryBlockStore } from '../../../src/blocks/memory-block-store.ts'
import { createTree } from '../../../src/namespace/tree/create-tree.ts'
import { linksWithin } from '../../../src/namespace/tree/links-within.ts'
import { createNodeCache } from '../../../src/namespace/tree/node-cache.ts'
import { decodeNode } from '../../../src/namespace/tree/node.ts'
import type { Tree } from '../../../src/namespace/tree/tree.ts'
import { TreeSnapshot } from '../../../src/namespace/volume/tree-snapshot.ts'
import { ROOT_INODE } from '../../../src/namespace/volume/volume.ts'
import type { Extent } from '../../../src/namespace/volume/volume.ts'
import type { CallHandler } from '../../../src/peer/index.ts'
import { createLocalReader } from '../../../src/blocks/local-block-reader.ts'
import { createVolumeFixture } from '../../fixtures/volume.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import type { ManualClock } from '../../peer/manual-clock.ts'
import { Neighbourhood, collect } from './exchange-fixtures.ts'
import type { Neighbour } from './exchange-fixtures.ts'

const LATENCY_MS = 50
const ROUND_TRIP_MS = 2 * LATENCY_MS
const ENTRIES = 6_000

interface Context {
  clock: ManualClock
  hood: Neighbourhood
  /** With a tree of several levels. */
  store: BlockStore
  tree: Tree & { readonly root: NonNullable<Tree['root']> }
}

const test = suite<Context>('block exchange: descents')
test.before(async context => {
  context.store = createMemoryBlockStore()
  const reader = createLocalReader(context.store)
  const changes = Array.from({ length: ENTRIES }, (_, index) => ({
    key: keyOf(index),
    value: Uint8Array.of(index & 255)
  }))
  const empty = createTree({ reader, cache: createNodeCache() })
  context.tree = await (await empty.apply(changes)).flush(context.store)
  const root = decodeNode((await context.store.get(context.tree.root))!)
  assert.ok(root.level >= 2, `${root.level} levels above the leaves`)
})
test.before.each(context => {
  context.clock = createManualClock()
  context.hood = new Neighbourhood(context.clock, { delayMs: LATENCY_MS })
})
test.after.each(async ({ clock, hood }) => {
  const stopped = hood.stop()
  await clock.advance(1000)
  await stopped
})

/** Long keys, so that few of them make many levels. */
function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(1000).fill(7)
  new DataView(key.buffer).setUint32(996, index)
  return key
}

async function elapsed<Result>(
  clock: ManualClock,
  work: Promise<Result>
): Promise<{ result: Result; ms: number }> {
  const began = clock.now()
  let settled = false
  const settle = (): void => void (settled = true)
  work.then(settle, settle)
  for (let step = 0; !settled; step++) {
    assert.ok(step < 10_000, 'it never settles')
    await clock.advance(1)
  }
  return { result: await work, ms: clock.now() - began }
}

/** Bob, who has nothing and knows these sources, and is connected with them. */
async function addReader(
  { clock, hood }: Context,
  sources: readonly { readonly peer: Neighbour['peer'] }[],
  options = {}
): Promise<{
  bob: Neighbour
  open: (root: Tree['root']) => Tree
  reader: ReturnType<Neighbour['exchange']['reader']>
}> {
  const bob = await hood.add([], { linksWithin, ...options })
  await hood.introduce(bob.peer, ...sources.map(({ peer }) => peer))
  const ids = sources.map(({ peer }) => peer.id)
  for (const id of ids) await elapsed(clock, bob.peer.dial(id))
  const reader = bob.exchange.reader({ sources: () => ids })
  return { bob, reader, open: root => createTree({ reader, cache: createNodeCache() }, root) }
}

/** Answers wants of ranges in a way of its own, and all others honestly. */
function answering(store: BlockStore, odd: CallHandler): CallHandler {
  const honest = createBlocksHandler(store, { linksWithin })
  return (request, context) => {
    const want = decodeWant(request)
    return want.kind === 'subtree' ? odd(request, context) : honest(request, context)
  }
}

test('a lookup in a cold tree takes one round trip, however many levels there are', async context => {
  const { clock, hood, store, tree } = context
  const alice = await hood.addWith(store, { linksWithin })
  const { open } = await addReader(context, [alice])
  const cold = open(tree.root)
  const first = await elapsed(clock, cold.get(keyOf(0)))
  assert.deepEqual(first.result?.value, Uint8Array.of(0))
  const far = await elapsed(clock, cold.get(keyOf(ENTRIES - 1)))
  assert.deepEqual(far.result?.value, Uint8Array.of((ENTRIES - 1) & 255))
  // The first one also opens the stream.
  assert.ok(first.ms < 3 * ROUND_TRIP_MS, `${first.ms} ms`)
  assert.ok(far.ms < 1.2 * ROUND_TRIP_MS, `${far.ms} ms`)
  const absent = await elapsed(clock, cold.get(keyOf(ENTRIES / 2).subarray(0, 998)))
  assert.equal(absent.result, undefined)
  assert.ok(absent.ms < 1.2 * ROUND_TRIP_MS, `${absent.ms} ms`)
})

test('who has no way to read nodes goes down level by level', async context => {
  const { clock, hood, store, tree } = context
  const alice = await hood.addWith(store, {})
  const { open } = await addReader(context, [alice], { linksWithin: undefined })
  const cold = open(tree.root)
  await elapsed(clock, cold.get(keyOf(0)))
  const { ms } = await elapsed(clock, cold.get(keyOf(ENTRIES - 1)))
  assert.ok(ms >= 2 * ROUND_TRIP_MS, `${ms} ms`)
})

test('the first bytes of a file come with the node that names their blocks', async context => {
  const { clock, hood } = context
  const { volume, store } = await createVolumeFixture({ blockBytes: 128 * 1024 })
  const bytes = Buffer.alloc(6_000_000, 'all of it ')
  const inode = await volume.update(async transaction => {
    const made = await transaction.create(ROOT_INODE, 'file', { type: 'file', mode: 0o644 })
    return made.number
  })
  const stored = volume.storeExtents([bytes], { offset: 0 })
  const extents: Extent[] = []
  for await (const some of stored) extents.push(...some)
  await volume.update(transaction => {
    return transaction.setExtents(inode, { from: 0, to: bytes.length, extents, size: bytes.length })
  })
  stored.done()
  await volume.sync()
  const alice = await hood.addWith(store, { linksWithin })
  const { bob, open, reader } = await addReader(context, [alice])
  const snapshot = new TreeSnapshot(open(volume.head!.root), reader)
  const found = await elapsed(clock, snapshot.inode(inode))
  // As if it stood in another leaf than the record, which in a tree so small it does not.
  const remote = new TreeSnapshot(open(volume.head!.root), reader)
  await bob.exchange.reader().flush()
  await bob.store.deleteMany([volume.head!.root])
  const range = { offset: 300_000, length: 64 * 1024 }
  const read = await elapsed(clock, collect(remote.read(found.result!, range)))
  assert.deepEqual(Buffer.concat(read.result), bytes.subarray(300_000, 300_000 + 64 * 1024))
  assert.ok(read.ms < 1.5 * ROUND_TRIP_MS, `${read.ms} ms`)
  const [{ blocksIn } = { blocksIn: 0 }] = bob.exchange.transfers()
  assert.ok(blocksIn <= 4, `${blocksIn} blocks: the node twice, and those of the range`)
  await volume.close()
})

test('a source that lies, is silent, refuses or lacks half of it costs little', async context => {
  const { clock, hood, store, tree } = context
  const odd: [string, CallHandler, number][] = [
    [
      'lies',
      async function* () {
        const bytes = new Uint8Array(100)
        yield encodeAnswer([100], { payload: [bytes] })
      },
      5 * ROUND_TRIP_MS
    ],
    [
      'is silent',
      async function* (_, { signal }) {
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        yield encodeAnswer([0], { payload: [] })
      },
      STALL_MS + 6 * ROUND_TRIP_MS
    ],
    [
      'sends the root and then nothing',
      async function* (_, { signal }) {
        const root = (await store.get(tree.root))!
        yield encodeAnswer([root.length], { payload: [root] })
        await new Promise(resolve => signal.addEventListener('abort', resolve))
      },
      STALL_MS + 6 * ROUND_TRIP_MS
    ],
    [
      'ends after the root',
      async function* () {
        const root = (await store.get(tree.root))!
        yield { ...encodeAnswer([root.length], { payload: [root] }), last: true }
      },
      6 * ROUND_TRIP_MS
    ],
    [
      'has nothing',
      async function* () {
        yield { ...encodeAnswer([MISSING], { payload: [] }), last: true }
      },
      6 * ROUND_TRIP_MS
    ]
  ]
  odd.push(['cannot read nodes', createBlocksHandler(store), 6 * ROUND_TRIP_MS])
  for (const [what, handler, msMax] of odd) {
    const liar = await hood.addLiar(answering(store, handler))
    const alice = await hood.addWith(store, { linksWithin })
    const { open } = await addReader(context, [{ peer: liar }, alice])
    const { result, ms } = await elapsed(clock, open(tree.root).get(keyOf(77)))
    assert.deepEqual(result?.value, Uint8Array.of(77), what)
    assert.ok(ms <= msMax, `one that ${what}: ${ms} ms`)
  }
})

test('nobody can make a descent bring more than was asked for', async context => {
  const { clock, hood, store, tree } = context
  let sent = 0
  const all = createBlocksHandler(store, { linksWithin })
  // Sends the whole tree where one way down was wanted.
  const flood: CallHandler = async function* (request, { from, signal }) {
    const { root, ...body } = request.body as { root: Uint8Array; within?: unknown }
    delete body.within
    for await (const message of all({ ...request, body: { ...body, root } }, { from, signal })) {
      sent++
      yield message
    }
  }
  const liar = await hood.addLiar(answering(store, flood))
  const alice = await hood.addWith(store, { linksWithin })
  const { bob, open } = await addReader(context, [{ peer: liar }, alice])
  const { result } = await elapsed(clock, open(tree.root).get(keyOf(ENTRIES - 2)))
  assert.deepEqual(result?.value, Uint8Array.of((ENTRIES - 2) & 255))
  assert.ok(sent > 0)
  await bob.exchange.reader().flush()
  assert.ok(bob.store.usage().blocks <= 6, `${bob.store.usage().blocks} blocks were kept`)
})

test('giving up a descent, and stopping, end what waits', async context => {
  const { clock, hood, tree } = context
  const silent = await hood.addLiar(async function* (_, { signal }) {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    yield encodeAnswer([0], { payload: [] })
  })
  const { bob, open } = await addReader(context, [{ peer: silent }])
  const controller = new AbortController()
  const given = open(tree.root).get(keyOf(1), { signal: controller.signal })
  given.catch(() => {})
  await clock.advance(10)
  controller.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  const waiting = open(tree.root).get(keyOf(1))
  const failed = waiting.then(
    () => undefined,
    (error: unknown) => error
  )
  await clock.advance(10)
  await elapsed(clock, bob.exchange.stop())
  const { result } = await elapsed(clock, failed)
  assert.ok(isWarrenError(result, 'ECONNRESET'), String(result))
})

test('names of a sealed volume are not told to those who send its nodes', async () => {
  const seen: (GetOptions | undefined)[] = []
  const inner = {
    get: async (_: unknown, options?: GetOptions) => {
      seen.push(options)
      return new Uint8Array(0)
    },
    getMany: () => {
      throw new Error('not asked for')
    }
  }
  const sealing = new Sealing()
  const reader = createDecodingReader(inner, sealing)
  const descent = { from: keyOf(1), to: keyOf(2), data: true }
  const id = (await createVolumeFixture()).volume.head!.root
  await reader.get(id, { descent })
  assert.equal(seen[0]?.descent, descent)
  sealing.add(createReadKey())
  await reader.get(id, { descent }).catch(() => {})
  assert.equal(seen[1]?.descent, undefined)
})

test('links within a range: children and data of it, none of what is no node', async ({
  store,
  tree
}) => {
  const range = { from: keyOf(10), to: keyOf(11) }
  const links = linksWithin((await store.get(tree.root))!, range, { nodesOnly: true })
  assert.equal(links.length, 1)
  const whole = { from: new Uint8Array(0), to: new Uint8Array(1025).fill(255) }
  const all = linksWithin((await store.get(tree.root))!, whole, { nodesOnly: true })
  assert.equal(all.length, decodeNode((await store.get(tree.root))!).count)
  for (const bytes of [new Uint8Array(0), Uint8Array.of(0x83, 2, 0x80, 0x40), new Uint8Array(99)]) {
    assert.deepEqual(linksWithin(bytes, whole, { nodesOnly: false }), [])
  }
})

test.run()
