/**
 * Where a tree gets its nodes: from memory when they are no blocks yet, from the cache, or from a
 * reader. Everything that comes from a block is checked against the place it was reached from.
 */
import type { BlockReader, StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { compareKeys } from './keys.ts'
import { Link } from './link.ts'
import type { NodeCache } from './node-cache.ts'
import { decodeOwned } from './node-cache.ts'
import type { StoredNode } from './node.ts'

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

export interface LoadOptions extends StoreOptions {
  /** False for a walk over more than the cache should be asked to hold. Default true. */
  readonly keep?: boolean
}

export class NodeSource {
  readonly reader: BlockReader
  readonly cache: NodeCache

  constructor(reader: BlockReader, cache: NodeCache) {
    this.reader = reader
    this.cache = cache
  }

  /** The node, when it is in memory. Its place is not checked. */
  peek(child: Child): TreeNode | undefined {
    return child instanceof Link ? this.cache.peek(child.id) : child
  }

  /** The node, its place not checked: for the root, and for lookups, which check what they find. */
  async load(child: Child, options?: StoreOptions): Promise<TreeNode> {
    return this.peek(child) ?? this.cache.read(this.reader, (child as Link).id, options)
  }

  async loadPlaced({ child, place }: PlacedChild, options?: StoreOptions): Promise<TreeNode> {
    const node = await this.load(child, options)
    return child instanceof Link ? checkPlace(node, place) : node
  }

  /**
   * Every node in the order asked, the missing ones as one stream from the reader. Stop early by
   * `return`, as `for await` does.
   */
  async *loadEach(
    children: readonly PlacedChild[],
    options?: LoadOptions
  ): AsyncGenerator<TreeNode> {
    const missing = children.filter(placed => this.#isMissing(placed.child))
    if (missing.length < 2) {
      for (const placed of children) yield this.loadPlaced(placed, options)
      return
    }
    const asked = new Set(missing)
    const stream = this.reader
      .getMany(
        missing.map(({ child }) => (child as Link).id),
        options
      )
      [Symbol.asyncIterator]()
    try {
      for (const placed of children) {
        const node = asked.has(placed)
          ? checkPlace(await this.#receive(stream, placed.child as Link, options), placed.place)
          : await this.loadPlaced(placed, options)
        yield node
      }
    } finally {
      await stream.return?.()
    }
  }

  #isMissing(child: Child): boolean {
    if (!(child instanceof Link)) return false
    return this.peek(child) === undefined && !this.cache.isReading(this.reader, child.id)
  }

  async #receive(
    stream: AsyncIterator<{ readonly id: string; readonly bytes: Uint8Array }>,
    link: Link,
    options: LoadOptions | undefined
  ): Promise<StoredNode> {
    const next = await stream.next()
    options?.signal?.throwIfAborted()
    if (next.done === true || next.value.id !== link.id) {
      throw new WarrenError('EIO', { message: `the reader did not answer with block ${link.id}` })
    }
    const cached = this.cache.peek(link.id)
    if (cached !== undefined) return cached
    const node = decodeOwned(next.value.bytes)
    if (options?.keep !== false) this.cache.put(link.id, node)
    return node
  }
}

/** The place of a child of a node at `place`. */
export function placeOf(node: InnerNode, index: number, place: Place): Place {
  return {
    level: node.level - 1,
    lower: index === 0 ? place.lower : node.lower(index),
    upper: index + 1 < node.count ? node.lower(index + 1) : place.upper
  }
}

/** Children `from` to `to` (exclusive) of a node at `place`. */
export function placedChildren(
  node: InnerNode,
  place: Place,
  range: { readonly from: number; readonly to: number }
): PlacedChild[] {
  const placed: PlacedChild[] = []
  for (let index = range.from; index < range.to; index++) {
    placed.push({ child: node.child(index), place: placeOf(node, index, place) })
  }
  return placed
}

/** The place of a root, once it is there to be asked for its level. */
export function rootPlace(node: TreeNode): Place {
  return { level: node.level, lower: undefined, upper: undefined }
}

/**
 * Throws `EPROTO` unless the node can stand there. Levels that fall by one at each step are what
 * makes every walk end; keys within bounds are what makes every scan ascend.
 */
export function checkPlace(node: TreeNode, { level, lower, upper }: Place): TreeNode {
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
