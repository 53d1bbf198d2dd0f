import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../../src/errors.ts'
import type { Block } from '../../../src/blocks/block.ts'
import type { BlockId } from '../../../src/blocks/block-id.ts'
import { SUBTREE_DEPTH_MAX, SUBTREE_LINKS_MAX } from '../../../src/blocks/exchange/limits.ts'
import { SubtreeWalk } from '../../../src/blocks/exchange/subtree-walk.ts'
import { encodeNode, makeBlocks, makeNode } from './exchange-fixtures.ts'

const test = suite('block exchange: order of a subtree')

/** Walks to the end over the blocks given; the others are missing. */
function walkAll(walk: SubtreeWalk, blocks: readonly Block[]): BlockId[] {
  const bytesOf = new Map(blocks.map(({ id, bytes }) => [id, bytes]))
  const order: BlockId[] = []
  for (let id = walk.next(); id !== undefined; id = walk.next()) {
    order.push(id)
    const bytes = bytesOf.get(id)
    if (bytes !== undefined) walk.enter(id, bytes)
  }
  return order
}

test('parents first, depth first, links in order, each block once', async () => {
  const data = await makeBlocks(4, 100)
  const [a, b, c, d] = data.map(({ id }) => id) as [BlockId, BlockId, BlockId, BlockId]
  const left = await makeNode([a, b, a], 1)
  const right = await makeNode([b, c], 2)
  const root = await makeNode([d, left.id, right.id, left.id], 3)
  const all = [root, left, right, ...data]
  const order = walkAll(new SubtreeWalk(root.id), all)
  assert.deepEqual(order, [root.id, d, left.id, a, b, right.id, c])
  const nodes = walkAll(new SubtreeWalk(root.id, { nodesOnly: true }), all)
  assert.deepEqual(nodes, [root.id, left.id, right.id])
  const withoutLeft = walkAll(new SubtreeWalk(root.id), [root, right])
  assert.deepEqual(withoutLeft, [root.id, d, left.id, right.id, b, c])
})

test('a raw root is a subtree of one, and so is a block that is no node', async () => {
  const [raw] = await makeBlocks(1, 50)
  assert.deepEqual(walkAll(new SubtreeWalk(raw!.id, { nodesOnly: true }), [raw!]), [raw!.id])
  const root = await makeNode([], 1)
  const odd = { id: root.id, bytes: Uint8Array.of(1, 2, 3) }
  assert.deepEqual(walkAll(new SubtreeWalk(root.id), [odd]), [root.id])
})

test('what comes next is known as far as the next nodes', async () => {
  const data = (await makeBlocks(3, 10)).map(({ id }) => id)
  const nodes = await Promise.all([1, 2, 3].map(body => makeNode([], body)))
  const links = [data[0]!, nodes[0]!.id, data[1]!, nodes[1]!.id, nodes[2]!.id, data[2]!]
  const root = await makeNode(links, 9)
  const walk = new SubtreeWalk(root.id)
  assert.deepEqual(walk.upcoming(10, 2), [root.id])
  walk.next()
  walk.enter(root.id, root.bytes)
  assert.deepEqual(walk.upcoming(3, 10), links.slice(0, 3))
  assert.deepEqual(walk.upcoming(10, 2), links.slice(0, 4))
  walk.next()
  assert.deepEqual(walk.upcoming(10, 10), links.slice(1))
})

test('a chain of nodes ends at the depth limit', async () => {
  const { id } = await makeNode([], 1)
  const walk = new SubtreeWalk(id)
  const ids = (await makeChain(SUBTREE_DEPTH_MAX)).toReversed()
  let depth = 0
  assert.throws(
    () => {
      for (const node of ids) {
        walk.next()
        walk.enter(node.id, node.bytes)
        depth++
      }
    },
    error => isWarrenError(error, 'EFBIG')
  )
  assert.equal(depth, SUBTREE_DEPTH_MAX - 1)
})

async function makeChain(length: number): Promise<Block[]> {
  const chain = [await makeNode([], 0)]
  for (let i = 1; i <= length; i++) chain.push(await makeNode([chain.at(-1)!.id], i))
  return chain
}

test('a bomb of wide nodes ends at the limit of links', async () => {
  const { id } = await makeNode([], 1)
  const wide = encodeNode(
    Array.from({ length: 20_000 }, () => id),
    5
  )
  let entered = 0
  const walk = new SubtreeWalk(id)
  walk.next()
  assert.throws(
    () => {
      for (;;) {
        walk.enter(id, wide)
        entered++
      }
    },
    error => isWarrenError(error, 'EFBIG')
  )
  assert.equal(entered, Math.floor((SUBTREE_LINKS_MAX - 1) / 20_000))
})

test.run()
