/** The half that answers, asked by the half that asks, over one connection. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import { createMemoryBlockStore } from '../../../src/blocks/memory-block-store.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { fetchBlocks } from '../../../src/blocks/exchange/fetch-blocks.ts'
import type { FetchedBlock } from '../../../src/blocks/exchange/fetch-blocks.ts'
import {
  MESSAGE_BYTES,
  READ_AHEAD_BYTES,
  WANTS_QUEUED_PER_PEER_MAX,
  WANTS_SERVED_PER_PEER_MAX
} from '../../../src/blocks/exchange/limits.ts'
import { BLOCKS_PROTOCOL, encodeWant } from '../../../src/blocks/exchange/messages.ts'
import { createBlocksHandler } from '../../../src/blocks/exchange/serve-blocks.ts'
import { SubtreeWalk } from '../../../src/blocks/exchange/subtree-walk.ts'
import type { IncomingMessage, PeerId } from '../../../src/peer/index.ts'
import { Neighbourhood, collect, makeBlocks, makeNode } from './exchange-fixtures.ts'
import type { Neighbour } from './exchange-fixtures.ts'

const test = suite<{ hood: Neighbourhood }>('block exchange: serving')
test.before.each(context => {
  context.hood = new Neighbourhood()
})
test.after.each(context => context.hood.stop())

async function pair(
  hood: Neighbourhood,
  blocks: readonly Block[]
): Promise<[Neighbour, Neighbour]> {
  const [alice, bob] = [await hood.add(blocks), await hood.add()]
  await hood.introduce(alice.peer, bob.peer)
  return [alice, bob]
}

function idsOf(batches: readonly (readonly FetchedBlock[])[]): BlockId[] {
  return batches.flat().map(({ id }) => id)
}

test('small blocks come many in a message, big ones alone', async ({ hood }) => {
  const small = await makeBlocks(200, 4096)
  const big = await makeBlocks(3, 512 * 1024, 2)
  const [alice, bob] = await pair(hood, [...small, ...big])
  const ids = [...small, ...big].map(({ id }) => id)
  const messages = await collect(
    bob.peer.call(alice.id, BLOCKS_PROTOCOL, encodeWant({ kind: 'blocks', ids }))
  )
  assert.ok(messages.length <= 10, `${messages.length} messages`)
  for (const { payload } of messages) {
    assert.ok(payload.length <= MESSAGE_BYTES || payload.length === 512 * 1024)
  }
})

test('missing blocks are named as such, in order', async ({ hood }) => {
  const blocks = await makeBlocks(10, 1000)
  const [alice, bob] = await pair(hood, blocks.slice(0, 5))
  const ids = blocks.map(({ id }) => id)
  const fetched = (await collect(fetchBlocks(bob.peer, alice.id, { kind: 'blocks', ids }))).flat()
  assert.deepEqual(
    fetched.map(({ id }) => id),
    ids
  )
  assert.deepEqual(
    fetched.map(({ bytes }) => bytes?.length),
    [1000, 1000, 1000, 1000, 1000, undefined, undefined, undefined, undefined, undefined]
  )
})

test('blocks that may not be served are missing', async ({ hood }) => {
  const blocks = await makeBlocks(3, 1000)
  const asked: [BlockId, PeerId][] = []
  const alice = await hood.add(blocks, {
    mayServe: (id, to) => {
      asked.push([id, to])
      return id !== blocks[1]!.id
    }
  })
  const bob = await hood.add()
  await hood.introduce(alice.peer, bob.peer)
  const ids = blocks.map(({ id }) => id)
  const fetched = (await collect(fetchBlocks(bob.peer, alice.id, { kind: 'blocks', ids }))).flat()
  assert.deepEqual(
    fetched.map(({ bytes }) => bytes !== undefined),
    [true, false, true]
  )
  assert.deepEqual(
    asked,
    ids.map(id => [id, bob.id])
  )
})

/** Two levels of nodes over raw blocks; all blocks in the order of the walk. */
async function makeTree(leaves: number): Promise<{ root: BlockId; blocks: Block[] }> {
  const below: Block[] = []
  const children: BlockId[] = []
  for (let leaf = 0; leaf < leaves; leaf++) {
    const data = await makeBlocks(5, 3000, leaf + 1)
    const node = await makeNode(
      data.map(({ id }) => id),
      leaf
    )
    children.push(node.id)
    below.push(node, ...data)
  }
  const root = await makeNode(children, 1000)
  return { root: root.id, blocks: [root, ...below] }
}

test('a subtree comes in the order of the walk', async ({ hood }) => {
  const { root, blocks } = await makeTree(60)
  const [alice, bob] = await pair(hood, blocks)
  const want = { kind: 'subtree', root } as const
  const fetched = await collect(fetchBlocks(bob.peer, alice.id, want))
  assert.deepEqual(
    idsOf(fetched),
    blocks.map(({ id }) => id)
  )
  const nodesOnly = await collect(fetchBlocks(bob.peer, alice.id, { ...want, nodesOnly: true }))
  assert.equal(idsOf(nodesOnly).length, 61)
})

