/**
 * Makes the nodes of a version known, and gets those that are not here. What another version has
 * in common with it, and is known as a whole, is neither read nor walked: what an edit costs is the
 * few nodes that it made.
 */
import { SUBTREE_DEPTH_MAX, codecOf, readNodeLinks } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { pullBlocks } from './pull-blocks.ts'
import type { PullComponents, Wanted } from './pull-blocks.ts'

export interface LoadTreeComponents extends Pick<PullComponents, 'prepare' | 'get'> {
  readonly blocks: HeldBlocks
  /** Told of each node that was read. */
  readonly onNode: (node: number, bytes: Uint8Array) => Promise<void>
  /** A node could not be got. */
  readonly onFailure: (node: Wanted, error: unknown) => void
}

/**
 * Throws what the first node that cannot be got failed with, after it has got all others that it
 * knows of; `EFBIG` for a tree that is deeper than anything honest, and what `onNode` throws. What
 * was loaded before is not loaded again when it is called once more.
 */
export async function loadTree(components: LoadTreeComponents, root: number): Promise<void> {
  const { blocks, prepare, get, onNode } = components
  const order = new LoadOrder(blocks, root)
  let failure: { readonly error: unknown } | undefined
  await pullBlocks({
    next: () => order.next(),
    prepare,
    get,
    onBlock: async ({ block }, bytes) => {
      const links = linksOf(bytes)
      const children = links.filter(isNodeId).map(id => blocks.add(id))
      blocks.load(block, children, children.length < links.length)
      order.enter(block)
      await onNode(block, bytes)
      await shareEventLoop()
    },
    onFailure: (node, error) => {
      components.onFailure(node, error)
      failure ??= { error }
    }
  })
  if (failure !== undefined) throw failure.error
  for (const node of order.seen) blocks.complete(node)
}

/** Depth first, in the order of links, as far as what comes next is known. */
class LoadOrder {
  /** Every node that this walk has met, but for those that were known as a whole. */
  readonly seen = new Set<number>()
  readonly #blocks: HeldBlocks
  readonly #pending: { readonly node: number; readonly depth: number }[]
  readonly #depths = new Map<number, number>()

  constructor(blocks: HeldBlocks, root: number) {
    this.#blocks = blocks
    this.#pending = [{ node: root, depth: 1 }]
  }

  next(): Wanted | undefined {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      const { node, depth } = next
      if (this.seen.has(node) || this.#blocks.isComplete(node)) continue
      this.seen.add(node)
      this.#depths.set(node, depth)
      if (!this.#blocks.isLoaded(node)) {
        return { block: node, id: this.#blocks.idOf(node), bytes: this.#blocks.sizeOf(node) }
      }
      this.enter(node)
    }
    return undefined
  }

  /** What is below a node that is loaded comes next. */
  enter(node: number): void {
    const depth = this.#depths.get(node)! + 1
    this.#depths.delete(node)
    const links = this.#blocks.linksOf(node)
    for (let index = links.length - 1; index >= 0; index--) {
      const child = links[index]!
      if (!this.#blocks.isNode(child) || this.#blocks.isComplete(child)) continue
      if (depth > SUBTREE_DEPTH_MAX) {
        throw new WarrenError('EFBIG', { message: `a tree of more than ${depth - 1} levels` })
      }
      this.#pending.push({ node: child, depth })
    }
  }
}

function isNodeId(id: BlockId): boolean {
  return codecOf(id) === 'dag-cbor'
}

/** A block that does not read as a node has nothing below it, as in a want of a subtree. */
function linksOf(bytes: Uint8Array): readonly BlockId[] {
  try {
    return readNodeLinks(bytes)
  } catch (error) {
    if (isWarrenError(error, 'EPROTO')) return []
    throw error
  }
}
