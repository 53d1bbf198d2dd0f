/** Looks up single keys and batches of keys. */
import type { GetOptions, StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { shareEventLoop } from '../volume/event-loop.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { compareKeys, keyAfter } from './keys.ts'
import type { Leaf, TakeEntry } from './leaf.ts'
import { takeTreeEntry } from './leaf.ts'
import { loadEach } from './load-each.ts'
import type { NodeSource, PlacedChild } from './node-source.ts'
import { placedChild, rootPlace } from './node-source.ts'
import type { KeyList, TreeEntry } from './tree.ts'

/** The entry of a key. Waits for nothing while nodes are in memory. */
export async function lookUp(
  source: NodeSource,
  root: Child,
  key: Uint8Array,
  options?: StoreOptions
): Promise<TreeEntry | undefined> {
  let node = source.peek(root) ?? (await source.load(root, towards(key, options)))
  while (node instanceof InnerNode) {
    const child = node.child(node.position(key))
    const isLeaf = node.level === 1
    const below: TreeNode =
      source.peek(child) ?? (await source.load(child, isLeaf ? options : towards(key, options)))
    if (below.level !== node.level - 1) {
      throw new WarrenError('EPROTO', {
        message: `tree node: level ${below.level} below level ${node.level}`
      })
    }
    node = below
  }
  const at = node.position(key)
  return isAt(node, at, key) ? takeTreeEntry(node, at) : undefined
}

/** What is below the node on the way to the key should come with it. */
function towards(key: Uint8Array, options: StoreOptions | undefined): GetOptions {
  return { ...options, descent: { from: key, to: keyAfter(key), data: false } }
}

/** Keys below one node: from, inclusive, to, exclusive. */
interface Visit extends PlacedChild {
  readonly from: number
  readonly to: number
}

/** The entries of ascending keys, a level at a time: what is missing of a level comes as one stream. */
export async function lookUpMany<Result>(
  source: NodeSource,
  root: Child,
  { keys, take }: { readonly keys: KeyList; readonly take: TakeEntry<Result> },
  options?: StoreOptions
): Promise<(Result | undefined)[]> {
  const found = Array.from<Result | undefined>({ length: keys.length })
  if (keys.length === 0) return found
  const top = await source.load(root, options)
  let visits: Visit[] = [{ child: root, place: rootPlace(top), from: 0, to: keys.length }]
  if (top instanceof InnerNode) visits = visitsBelow(top, visits[0] as Visit, keys)
  else readEntries(top, visits[0] as Visit, { keys, take, found })
  while (top.level > 0 && visits.length > 0) {
    const next: Visit[] = []
    let position = 0
    for await (const node of loadEach(source, visits, options)) {
      await shareEventLoop()
      const visit = visits[position++] as Visit
      if (node instanceof InnerNode) next.push(...visitsBelow(node, visit, keys))
      else readEntries(node, visit, { keys, take, found })
    }
    visits = next
  }
  return found
}

function visitsBelow(node: InnerNode, { from, to, place }: Visit, keys: KeyList): Visit[] {
  const visits: Visit[] = []
  let start = from
  while (start < to) {
    const index = node.position(keys.at(start) as Uint8Array)
    const placed = placedChild(node, index, place)
    const { upper } = placed.place
    const end = upper === undefined ? to : firstNotBefore(upper, keys, { from: start + 1, to })
    visits.push({ ...placed, from: start, to: end })
    start = end
  }
  return visits
}

/** The first of ascending keys that is not before `key`; `to` when all are. */
function firstNotBefore(
  key: Uint8Array,
  keys: KeyList,
  { from, to }: { readonly from: number; readonly to: number }
): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(keys.at(middle) as Uint8Array, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

interface Lookup<Result> {
  readonly keys: KeyList
  readonly take: TakeEntry<Result>
  readonly found: (Result | undefined)[]
}

function readEntries<Result>(
  leaf: Leaf,
  { from, to }: Visit,
  { keys, take, found }: Lookup<Result>
): void {
  let at = -1
  for (let index = from; index < to; index++) {
    const key = keys.at(index) as Uint8Array
    // What is asked for together mostly stands together.
    if (isAt(leaf, at + 1, key)) at++
    else {
      at = leaf.position(key)
      if (!isAt(leaf, at, key)) continue
    }
    found[index] = take(leaf, at)
  }
}

function isAt(leaf: Leaf, at: number, key: Uint8Array): boolean {
  return at < leaf.count && leaf.compare(at, key) === 0
}

/** Throws a `TypeError`. */
export function checkAscending(keys: readonly Uint8Array[]): void {
  for (let index = 1; index < keys.length; index++) {
    if (compareKeys(keys[index - 1] as Uint8Array, keys[index] as Uint8Array) > 0) {
      throw new TypeError('keys must be in ascending order')
    }
  }
}
