/** Entries of a range in key order, a leaf's worth at a time. */
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { compareKeys } from './keys.ts'
import type { Leaf } from './leaf.ts'
import { treeEntry } from './leaf.ts'
import type { NodeSource, Place, PlacedChild } from './node-source.ts'
import { placedChildren, rootPlace } from './node-source.ts'
import type { ScanOptions, ScanRange, TreeEntry } from './tree.ts'

type Batch = readonly TreeEntry[]

export async function* scanRange(
  source: NodeSource,
  root: Child,
  range: ScanRange,
  options: ScanOptions = {}
): AsyncGenerator<Batch> {
  const { from, to } = range
  if (from !== undefined && to !== undefined && compareKeys(from, to) >= 0) return
  const node = await source.load(root, options)
  yield* new Scan(source, range, options).below(node, rootPlace(node))
}

class Scan {
  readonly #source: NodeSource
  readonly #range: ScanRange
  readonly #options: ScanOptions

  constructor(source: NodeSource, range: ScanRange, options: ScanOptions) {
    this.#source = source
    this.#range = range
    this.#options = options
  }

  async *below(node: TreeNode, place: Place): AsyncGenerator<Batch> {
    this.#options.signal?.throwIfAborted()
    if (!(node instanceof InnerNode)) {
      const batch = entriesWithin(node, this.#range)
      if (batch.length > 0) yield batch
      return
    }
    const children = placedChildren(node, place, childrenWithin(node, this.#range))
    if (node.level === 1 && this.#options.readAhead === true) yield* this.#leaves(children)
    else yield* this.#oneByOne(children)
  }

  async *#oneByOne(children: readonly PlacedChild[]): AsyncGenerator<Batch> {
    for (const [position, placed] of children.entries()) {
      const node = await this.#source.loadPlaced(placed, this.#options)
      const next = children[position + 1]
      if (this.#options.readAhead === true && next !== undefined) this.#prefetch(next)
      yield* this.below(node, placed.place)
    }
  }

  async *#leaves(children: readonly PlacedChild[]): AsyncGenerator<Batch> {
    for await (const node of this.#source.loadEach(children, this.#options)) {
      yield* this.below(node, { level: 0, lower: undefined, upper: undefined })
    }
  }

  /** So that the next inner node is there when the leaves of this one are through. */
  #prefetch({ child }: PlacedChild): void {
    // Who needs it asks again and is told what went wrong.
    this.#source.load(child, this.#options).catch(() => {})
  }
}

function childrenWithin(
  node: InnerNode,
  { from, to }: ScanRange
): { readonly from: number; readonly to: number } {
  const first = from === undefined ? 0 : node.position(from)
  if (to === undefined) return { from: first, to: node.count }
  const last = node.position(to)
  // A child that begins at the exclusive end has nothing of the range.
  const beginsThere = last > 0 && compareKeys(node.lower(last), to) === 0
  return { from: first, to: beginsThere ? last : last + 1 }
}

function entriesWithin(leaf: Leaf, { from, to }: ScanRange): TreeEntry[] {
  const first = from === undefined ? 0 : leaf.position(from)
  const end = to === undefined ? leaf.count : leaf.position(to)
  const entries: TreeEntry[] = []
  for (let index = first; index < end; index++) entries.push(treeEntry(leaf.entry(index)))
  return entries
}
