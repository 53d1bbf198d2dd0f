/**
 * Leaves in memory, in two forms. A packed leaf is the block's bytes and an index of where its
 * keys and values are: a few per cent larger than the block, which is what makes a cache worth its
 * memory. An open leaf is a list of entries, shared with the leaf it was copied from: what a
 * change costs is a copy of pointers and not of 64 KiB.
 */
import type { TreeEntry } from './tree.ts'
import { headBytes } from './cbor.ts'
import { EntryInPlace, setPlace } from './entry-in-place.ts'
import type { ReadEntry } from './entry-in-place.ts'
import { KeyIndex } from './key-index.ts'
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
  /** Puts an entry in place. */
  locate(index: number, place: EntryInPlace): void
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
    const entries = this.#entries
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys((entries[middle] as LeafEntry).key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
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

  locate(index: number, place: EntryInPlace): void {
    setPlace(place, this.entry(index))
  }
}

/** Where things are in a block. */
export interface LeafIndex {
  /** Four numbers an entry: key from and to, value from and to. */
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
  readonly #keys: KeyIndex
  readonly #bounds: Uint32Array
  readonly #linksAt: Uint32Array
  readonly #owners: Uint32Array

  constructor(block: Uint8Array, index: LeafIndex) {
    this.block = block
    this.#keys = new KeyIndex(block, index.bounds, 4)
    this.#bounds = index.bounds
    this.#linksAt = index.linksAt
    this.#owners = index.owners
    this.count = this.#keys.count
    this.contentBytes = index.contentBytes
  }

  /** Bytes of memory, about: the block, its index, and the objects around them. */
  get memoryBytes(): number {
    return this.block.length + this.#keys.memoryBytes + 2 * this.#owners.byteLength + 512
  }

  position(key: Uint8Array): number {
    return this.#keys.position(key)
  }

  compare(index: number, key: Uint8Array): number {
    return this.#keys.compare(index, key)
  }

  key(index: number): Uint8Array {
    return this.#keys.key(index)
  }

  entry(index: number): LeafEntry {
    return { key: this.key(index), value: this.#value(index), link: this.#link(index) }
  }

  entries(): readonly LeafEntry[] {
    const entries: LeafEntry[] = []
    for (let index = 0; index < this.count; index++) entries.push(this.entry(index))
    return entries
  }

  locate(index: number, place: EntryInPlace): void {
    const bounds = this.#bounds
    const at = index * 4
    place.keyBytes = this.block
    place.keyFrom = bounds[at] as number
    place.keyTo = bounds[at + 1] as number
    place.valueBytes = this.block
    place.valueFrom = bounds[at + 2] as number
    place.valueTo = bounds[at + 3] as number
  }

  /** Every link of the leaf, in the order of its entries. */
  links(): Link[] {
    return Array.from(this.#linksAt, at => Link.within(this.block, at))
  }

  #value(index: number): Uint8Array {
    const from = this.#bounds[index * 4 + 2] as number
    const length = (this.#bounds[index * 4 + 3] as number) - from
    return new Uint8Array(this.block.buffer, this.block.byteOffset + from, length)
  }

  #link(entry: number): Link | undefined {
    const owners = this.#owners
    let low = 0
    let high = owners.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((owners[middle] as number) < entry) low = middle + 1
      else high = middle
    }
    if (owners[low] !== entry) return undefined
    return Link.within(this.block, this.#linksAt[low] as number)
  }
}

/** Takes an entry out of a leaf. */
export type TakeEntry<Result> = (leaf: Leaf, index: number) => Result

/** Shows entries to `read` where they stand. */
export function takeInPlace<Result>(read: ReadEntry<Result>): TakeEntry<Result> {
  const place = new EntryInPlace()
  return (leaf, index) => {
    leaf.locate(index, place)
    return read(place)
  }
}

export function takeTreeEntry(leaf: Leaf, index: number): TreeEntry {
  return treeEntry(leaf.entry(index))
}

/** An entry as the tree hands it out. */
export function treeEntry({ key, value, link }: LeafEntry): TreeEntry {
  return link === undefined ? { key, value } : { key, value, link: link.id }
}
