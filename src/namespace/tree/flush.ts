/**
 * Turns the nodes that exist only in memory into blocks: level by level from the leaves up, as a
 * node can be named only after its children. Hashing runs beside encoding, storing beside both,
 * in steps short enough for the event loop.
 */
import type { Block, BlockEncoding, BlockStore, StoreOptions } from '../../blocks/index.ts'
import { createBlock } from '../../blocks/index.ts'
import { shareEventLoop } from '../volume/event-loop.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { Link } from './link.ts'
import type { NodeCache } from './node-cache.ts'
import { decodeNode, encodeInner, encodeLeaf } from './node.ts'
import { PackedLeaf } from './leaf.ts'

/** Nodes encoded at a stretch, then hashed at once: 1 MiB, under 5 ms of the event loop. */
const NODES_PER_STEP = 16

/** Steps go on for so many milliseconds before everybody else has a turn: hashing on this thread waits for nothing. */
const HOLD_MS = 5

/** Bytes handed to the store at once: large enough for one write and one index update to be worth it. */
const BATCH_BYTES: number = 4 * 1024 * 1024

/** Bytes of an entry that is not small: a small file, and not what is known about one. */
const LARGE = 1024

/** Gives the link of the root. When it throws, every node is as unflushed as before. */
export async function flushNodes(
  root: Child,
  components: FlushComponents,
  options?: StoreOptions
): Promise<Link> {
  if (root instanceof Link) return root
  const flush = new Flush(components, options)
  for (const nodes of unflushedLevels(root)) await flush.write(nodes)
  await flush.finish()
  for (const [node, link] of flush.links) node.written = link
  return root.written as Link
}

/**
 * Stores the leaves below `root` that are full, so that a long import need not hold them until the
 * next flush. Those with large values are not kept in the cache either: nobody asks for the
 * contents of files that were just taken in. Their bytes are then gone before V8 takes them for lasting.
 */
export async function storeFullLeaves(root: Child, components: FlushComponents): Promise<void> {
  const { leaves, parents } = fullLeavesBelow(root)
  if (leaves.length === 0) return
  const flush = new Flush(components, { isCached: node => node.contentBytes < node.count * LARGE })
  await flush.write(leaves)
  await flush.finish()
  for (const [node, link] of flush.links) node.written = link
  for (const parent of parents) parent.settle()
}

export interface FlushComponents {
  readonly store: Pick<BlockStore, 'putMany'>
  readonly cache: NodeCache
  readonly encoding: BlockEncoding | undefined
}

interface FlushOptions extends StoreOptions {
  /** Default: all are. */
  readonly isCached?: (node: TreeNode) => boolean
}

/** A node that has become a block. */
interface WrittenNode {
  /** As it is before it is encoded for the block. */
  readonly plain: Uint8Array
  readonly block: Block
}

class Flush {
  /** What the nodes are called that were encoded so far. */
  readonly links = new Map<TreeNode, Link>()
  readonly #components: FlushComponents
  readonly #options: FlushOptions | undefined
  #batch: Block[] = []
  #batchBytes = 0
  #storing: Promise<void> = Promise.resolve()

  constructor(components: FlushComponents, options: FlushOptions | undefined) {
    this.#components = components
    this.#options = options
  }

  async write(nodes: readonly TreeNode[]): Promise<void> {
    for (let from = 0; from < nodes.length; from += NODES_PER_STEP) {
      this.#options?.signal?.throwIfAborted()
      const step = nodes.slice(from, from + NODES_PER_STEP)
      const written = await Promise.all(step.map(node => this.#makeBlock(this.#encode(node))))
      for (const [index, made] of written.entries()) this.#add(step[index] as TreeNode, made)
      if (this.#batchBytes >= BATCH_BYTES) await this.#storeBatch()
      await shareEventLoop(HOLD_MS)
    }
  }

  /** Resolves when everything is stored. */
  async finish(): Promise<void> {
    await this.#storeBatch()
    await this.#storing
  }

  async #makeBlock(plain: Uint8Array): Promise<WrittenNode> {
    const { encoding } = this.#components
    const bytes = encoding === undefined ? plain : await encoding.encode('dag-cbor', plain)
    return { plain, block: await createBlock('dag-cbor', bytes) }
  }

  #encode(node: TreeNode): Uint8Array {
    if (!(node instanceof InnerNode)) return encodeLeaf(node)
    return encodeInner(
      node,
      node.children.map(child => this.#linkOf(child))
    )
  }

  #linkOf(child: Child): Link {
    if (child instanceof Link) return child
    return child.written ?? (this.links.get(child) as Link)
  }

  #add(node: TreeNode, { plain, block }: WrittenNode): void {
    const { cache, encoding } = this.#components
    const link = Link.fromId(block.id)
    this.links.set(node, link)
    // It may be wanted soon, in its packed form. That it may never be stored does no harm: its name is the hash of what it is.
    if (this.#options?.isCached?.(node) !== false) {
      cache.putWritten(block.id, node instanceof PackedLeaf ? node : decodeNode(plain), encoding)
    }
    this.#batch.push(block)
    this.#batchBytes += block.bytes.length
  }

  /** One batch is on its way to the store while the next is made, never two. */
  async #storeBatch(): Promise<void> {
    await this.#storing
    const batch = this.#batch
    if (batch.length === 0) return
    this.#batch = []
    this.#batchBytes = 0
    this.#storing = this.#components.store.putMany(batch, this.#options)
    // A failure is seen at the next await; meanwhile it must not count as unhandled.
    this.#storing.catch(() => {})
  }
}

/** The nodes that are no blocks yet, by level, leaves first. */
function unflushedLevels(root: TreeNode): TreeNode[][] {
  const levels: TreeNode[][] = []
  const visit = (child: Child): void => {
    if (child instanceof Link || child.written !== undefined) return
    const level = (levels[child.level] ??= [])
    level.push(child)
    if (child instanceof InnerNode) child.children.forEach(visit)
  }
  for (let level = 0; level <= root.level; level++) levels.push([])
  visit(root)
  return levels
}

/** Full leaves that are no blocks yet, and the nodes above them, lowest first. */
function fullLeavesBelow(root: Child): { leaves: PackedLeaf[]; parents: InnerNode[] } {
  const leaves: PackedLeaf[] = []
  const parents: InnerNode[] = []
  const visit = (child: Child): void => {
    if (child instanceof Link || child.written !== undefined) return
    if (child instanceof PackedLeaf) leaves.push(child)
    if (!(child instanceof InnerNode)) return
    child.children.forEach(visit)
    parents.push(child)
  }
  visit(root)
  return { leaves, parents }
}
