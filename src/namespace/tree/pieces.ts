/**
 * Makes nodes out of more or less than a node's worth of entries or children, and joins nodes
 * that have become too small.
 */
import { cutPoints } from './cut.ts'
import type { Child, TreeNode } from './inner-node.ts'
import { InnerNode, childBytes, settled } from './inner-node.ts'
import { EMPTY_KEY, separatorBetween } from './keys.ts'
import type { Leaf, LeafEntry } from './leaf.ts'
import { OpenLeaf, entryBytes } from './leaf.ts'
import { INNER_SIZE, LEAF_SIZE } from './limits.ts'
import { packLeaf } from './node.ts'

/** A node and the lower bound of its keys. For the first piece of a node: the bound of that node. */
export interface Piece {
  readonly lower: Uint8Array
  readonly node: TreeNode
}

export interface LeafContent {
  readonly entries: readonly LeafEntry[]
  /** Sum of `entryBytes`. */
  readonly contentBytes: number
  /** The index after the last entry that changed. */
  readonly changedTo: number
}

/** Leaves of these entries: none, one, or several when there is too much for one. */
export function leavesOf(content: LeafContent, lower: Uint8Array): Piece[] {
  const { entries, contentBytes, changedTo } = content
  if (entries.length === 0) return []
  if (contentBytes <= LEAF_SIZE.full) {
    return [{ lower, node: new OpenLeaf(entries, contentBytes) }]
  }
  const pieces: Piece[] = []
  let from = 0
  const cut = { items: entries.map(entryBytes), changedTo, size: LEAF_SIZE }
  for (const to of cutPoints(cut)) {
    const leaf = leafOf(entries.slice(from, to))
    // The next change comes where the last one was: that piece stays open, the others shrink to a block's size.
    const node = changedTo > from && changedTo <= to ? leaf : packLeaf(leaf)
    pieces.push({ lower: from === 0 ? lower : boundAt(entries, from), node })
    from = to
  }
  return pieces
}

export interface InnerContent {
  readonly level: number
  readonly lowers: readonly Uint8Array[]
  readonly children: readonly Child[]
  /** The index after the last child that changed. */
  readonly changedTo: number
}

/** Inner nodes of these children: none, one, or several when there is too much for one. */
export function innersOf(content: InnerContent, lower: Uint8Array): Piece[] {
  const { level, changedTo } = content
  const lowers = [EMPTY_KEY, ...content.lowers.slice(1)]
  const children = content.children.map(settled)
  if (children.length === 0) return []
  const whole = new InnerNode(level, lowers, children)
  if (whole.contentBytes <= INNER_SIZE.full) return [{ lower, node: whole }]
  const pieces: Piece[] = []
  let from = 0
  const firstBytes = childBytes(EMPTY_KEY)
  const cut = { items: lowers.map(childBytes), firstBytes, changedTo, size: INNER_SIZE }
  for (const to of cutPoints(cut)) {
    const own = [EMPTY_KEY, ...lowers.slice(from + 1, to)]
    const node = new InnerNode(level, own, children.slice(from, to))
    pieces.push({ lower: from === 0 ? lower : (lowers[from] as Uint8Array), node })
    from = to
  }
  return pieces
}

/** Makes one node of two neighbours, or two more equal ones when they are too much for one. */
export function joined(left: Piece, right: Piece): Piece[] {
  if (left.node instanceof InnerNode && right.node instanceof InnerNode) {
    const lowers = [...left.node.lowers, right.lower, ...right.node.lowers.slice(1)]
    const children = [...left.node.children, ...right.node.children]
    return innersOf({ level: left.node.level, lowers, children, changedTo: 0 }, left.lower)
  }
  const leaves = [left.node as Leaf, right.node as Leaf] as const
  const entries = [...leaves[0].entries(), ...leaves[1].entries()]
  const contentBytes = leaves[0].contentBytes + leaves[1].contentBytes
  return leavesOf({ entries, contentBytes, changedTo: 0 }, left.lower)
}

function leafOf(entries: readonly LeafEntry[]): OpenLeaf {
  let contentBytes = 0
  for (const entry of entries) contentBytes += entryBytes(entry)
  return new OpenLeaf(entries, contentBytes)
}

function boundAt(entries: readonly LeafEntry[], index: number): Uint8Array {
  const before = entries[index - 1] as LeafEntry
  return separatorBetween(before.key, (entries[index] as LeafEntry).key)
}
