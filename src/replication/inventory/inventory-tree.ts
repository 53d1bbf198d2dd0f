/** Adding to and taking from the tree of an inventory: a B-tree that keeps its ids in its pages. */
import { boundBetween } from './inventory-key.ts'
import type { Key } from './inventory-key.ts'
import { Branch, Page } from './inventory-page.ts'
import type { InventoryNode } from './inventory-page.ts'

/** Enough for the first child of a branch, whose bound nobody reads. */
const LOWEST: Key = new Uint32Array(9)

interface Change {
  /** Whether anything changed: an id that is there is not added twice. */
  readonly changed: boolean
  /** The node became two: the upper one and the bound between them. */
  readonly split?: { readonly node: InventoryNode; readonly low: Key }
}

const UNCHANGED: Change = { changed: false }
const CHANGED: Change = { changed: true }

/** The root after it, and whether the key is new. */
export function insertKey(
  root: InventoryNode,
  key: Key
): { root: InventoryNode; changed: boolean } {
  const { changed, split } = insert(root, key)
  if (split === undefined) return { root, changed }
  const above = new Branch()
  above.insert(0, root, LOWEST)
  above.insert(1, split.node, split.low)
  return { root: above, changed }
}

/** The root after it, and whether the key was there. */
export function removeKey(
  root: InventoryNode,
  key: Key
): { root: InventoryNode; changed: boolean } {
  const changed = remove(root, key)
  if (root instanceof Branch && root.children.length === 1) {
    return { root: root.children[0]!, changed }
  }
  return { root, changed }
}

export function hasKey(root: InventoryNode, key: Key): boolean {
  let node = root
  while (node instanceof Branch) node = node.children[node.indexOf(key)]!
  const row = node.rowFrom(key)
  return row < node.count && node.compare(row, key) === 0
}

function insert(node: InventoryNode, key: Key): Change {
  if (node instanceof Page) return insertIntoPage(node, key)
  const index = node.indexOf(key)
  const { changed, split } = insert(node.children[index]!, key)
  if (!changed) return UNCHANGED
  node.counted = 0
  if (split === undefined) return CHANGED
  node.insert(index + 1, split.node, split.low)
  if (!node.isFull) return CHANGED
  const other = node.split()
  return { changed, split: { node: other, low: other.lows[0]! } }
}

function insertIntoPage(page: Page, key: Key): Change {
  const row = page.rowFrom(key)
  if (row < page.count && page.compare(row, key) === 0) return UNCHANGED
  page.insert(row, key)
  page.counted = 0
  if (!page.isFull) return CHANGED
  const other = page.split()
  const low = boundBetween(page.keyAt(page.count - 1), other.keyAt(0))
  return { changed: true, split: { node: other, low } }
}

function remove(node: InventoryNode, key: Key): boolean {
  if (node instanceof Page) {
    const row = node.rowFrom(key)
    if (row === node.count || node.compare(row, key) !== 0) return false
    node.remove(row)
    node.counted = 0
    return true
  }
  const index = node.indexOf(key)
  const child = node.children[index]!
  if (!remove(child, key)) return false
  node.counted = 0
  if (child.isSparse) joinNeighbour(node, index)
  return true
}

function joinNeighbour(branch: Branch, index: number): void {
  for (const left of [index - 1, index]) {
    const one = branch.children[left]
    const other = branch.children[left + 1]
    if (one === undefined || other === undefined) continue
    if (join(one, other, branch.lows[left + 1]!)) return branch.remove(left + 1)
  }
}

function join(one: InventoryNode, other: InventoryNode, low: Key): boolean {
  if (one instanceof Page) return other instanceof Page && one.join(other)
  return other instanceof Branch && one.join(other, low)
}
