/** Every block a tree is made of and points to: what a collector keeps and a replica copies. */
import type { BlockId, StoreOptions } from '../../blocks/index.ts'
import type { TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import type { Leaf } from './leaf.ts'
import { PackedLeaf } from './leaf.ts'
import type { Link } from './link.ts'
import { loadEach } from './load-each.ts'
import type { LoadOptions, NodeSource, Place } from './node-source.ts'
import { placedChild, rootPlace } from './node-source.ts'

export interface ReachableOptions extends StoreOptions {
  readonly enter?: (id: BlockId) => boolean
}

export async function* reachableFrom(
  source: NodeSource,
  root: Link,
  options: ReachableOptions = {}
): AsyncGenerator<readonly BlockId[]> {
  yield [root.id]
  if (options.enter?.(root.id) === false) return
  const node = await source.load(root, options)
  yield* below(source, node, rootPlace(node), options)
}

async function* below(
  source: NodeSource,
  node: TreeNode,
  place: Place,
  options: ReachableOptions
): AsyncGenerator<readonly BlockId[]> {
  options.signal?.throwIfAborted()
  if (!(node instanceof InnerNode)) {
    const ids = linkedIds(node)
    if (ids.length > 0) yield ids
    return
  }
  const placed = node.children.map((_, index) => placedChild(node, index, place))
  // Flushed trees only: every child is a link.
  yield placed.map(({ child }) => (child as Link).id)
  const entered = placed.filter(({ child }) => options.enter?.((child as Link).id) !== false)
  if (node.level > 1) {
    for (const child of entered) {
      yield* below(source, await source.loadPlaced(child, options), child.place, options)
    }
    return
  }
  const load: LoadOptions = { ...options, keep: false }
  for await (const leaf of loadEach(source, entered, load)) {
    yield* below(source, leaf, place, options)
  }
}

function linkedIds(leaf: Leaf): BlockId[] {
  if (leaf instanceof PackedLeaf) return leaf.links().map(({ id }) => id)
  return leaf.entries().flatMap(({ link }) => (link === undefined ? [] : [link.id]))
}
