/** Entries of a range in key order, a leaf's worth at a time. */
import { shareEventLoop } from '../volume/event-loop.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { compareKeys } from './keys.ts'
import type { Leaf, TakeEntry } from './leaf.ts'
import { loadSections } from './load-each.ts'
import type { NodeSource, Place, PlacedChild } from './node-source.ts'
import { placedChild, rootPlace } from './node-source.ts'
import type { ScanOptions, ScanRange } from './tree.ts'

export async function* scanRange<Result>(
  source: NodeSource,
  root: Child,
  { range, take }: { readonly range: ScanRange; readonly take: TakeEntry<Result> },
  options: ScanOptions = {}
): AsyncGenerator<readonly Result[]> {
  const { from, to } = range
  if (from !== undefined && to !== undefined && compareKeys(from, to) >= 0) return
  const { node, place } = await descend(source, root, range, options)
  if (!(node instanceof InnerNode)) {
    const batch = entriesWithin(node, range, take)
    if (batch.length > 0) yield batch
    return
  }
  const sections = new Scan(source, range, options).sections(node, place)
  for await (const leaf of leavesWithin(source, sections, options)) {
    await shareEventLoop()
    options.signal?.throwIfAborted()
    const batch = entriesWithin(leaf as Leaf, range, take)
    if (batch.length > 0) yield batch
  }
}

/** Goes down as long as the range is below one child: a short one is in one leaf, and needs no walk. */
async function descend(
  source: NodeSource,
  root: Child,
  range: ScanRange,
  options: ScanOptions
): Promise<{ readonly node: TreeNode; readonly place: Place }> {
  let node = await source.load(root, options)
  let place = rootPlace(node)
  while (node instanceof InnerNode) {
    const { from, to } = childrenWithin(node, range)
    if (to - from !== 1) break
    const placed = placedChild(node, from, place)
    node = await source.loadPlaced(placed, options)
    place = placed.place
  }
  return { node, place }
}

async function* leavesWithin(
  source: NodeSource,
  sections: AsyncGenerator<readonly PlacedChild[]>,
  options: ScanOptions
): AsyncGenerator<TreeNode> {
  if (options.readAhead === true) {
    yield* loadSections(source, sections, options)
    return
  }
  for await (const section of sections) {
    for (const placed of section) yield source.loadPlaced(placed, options)
  }
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

  /** The leaves of the range: those below one node at a time to read ahead, else one by one. */
  async *sections(node: InnerNode, place: Place): AsyncGenerator<readonly PlacedChild[]> {
    const { from, to } = childrenWithin(node, this.#range)
    const ahead = this.#options.readAhead === true
    if (node.level === 1 && ahead) {
      const children: PlacedChild[] = []
      for (let index = from; index < to; index++) children.push(placedChild(node, index, place))
      yield children
      return
    }
    for (let index = from; index < to; index++) {
      const placed = placedChild(node, index, place)
      if (node.level === 1) {
        yield [placed]
        continue
      }
      const child = await this.#source.loadPlaced(placed, this.#options)
      if (ahead && index + 1 < to) this.#prefetch(node.child(index + 1))
      yield* this.sections(child as InnerNode, placed.place)
    }
  }

  /** So that the next inner node is there when the leaves of this one have been asked for. */
  #prefetch(child: Child): void {
    // Who needs it asks again and is told what went wrong.
    this.#source.load(child, this.#options).catch(() => {})
  }
}

export function childrenWithin(
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

function entriesWithin<Result>(
  leaf: Leaf,
  { from, to }: ScanRange,
  take: TakeEntry<Result>
): Result[] {
  const first = from === undefined ? 0 : leaf.position(from)
  const end = to === undefined ? leaf.count : leaf.position(to)
  const entries: Result[] = []
  for (let index = first; index < end; index++) entries.push(take(leaf, index))
  return entries
}
