/**
 * Applies sorted changes to a tree in one pass from the root, copying only the nodes on the way
 * to a change. Leaves give back one leaf, several or none; their parent takes those in the place
 * of the old one, joins what became too small with a neighbour, and gives back the same.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Run } from './edit-leaf.ts'
import { editedLeaf } from './edit-leaf.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { EMPTY_KEY, compareKeys } from './keys.ts'
import { OpenLeaf } from './leaf.ts'
import { KEY_BYTES_MAX, LEVELS_MAX, VALUE_BYTES_MAX, sizeOf } from './limits.ts'
import { Link } from './link.ts'
import { loadEach } from './load-each.ts'
import type { NodeSource, Place, PlacedChild } from './node-source.ts'
import { placedChild, rootPlace } from './node-source.ts'
import type { InnerContent, Piece } from './pieces.ts'
import { innersOf, joined, leavesOf } from './pieces.ts'
import type { Change } from './tree.ts'

/** The changes that fall below one child. */
interface Share extends Run {
  readonly index: number
}

/** What a node has become; undefined when nothing changed. */
type Result = Piece[] | undefined

/** The new root; the same when nothing changed. */
export async function applyChanges(
  source: NodeSource,
  root: Child,
  changes: readonly Change[],
  options?: StoreOptions
): Promise<Child> {
  checkChanges(changes)
  if (changes.length === 0) return root
  const node = await source.load(root, options)
  const run = new Application(source, changes, options)
  const all = { from: 0, to: changes.length }
  let pieces = await run.apply({ lower: EMPTY_KEY, node }, rootPlace(node), all)
  if (pieces === undefined) return root
  while (pieces.length > 1) {
    const level: number = (pieces[0] as Piece).node.level + 1
    if (level >= LEVELS_MAX) throw new WarrenError('EFBIG', { message: `tree of ${level} levels` })
    const lowers = pieces.map(({ lower }) => lower)
    const children = pieces.map(piece => piece.node)
    pieces = innersOf({ level, lowers, children, changedTo: children.length }, EMPTY_KEY)
  }
  return collapsed(pieces[0]?.node ?? new OpenLeaf([], 0))
}

class Application {
  readonly #source: NodeSource
  readonly #changes: readonly Change[]
  readonly #options: StoreOptions | undefined

  constructor(source: NodeSource, changes: readonly Change[], options: StoreOptions | undefined) {
    this.#source = source
    this.#changes = changes
    this.#options = options
  }