test('a subtree can be fetched in parts', async ({ hood }) => {
  const { root, blocks } = await makeTree(40)
  const [alice, bob] = await pair(hood, blocks)
  const fetched: FetchedBlock[] = []
  let parts = 0
  for (let more = true; more; parts++) {
    more = false
    const walk = new SubtreeWalk(root)
    for (const { bytes } of fetched) walk.enter(walk.next()!, bytes!)
    const want = { kind: 'subtree', root, after: fetched.length, bytesMax: 100_000 } as const
    const onCut = (): void => {
      more = true
    }
    const batches = await collect(fetchBlocks(bob.peer, alice.id, want, { walk, onCut }))
    fetched.push(...batches.flat())
  }
  assert.deepEqual(
    fetched.map(({ id }) => id),
    blocks.map(({ id }) => id)
  )
  assert.ok(parts >= 6, `${parts} parts`)
})

test('a node missing in the part left out is said so', async ({ hood }) => {
  const { root, blocks } = await makeTree(3)
  const [alice, bob] = await pair(hood, [blocks[0]!, ...blocks.slice(2)])
  const want = { kind: 'subtree', root, after: 4 } as const
  const walk = new SubtreeWalk(root)
  await assert.rejects(collect(fetchBlocks(bob.peer, alice.id, want, { walk })), error =>
    isWarrenError(error, 'ENOENT')
  )
})

test('a want that breaks the rules is refused', async ({ hood }) => {
  const [alice, bob] = await pair(hood, [])
  await assert.rejects(
    collect(bob.peer.call(alice.id, BLOCKS_PROTOCOL, { body: { want: 'all' } })),
    error => isWarrenError(error, 'EPROTO')
  )
})

/** Calls the handler as the peer layer would, without one. */
function serving(blocks: { get(id: BlockId): Promise<Uint8Array | undefined> }): {
  ask: (ids: readonly BlockId[], from?: string) => AsyncIterator<unknown>
  cancel: () => void
} {
  const handler = createBlocksHandler(blocks, { readAheadBytesMax: 4 * READ_AHEAD_BYTES })
  let controller = new AbortController()
  return {
    ask: (ids, from = 'bob') => {
      const { body, payload } = encodeWant({ kind: 'blocks', ids })
      const request: IncomingMessage = { body, payload: payload![0]! }
      const context = { from: from as PeerId, signal: controller.signal }
      return handler(request, context)[Symbol.asyncIterator]()
    },
    /** Cancels what was asked so far. */
    cancel: () => {
      controller.abort()
      controller = new AbortController()
    }
  }
}

test('a peer that takes nothing makes us hold little', async () => {
  const blocks = await makeBlocks(64, 1024 * 1024)
  const store = createMemoryBlockStore()
  await store.putMany(blocks)
  let reads = 0
  const counting = { get: (id: BlockId) => (reads++, store.get(id)) }
  const { ask } = serving(counting)
  const answers = Array.from({ length: 8 }, () => ask(blocks.map(({ id }) => id)))
  await Promise.all(answers.map(answer => answer.next()))
  await new Promise(resolve => setTimeout(resolve, 20))
  // The budget is 8 MiB for all, beside the message under way and the next block of each want.
  assert.ok(reads <= 8 + 2 * 8, `${reads} blocks were read`)
  const other = ask(
    blocks.map(({ id }) => id),
    'carol'
  )
  assert.equal((await other.next()).done, false)
  for (const answer of [...answers, other]) await answer.return?.()
  reads = 0
  const next = ask(blocks.map(({ id }) => id))
  await next.next()
  await next.next()
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.ok(reads > 2, 'the memory was given back')
  await next.return?.()
})

test('more wants of a peer than may wait are refused, of others they are served', async () => {
  const [block] = await makeBlocks(1, 10)
  const gate = Promise.withResolvers<Uint8Array>()
  const { ask } = serving({ get: () => gate.promise })
  const most = WANTS_SERVED_PER_PEER_MAX + WANTS_QUEUED_PER_PEER_MAX
  const wants = Array.from({ length: most }, () => collectFrom(ask([block!.id])))
  await assert.rejects(collectFrom(ask([block!.id])), error => isWarrenError(error, 'EBUSY'))
  const other = collectFrom(ask([block!.id], 'carol'))
  gate.resolve(block!.bytes)
  assert.equal((await other).length, 1)
  for (const want of wants) assert.equal((await want).length, 1)
  assert.equal((await collectFrom(ask([block!.id]))).length, 1)
})

test('wants that are cancelled while they wait leave their place', async () => {
  const [block] = await makeBlocks(1, 10)
  const gate = Promise.withResolvers<Uint8Array>()
  const { ask, cancel } = serving({ get: () => gate.promise })
  const most = WANTS_SERVED_PER_PEER_MAX + WANTS_QUEUED_PER_PEER_MAX
  const wants = Array.from({ length: most }, () => collectFrom(ask([block!.id])))
  cancel()
  const later = Array.from({ length: WANTS_QUEUED_PER_PEER_MAX }, () => {
    return collectFrom(ask([block!.id]))
  })
  gate.resolve(block!.bytes)
  for (const want of wants) await assert.rejects(want, { name: 'AbortError' })
  for (const want of later) assert.equal((await want).length, 1)
})

async function collectFrom(answer: AsyncIterator<unknown>): Promise<unknown[]> {
  const messages: unknown[] = []
  for (let step = await answer.next(); step.done !== true; step = await answer.next()) {
    messages.push(step.value)
  }
  return messages
}

test.run()
