/**
 * Where a tree gets its nodes: from memory when they are no blocks yet, from the cache, or from a
 * reader. Everything that comes from a block is checked against the place it was reached from.
 */
import type { Block, BlockEncoding, BlockReader, GetOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { compareKeys } from './keys.ts'
import { Link } from './link.ts'
import type { NodeCache } from './node-cache.ts'
import { decodeOwned } from './node-cache.ts'

/** Where a child stands: its level, and the keys that may be below it (`lower` inclusive, `upper` exclusive; undefined: no bound). */
export interface Place {
  readonly level: number
  readonly lower: Uint8Array | undefined
  readonly upper: Uint8Array | undefined
}

export interface PlacedChild {
  readonly child: Child
  readonly place: Place
}

export interface LoadOptions extends GetOptions {
  /** False for a walk over more than the cache should be asked to hold. Default true. */
  readonly keep?: boolean
}

export interface NodeSourceComponents {
  /** Gives nodes as they are before they are encoded. */
  readonly reader: BlockReader
  /** Shared by all trees of a peer. */
  readonly cache: NodeCache
  /** How nodes are stored. Default: as they are. */
  readonly encoding?: BlockEncoding | undefined
}

export class NodeSource {
  readonly reader: BlockReader
  readonly cache: NodeCache
  readonly encoding: BlockEncoding | undefined

  constructor({ reader, cache, encoding }: NodeSourceComponents) {
    this.reader = reader
    this.cache = cache
    this.encoding = encoding
  }

  /** The node, when it is in memory. Its place is not checked. */
  peek(child: Child): TreeNode | undefined {
    return child instanceof Link ? this.cache.peek(child.id, this.encoding) : child
  }

  /** The node, its place not checked: for the root, and for lookups, which check what they find. */
  async load(child: Child, options?: GetOptions): Promise<TreeNode> {
    return this.peek(child) ?? this.cache.read(this, (child as Link).id, options)
  }

  async loadPlaced({ child, place }: PlacedChild, options?: GetOptions): Promise<TreeNode> {
    const node = await this.load(child, options)
    return child instanceof Link ? checkPlace(node, place) : node
  }

  /** True when the node has to be fetched, and nobody is fetching it yet. */
  isMissing(child: Child): child is Link {
    if (!(child instanceof Link)) return false
    return this.peek(child) === undefined && !this.cache.isReading(this.reader, child.id)
  }

  /** Takes the block that a stream from the reader brought for a child. */
  receive(
    { child, place }: PlacedChild,
    block: Block | undefined,
    options?: LoadOptions
  ): TreeNode {
    const { id } = child as Link
    if (block?.id !== id) {
      throw new WarrenError('EIO', { message: `the reader did not answer with block ${id}` })
    }
    const cached = this.cache.peek(id, this.encoding)
    if (cached !== undefined) return checkPlace(cached, place)
    const node = checkPlace(decodeOwned(block.bytes), place)
    if (options?.keep !== false) this.cache.put(id, node, this.encoding)
    return node
  }
}

/** A child of a node at `place`. */
export function placedChild(node: InnerNode, index: number, place: Place): PlacedChild {
  const lower = index === 0 ? place.lower : node.lower(index)
  const upper = index + 1 < node.count ? node.lower(index + 1) : place.upper
  return { child: node.child(index), place: { level: node.level - 1, lower, upper } }
}

/** The place of a root, once it is there to be asked for its level. */
export function rootPlace(node: TreeNode): Place {
  return { level: node.level, lower: undefined, upper: undefined }
}

/**
 * Throws `EPROTO` unless the node can stand there. Levels that fall by one at each step are what
 * makes every walk end; keys within bounds are what makes every scan ascend.
 */
export function checkPlace<Node extends TreeNode>(
  node: Node,
  { level, lower, upper }: Place
): Node {
  if (node.level !== level) refuse(`level ${node.level} where ${level} is expected`)
  if (node.count === 0) refuse('an empty leaf below the root')
  const [first, last] =
    node instanceof InnerNode
      ? [node.lower(1), node.lower(node.count - 1)]
      : [node.key(0), node.key(node.count - 1)]
  if (lower !== undefined && compareKeys(first, lower) < 0) refuse('keys before its lower bound')
  if (upper !== undefined && compareKeys(last, upper) >= 0) refuse('keys beyond its upper bound')
  return node
}

function refuse(message: string): never {
  throw new WarrenError('EPROTO', { message: `tree node: ${message}` })
}