  async apply({ lower, node }: Piece, place: Place, share: Run): Promise<Result> {
    if (!(node instanceof InnerNode)) {
      const content = editedLeaf(node, this.#changes, share)
      return content === undefined ? undefined : leavesOf(content, lower)
    }
    const content = await this.#mergedInner(node, place, share)
    return content === undefined ? undefined : innersOf(content, lower)
  }

  async #mergedInner(node: InnerNode, place: Place, all: Run): Promise<InnerContent | undefined> {
    const shares = sharesOf(node, this.#changes, all)
    const results = await this.#resultsBelow(node, place, shares)
    if (results.every(pieces => pieces === undefined)) return undefined
    const lowers = [...node.lowers]
    const children = [...node.children]
    let changedTo = 0
    let someSmall = false
    for (let position = shares.length - 1; position >= 0; position--) {
      const { index } = shares[position] as Share
      const pieces = results[position]
      if (pieces === undefined) continue
      const [ownLowers, ownChildren] = [pieces.map(one => one.lower), pieces.map(one => one.node)]
      replace(lowers, index, ownLowers)
      replace(children, index, ownChildren)
      // Counted from the last change on, so that what comes before moves it along.
      changedTo = changedTo === 0 ? index + pieces.length : changedTo + pieces.length - 1
      someSmall ||= pieces.some(piece => isSmall(piece.node))
    }
    const content = { level: node.level, lowers, children, changedTo }
    return someSmall ? this.#withoutSmall(content, place) : content
  }

  async #resultsBelow(node: InnerNode, place: Place, shares: readonly Share[]): Promise<Result[]> {
    const placed: PlacedChild[] = shares.map(({ index }) => placedChild(node, index, place))
    const results: Result[] = []
    const step = async (child: TreeNode): Promise<void> => {
      const position = results.length
      const share = shares[position] as Share
      const piece = { lower: node.lower(share.index), node: child }
      results.push(await this.apply(piece, (placed[position] as PlacedChild).place, share))
    }
    if (node.level === 1) {
      for await (const child of loadEach(this.#source, placed, this.#options)) await step(child)
    } else {
      // Not as a stream: it would stand still for as long as everything below a child takes.
      for (const child of placed) await step(await this.#source.loadPlaced(child, this.#options))
    }
    return results
  }

  /** Joins every child that became too small with a neighbour. */
  async #withoutSmall(content: InnerContent, place: Place): Promise<InnerContent> {
    const lowers = [...content.lowers]
    const children = [...content.children]
    let index = 0
    while (index < children.length && children.length > 1) {
      if (!isSmall(children[index] as Child)) {
        index++
        continue
      }
      const left = leftOfPair(children, index)
      const pair: Piece[] = []
      for (const at of [left, left + 1]) {
        const upper = at + 1 < lowers.length ? lowers[at + 1] : place.upper
        const lower = at === 0 ? place.lower : lowers[at]
        const child = children[at] as Child
        const placed = { child, place: { level: content.level - 1, lower, upper } }
        const node = await this.#source.loadPlaced(placed, this.#options)
        pair.push({ lower: lowers[at] as Uint8Array, node })
      }
      const pieces = joined(pair[0] as Piece, pair[1] as Piece)
      lowers.splice(left, 2, ...pieces.map(({ lower }) => lower))
      children.splice(left, 2, ...pieces.map(({ node }) => node))
      index = left
    }
    return { ...content, lowers, children, changedTo: Math.min(content.changedTo, children.length) }
  }
}

/** Puts items in the place of one. */
function replace<Item>(list: Item[], index: number, items: readonly Item[]): void {
  if (items.length === 1) list[index] = items[0] as Item
  else list.splice(index, 1, ...items)
}

/** Small and in memory: what was not touched stays as it is. */
function isSmall(child: Child): boolean {
  return !(child instanceof Link) && child.contentBytes < sizeOf(child).low
}

/** Pairs a child with a neighbour, rather one in memory than one that must be read. */
function leftOfPair(children: readonly Child[], index: number): number {
  if (index === 0) return 0
  if (index + 1 === children.length) return index - 1
  const rightInMemory = !(children[index + 1] instanceof Link)
  return rightInMemory && children[index - 1] instanceof Link ? index : index - 1
}

/** A root with a single child is not needed. */
function collapsed(root: Child): Child {
  let child = root
  while (child instanceof InnerNode && child.count === 1) child = child.child(0)
  return child
}

/** Deals the changes out to the children they fall below. */
function sharesOf(node: InnerNode, changes: readonly Change[], all: Run): Share[] {
  const shares: Share[] = []
  let from = all.from
  while (from < all.to) {
    const index = node.position((changes[from] as Change).key)
    const to =
      index + 1 === node.count
        ? all.to
        : endOfShare(changes, { from, to: all.to }, node.lower(index + 1))
    shares.push({ index, from, to })
    from = to
  }
  return shares
}

/** The first change from `from` on whose key is not before `upper`. */
function endOfShare(changes: readonly Change[], { from, to }: Run, upper: Uint8Array): number {
  let low = from + 1
  let high = to
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys((changes[middle] as Change).key, upper) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function checkChanges(changes: readonly Change[]): void {
  let last: Uint8Array | undefined
  for (const { key, value } of changes) {
    if (key.length > KEY_BYTES_MAX) {
      throw tooLong(`key of ${key.length} bytes, ${KEY_BYTES_MAX} at most`)
    }
    if (value !== undefined && value.length > VALUE_BYTES_MAX) {
      throw tooLong(`value of ${value.length} bytes, ${VALUE_BYTES_MAX} at most`)
    }
    if (last !== undefined && compareKeys(last, key) >= 0) {
      throw new TypeError('changes must be in strictly ascending key order')
    }
    last = key
  }
}

function tooLong(message: string): WarrenError {
  return new WarrenError('EINVAL', { message })
}
