/**
 * What changed from one tree to another, by walking both at once and stepping over every subtree
 * they share. The trees may have different shapes: only the order of keys is relied upon.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import type { Child } from './inner-node.ts'
import { settled } from './inner-node.ts'
import { compareKeys, equalBytes } from './keys.ts'
import type { Leaf } from './leaf.ts'
import { treeEntry } from './leaf.ts'
import { Link } from './link.ts'
import { TreeCursor } from './tree-cursor.ts'
import type { NodeSource } from './node-source.ts'
import type { Difference, TreeEntry } from './tree.ts'

export interface Side {
  readonly source: NodeSource
  readonly root: Child
}

export async function* differencesBetween(
  before: Side,
  after: Side,
  options?: StoreOptions
): AsyncGenerator<Difference> {
  const left = new TreeCursor(before.source, before.root, options)
  const right = new TreeCursor(after.source, after.root, options)
  while (!left.done || !right.done) {
    options?.signal?.throwIfAborted()
    if (left.child !== undefined && right.child !== undefined) {
      if (isSame(left.child, right.child)) {
        left.skip()
        right.skip()
      } else {
        await openHigher(left, right)
      }
    } else if (left.child !== undefined) {
      await left.open(right)
    } else if (right.child !== undefined) {
      await right.open(left)
    } else {
      yield* mergeLeaves(left, right)
    }
  }
}

/** Opens the front of the cursor that stands higher, or of both: equal subtrees are of equal level. */
async function openHigher(left: TreeCursor, right: TreeCursor): Promise<void> {
  const { level: leftLevel } = left
  const { level: rightLevel } = right
  const opening: Promise<void>[] = []
  if (leftLevel >= rightLevel) opening.push(left.open(right))
  if (rightLevel >= leftLevel) opening.push(right.open(left))
  await Promise.all(opening)
}

/** Walks two leaves side by side until one of them ends. */
function* mergeLeaves(left: TreeCursor, right: TreeCursor): Generator<Difference> {
  do {
    const order = compareFronts(left.leaf, left.position, right)
    const before = order <= 0 ? frontOf(left) : undefined
    const after = order >= 0 ? frontOf(right) : undefined
    if (before !== undefined) left.advance()
    if (after !== undefined) right.advance()
    if (!sameEntry(before, after)) {
      yield { key: (after ?? (before as TreeEntry)).key, before, after }
    }
  } while (left.leaf !== undefined && right.leaf !== undefined)
}

function compareFronts(leaf: Leaf | undefined, position: number, right: TreeCursor): number {
  if (leaf === undefined) return 1
  if (right.leaf === undefined) return -1
  return leaf.compare(position, right.leaf.key(right.position))
}

function frontOf({ leaf, position }: TreeCursor): TreeEntry | undefined {
  return leaf === undefined ? undefined : treeEntry(leaf.entry(position))
}

function sameEntry(before: TreeEntry | undefined, after: TreeEntry | undefined): boolean {
  if (before === undefined || after === undefined) return false
  return (
    before.link === after.link &&
    compareKeys(before.key, after.key) === 0 &&
    equalBytes(before.value, after.value)
  )
}

function isSame(left: Child, right: Child): boolean {
  const [one, other] = [settled(left), settled(right)]
  if (one instanceof Link && other instanceof Link) return one.equals(other)
  return one === other
}
