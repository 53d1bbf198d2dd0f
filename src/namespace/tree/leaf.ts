/**
 * Leaves in memory, in two forms. A packed leaf is the block's bytes and an index of where its
 * keys and values are: a few per cent larger than the block, which is what makes a cache worth its
 * memory. An open leaf is a list of entries, shared with the leaf it was copied from: what a
 * change costs is a copy of pointers and not of 64 KiB.
 */
import type { TreeEntry } from './tree.ts'
import { headBytes } from './cbor.ts'
import { compareKeys } from './keys.ts'
import { Link } from './link.ts'

export interface LeafEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly link: Link | undefined
}

/** A link in its node: tag, head, multibase prefix, 36 bytes. */
export const LINK_BYTES = 41
/** What says whose it is, at most. */
export const LINK_OWNER_BYTES = 3

export function entryBytes(entry: LeafEntry): number {
  const { key, value, link } = entry
  const bytes = headBytes(key.length) + key.length + headBytes(value.length) + value.length
  return link === undefined ? bytes : bytes + LINK_BYTES + LINK_OWNER_BYTES
}

/** What both forms can do. */
export interface Leaf {
  readonly level: 0
  readonly count: number
  /** Bytes of content, as `entryBytes` counts them. */
  readonly contentBytes: number
  /** Set once the leaf is a stored block. */
  written: Link | undefined
  /** The first entry whose key is not before `key`; `count` when all are. */
  position(key: Uint8Array): number
  /** Compares the key of an entry with `key`. */
  compare(index: number, key: Uint8Array): number
  key(index: number): Uint8Array
  entry(index: number): LeafEntry
  entries(): readonly LeafEntry[]
}

export class OpenLeaf implements Leaf {
  readonly level = 0
  readonly contentBytes: number
  written: Link | undefined = undefined
  readonly #entries: readonly LeafEntry[]

  constructor(entries: readonly LeafEntry[], contentBytes: number) {
    this.#entries = entries
    this.contentBytes = contentBytes
  }

  get count(): number {
    return this.#entries.length
  }

  position(key: Uint8Array): number {
    return positionIn(this, key)
  }

  compare(index: number, key: Uint8Array): number {
    return compareKeys(this.entry(index).key, key)
  }

  key(index: number): Uint8Array {
    return this.entry(index).key
  }

  entry(index: number): LeafEntry {
    return this.#entries[index] as LeafEntry
  }

  entries(): readonly LeafEntry[] {
    return this.#entries
  }
}

/** Where things are in a block: four numbers an entry (key from and to, value from and to). */
export interface LeafIndex {
  readonly bounds: Uint32Array
  /** Position of each link's 36 bytes. */
  readonly linksAt: Uint32Array
  /** The entry each link belongs to, ascending. */
  readonly owners: Uint32Array
  readonly contentBytes: number
}

export class PackedLeaf implements Leaf {
  readonly level = 0
  readonly count: number
  readonly contentBytes: number
  /** The whole block. */
  readonly block: Uint8Array
  written: Link | undefined = undefined
  readonly #index: LeafIndex

  constructor(block: Uint8Array, index: LeafIndex) {
    this.block = block
    this.#index = index
    this.count = index.bounds.length / 4
    this.contentBytes = index.contentBytes
  }

  /** Bytes of memory, about: the block, its index, and the objects around them. */
  get memoryBytes(): number {
    const { bounds, owners } = this.#index
    return this.block.length + bounds.byteLength + 2 * owners.byteLength + 512
  }

  position(key: Uint8Array): number {
    return positionIn(this, key)
  }

  compare(index: number, key: Uint8Array): number {
    const bounds = this.#index.bounds
    const from = bounds[index * 4] as number
    const ownLength = (bounds[index * 4 + 1] as number) - from
    const length = ownLength < key.length ? ownLength : key.length
    const block = this.block
    for (let offset = 0; offset < length; offset++) {
      const difference = (block[from + offset] as number) - (key[offset] as number)
      if (difference !== 0) return difference
    }
    return ownLength - key.length
  }

  key(index: number): Uint8Array {
    return this.#piece(index * 4)
  }

  entry(index: number): LeafEntry {
    return { key: this.key(index), value: this.#piece(index * 4 + 2), link: this.#link(index) }
  }

  entries(): readonly LeafEntry[] {
    const entries: LeafEntry[] = []
    for (let index = 0; index < this.count; index++) entries.push(this.entry(index))
    return entries
  }

  /** Every link of the leaf, in the order of its entries. */
  links(): Link[] {
    return Array.from(this.#index.linksAt, at => Link.within(this.block, at))
  }

  #piece(bound: number): Uint8Array {
    const bounds = this.#index.bounds
    const from = bounds[bound] as number
    const length = (bounds[bound + 1] as number) - from
    return new Uint8Array(this.block.buffer, this.block.byteOffset + from, length)
  }

  #link(entry: number): Link | undefined {
    const { owners, linksAt } = this.#index
    let low = 0
    let high = owners.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((owners[middle] as number) < entry) low = middle + 1
      else high = middle
    }
    return owners[low] === entry ? Link.within(this.block, linksAt[low] as number) : undefined
  }
}

/** An entry as the tree hands it out. */
export function treeEntry({ key, value, link }: LeafEntry): TreeEntry {
  return link === undefined ? { key, value } : { key, value, link: link.id }
}

function positionIn(leaf: Leaf, key: Uint8Array): number {
  let low = 0
  let high = leaf.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (leaf.compare(middle, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
