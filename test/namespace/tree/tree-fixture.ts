/**
 * What the tests of the tree share: a store, a reader that counts and can be made to fail, keys
 * and entries, and a walk that checks every promise about the shape of a stored tree.
 */
import assert from 'node:assert/strict'
import type { Block, BlockId, BlockReader, BlockStore } from '../../../src/blocks/index.ts'
import {
  createBlock,
  createLocalReader,
  createMemoryBlockStore
} from '../../../src/blocks/index.ts'
import { createTree } from '../../../src/namespace/tree/create-tree.ts'
import { InnerNode } from '../../../src/namespace/tree/inner-node.ts'
import { compareKeys } from '../../../src/namespace/tree/keys.ts'
import { sizeOf } from '../../../src/namespace/tree/limits.ts'
import type { Link } from '../../../src/namespace/tree/link.ts'
import type { NodeCache } from '../../../src/namespace/tree/node-cache.ts'
import { createNodeCache } from '../../../src/namespace/tree/node-cache.ts'
import { decodeNode } from '../../../src/namespace/tree/node.ts'
import type {
  Change,
  ScanOptions,
  ScanRange,
  Tree,
  TreeEntry
} from '../../../src/namespace/tree/tree.ts'

/** No node is over this, with the largest entries there may be. */
export const NODE_BYTES_EVER: number = 160 * 1024

export interface Counts {
  gets: number
  streams: number
  /** Blocks read either way. */
  blocks: number
}

export interface TreeFixture {
  readonly store: BlockStore
  readonly reader: BlockReader
  readonly counts: Counts
  cache: NodeCache
  /** What is called before each block is handed out; may throw. */
  onRead: (id: BlockId) => void | Promise<void>
  /** A tree that finds nothing in the cache. */
  open(root?: BlockId): Tree
}

/** Room for every node of these tests: what is fetched again is then for another reason. */
const CACHE_BYTES: number = 64 * 1024 * 1024

export function createFixture(): TreeFixture {
  const store = createMemoryBlockStore()
  const local = createLocalReader(store)
  const counts: Counts = { gets: 0, streams: 0, blocks: 0 }
  const handOut = async (id: BlockId): Promise<void> => {
    counts.blocks++
    await fixture.onRead(id)
  }
  const reader: BlockReader = {
    async get(id, options) {
      counts.gets++
      await handOut(id)
      return local.get(id, options)
    },
    async *getMany(ids, options): AsyncGenerator<Block> {
      counts.streams++
      for await (const block of local.getMany(ids, options)) {
        await handOut(block.id)
        yield block
      }
    }
  }
  const fixture: TreeFixture = {
    store,
    reader,
    counts,
    cache: createNodeCache({ bytesMax: CACHE_BYTES }),
    onRead: () => {},
    open(root) {
      fixture.cache = createNodeCache({ bytesMax: CACHE_BYTES })
      return createTree({ reader, cache: fixture.cache }, root)
    }
  }
  return fixture
}

/** The key of a number; keys sort as numbers do. */
export function numberKey(number: number, length = 8): Uint8Array {
  const key = new Uint8Array(length)
  new DataView(key.buffer).setUint32(length - 4, number)
  return key
}

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

/** An id that no block has. */
export async function danglingId(seed: number): Promise<BlockId> {
  return (await createBlock('raw', numberKey(seed))).id
}

export function set(key: Uint8Array, value: Uint8Array): Change {
  return { key, value }
}

export function remove(key: Uint8Array): Change {
  return { key, value: undefined }
}

/** Ascending entries of `valueBytes` each. */
export function run(from: number, count: number, valueBytes = 100): Change[] {
  return Array.from({ length: count }, (_, index) => {
    const value = new Uint8Array(valueBytes).fill(from + index)
    return set(numberKey(from + index), value)
  })
}

export async function collect(
  tree: Tree,
  range: ScanRange = {},
  options?: ScanOptions
): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  for await (const batch of tree.scan(range, options)) {
    assert.ok(batch.length > 0)
    entries.push(...batch)
  }
  return entries
}

export interface Shape {
  readonly levels: number
  readonly leaves: number
  readonly inners: number
  readonly entries: number
  /** Content of all leaves. */
  readonly leafBytes: number
}

/**
 * What becomes small while it is its parent's only child has nobody to be joined with, and stays so
 * when the parent is joined itself, until something below it changes again. That is rare.
 */
const SMALL_NODES_MAX = 2

/** Walks a stored tree and checks that every node is where and as it should be. */
export async function checkShape(store: BlockStore, root: BlockId): Promise<Shape> {
  const shape = { levels: 0, leaves: 0, inners: 0, entries: 0, leafBytes: 0, small: 0 }
  let last: Uint8Array | undefined
  const visit = async (id: BlockId, level: number | undefined): Promise<void> => {
    const bytes = await store.get(id)
    assert.ok(bytes, `block ${id} is stored`)
    assert.ok(bytes.length <= NODE_BYTES_EVER, `node of ${bytes.length} bytes`)
    const node = decodeNode(bytes)
    if (level === undefined) shape.levels = node.level + 1
    else {
      assert.equal(node.level, level)
      if (node.contentBytes < sizeOf(node).low) shape.small++
      assert.ok(shape.small <= SMALL_NODES_MAX, `node of ${node.contentBytes} bytes only`)
    }
    if (node instanceof InnerNode) {
      shape.inners++
      for (const [index, child] of node.children.entries()) {
        if (index > 0) assert.ok(last !== undefined && compareKeys(last, node.lower(index)) < 0)
        const from = shape.entries
        await visit((child as Link).id, node.level - 1)
        assert.ok(shape.entries > from)
      }
      return
    }
    shape.leaves++
    shape.leafBytes += node.contentBytes
    for (const { key } of node.entries()) {
      assert.ok(last === undefined || compareKeys(last, key) < 0)
      last = key
      shape.entries++
    }
  }
  await visit(root, undefined)
  return shape
}
