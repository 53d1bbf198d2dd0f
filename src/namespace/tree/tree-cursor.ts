/**
 * A position in a tree that stands before a whole subtree, or before an entry of an open leaf, and
 * moves forward only: by stepping over the subtree, into it, or over the entry.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import type { Leaf } from './leaf.ts'
import { Link } from './link.ts'
import { loadEach } from './load-each.ts'
import type { NodeSource, Place, PlacedChild } from './node-source.ts'
import { checkPlace, placedChild, rootPlace } from './node-source.ts'

/** Leaves fetched together at most when one is missing: 1 MiB, so that a remote comparison is not a round trip each. */
const AHEAD_MAX = 16

interface Step {
  readonly node: InnerNode
  readonly place: Place
  index: number
  /** Ids of all children, made when first asked for. */
  ids?: ReadonlySet<string>
}

export class TreeCursor {
  /** The subtree in front; undefined inside a leaf and at the end. */
  child: Child | undefined
  /** The level of `child`; infinite for a root that was not opened. */
  level: number = Infinity
  /** The open leaf and the entry in front. */
  leaf: Leaf | undefined = undefined
  position = 0
  readonly #source: NodeSource
  readonly #options: StoreOptions | undefined
  readonly #steps: Step[] = []
  readonly #ahead = new Map<Child, TreeNode>()

  constructor(source: NodeSource, root: Child, options?: StoreOptions) {
    this.#source = source
    this.#options = options
    this.child = root
  }

  get done(): boolean {
    return this.child === undefined && this.leaf === undefined
  }

  /** Steps over the subtree in front. */
  skip(): void {
    this.child = undefined
    let step = this.#steps.at(-1)
    while (step !== undefined && ++step.index === step.node.count) {
      this.#steps.pop()
      step = this.#steps.at(-1)
    }
    this.#standBefore(step)
  }

  /** Steps into the subtree in front. What `other` is about to step over is not read ahead. */
  async open(other: TreeCursor): Promise<void> {
    const child = this.child as Child
    const step = this.#steps.at(-1)
    const node = await this.#load(child, step, other)
    const place =
      step === undefined ? rootPlace(node) : placedChild(step.node, step.index, step.place).place
    if (step !== undefined && child instanceof Link) checkPlace(node, place)
    if (node instanceof InnerNode) {
      this.#steps.push({ node, place, index: 0 })
      this.#standBefore(this.#steps.at(-1))
    } else if (node.count === 0) {
      this.skip()
    } else {
      this.child = undefined
      this.leaf = node
      this.position = 0
    }
  }

  /** Steps over the entry in front. */
  advance(): void {
    this.position++
    if (this.position < (this.leaf as Leaf).count) return
    this.leaf = undefined
    this.skip()
  }

  /** True for a child of the node this cursor stands in. */
  #isBeside(child: Link): boolean {
    const step = this.#steps.at(-1)
    if (step === undefined) return false
    step.ids ??= new Set(
      step.node.children.flatMap(sibling => (sibling instanceof Link ? [sibling.id] : []))
    )
    return step.ids.has(child.id)
  }

  #standBefore(step: Step | undefined): void {
    if (step === undefined) return
    this.child = step.node.child(step.index)
    this.level = step.node.level - 1
  }

  async #load(child: Child, step: Step | undefined, other: TreeCursor): Promise<TreeNode> {
    const known = this.#ahead.get(child) ?? this.#source.peek(child)
    if (known !== undefined) {
      this.#ahead.delete(child)
      return known
    }
    if (step === undefined || step.node.level > 1) return this.#source.load(child, this.#options)
    const batch = this.#batchFrom(step, other)
    let position = 0
    for await (const node of loadEach(this.#source, batch, this.#options)) {
      this.#ahead.set((batch[position++] as PlacedChild).child, node)
    }
    const loaded = this.#ahead.get(child) as TreeNode
    this.#ahead.delete(child)
    return loaded
  }

  #batchFrom(step: Step, other: TreeCursor): PlacedChild[] {
    const batch: PlacedChild[] = []
    for (let index = step.index; index < step.node.count && batch.length < AHEAD_MAX; index++) {
      const child = step.node.child(index)
      const wanted = index === step.index || (child instanceof Link && !other.#isBeside(child))
      if (wanted) batch.push(placedChild(step.node, index, step.place))
    }
    return batch
  }
}
