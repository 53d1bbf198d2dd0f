/**
 * Inner nodes in memory: children in key order, each with the lower bound of its keys. There is
 * one for hundreds of leaves, so they are kept simple and not packed.
 */
import type { Leaf } from './leaf.ts'
import { LINK_BYTES } from './leaf.ts'
import { headBytes } from './cbor.ts'
import type { KeyIndex } from './key-index.ts'
import { compareKeys } from './keys.ts'
import { Link } from './link.ts'

export type TreeNode = Leaf | InnerNode

/** A child is a block, or a node that is not one yet. */
export type Child = Link | TreeNode

/** What one child adds to a node: its bound and its link. */
export function childBytes(lower: Uint8Array): number {
  return headBytes(lower.length) + lower.length + LINK_BYTES
}

/** What the next flush will write for this child, about. */
export function unflushedBytesOf(child: Child): number {
  if (child instanceof Link || child.written !== undefined) return 0
  return child instanceof InnerNode ? child.unflushedBytes : child.contentBytes
}

/** The child as a block where it is one by now. */
export function settled(child: Child): Child {
  return child instanceof Link ? child : (child.written ?? child)
}

export class InnerNode {
  /** 1 just above the leaves. */
  readonly level: number
  /** `lowers[i]` is not after any key below child `i`, and after every key below child `i - 1`. The first is empty: the parent knows it. */
  readonly lowers: readonly Uint8Array[]
  readonly children: readonly Child[]
  readonly contentBytes: number
  #unflushedBytes: number
  written: Link | undefined = undefined
  /** An index of all lowers but the first, for a node that came from a block. */
  readonly #separators: KeyIndex | undefined

  constructor(
    level: number,
    lowers: readonly Uint8Array[],
    children: readonly Child[],
    separators?: KeyIndex
  ) {
    this.#separators = separators
    this.level = level
    this.lowers = lowers
    this.children = children
    let contentBytes = 0
    for (const lower of lowers) contentBytes += childBytes(lower)
    this.contentBytes = contentBytes
    this.#unflushedBytes = contentBytes + sumOfUnflushed(children)
  }

  /** Content of this node and of all nodes below it that are not blocks yet. */
  get unflushedBytes(): number {
    return this.#unflushedBytes
  }

  /** Lets go of children that are blocks by now, and counts again what is not. */
  settle(): void {
    const children = this.children as Child[]
    for (const [index, child] of children.entries()) children[index] = settled(child)
    this.#unflushedBytes = this.contentBytes + sumOfUnflushed(children)
  }

  get count(): number {
    return this.children.length
  }

  /** Bytes of memory, about: beside the block, some objects for every child. */
  get memoryBytes(): number {
    return this.contentBytes + this.count * 340 + 512
  }

  /** The child below which `key` is, or would be. */
  position(key: Uint8Array): number {
    const separators = this.#separators
    if (separators !== undefined) {
      const at = separators.position(key)
      return at < separators.count && separators.compare(at, key) === 0 ? at + 1 : at
    }
    let low = 1
    let high = this.lowers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.lowers[middle] as Uint8Array, key) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  child(index: number): Child {
    return this.children[index] as Child
  }

  lower(index: number): Uint8Array {
    return this.lowers[index] as Uint8Array
  }
}

function sumOfUnflushed(children: readonly Child[]): number {
  let bytes = 0
  for (const child of children) bytes += unflushedBytesOf(child)
  return bytes
}
