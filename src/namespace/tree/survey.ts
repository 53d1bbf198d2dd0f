/**
 * Walks a whole tree for whoever checks it: everything that can be read, in key order, and where
 * something cannot be read a gap that says which keys are behind it. All other walks end at the
 * first such place, and take nodes from a cache that says nothing about what is on the disk.
 */
import type { BlockId, StoreOptions } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { TreeNode } from './inner-node.ts'
import { InnerNode } from './inner-node.ts'
import { compareKeys } from './keys.ts'
import type { Leaf } from './leaf.ts'
import { takeTreeEntry } from './leaf.ts'
import type { Link } from './link.ts'
import { decodeOwned } from './node-cache.ts'
import { checkPlace, placedChild, rootPlace } from './node-source.ts'
import type { Place } from './node-source.ts'
import type { ScanRange, TreeEntry } from './tree.ts'

/** Leaves read at a time: half a megabyte, which keeps a disk and the hashing busy. */
const LEAVES_AT_ONCE = 8

/** What a node that is no node of this tree is refused with, here or where it was decoded. */
const MALFORMED: readonly ErrorCode[] = ['EPROTO', 'EBADMSG', 'EACCES', 'EFBIG', 'EINVAL']

export interface SurveyedNode {
  readonly kind: 'node'
  readonly id: BlockId
  readonly bytes: number
  /** Of a leaf, within the range. */
  readonly entries: readonly TreeEntry[]
}

/** Nothing is known of the keys `[from, to)`; undefined: to the end on that side. */
export interface SurveyedGap {
  readonly kind: 'gap'
  readonly id: BlockId
  /** Undefined: the block could not be had. */
  readonly error: Error | undefined
  readonly from: Uint8Array | undefined
  readonly to: Uint8Array | undefined
}

/** A node as it is before it is encoded; undefined when it cannot be had. */
export type ReadNode = (id: BlockId) => Promise<Uint8Array | undefined>

export async function* surveyTree(
  read: ReadNode,
  root: BlockId,
  { signal, ...range }: StoreOptions & ScanRange = {}
): AsyncGenerator<SurveyedNode | SurveyedGap> {
  signal?.throwIfAborted()
  const found = await load(read, { id: root, place: undefined })
  yield* new Survey(read, range, signal).below(found)
}

interface Wanted {
  readonly id: BlockId
  /** Undefined for the root, which may stand at any level. */
  readonly place: Place | undefined
}

type Found = Wanted & {
  readonly bytes: number
  readonly node: TreeNode | undefined
  readonly error: Error | undefined
}

class Survey {
  readonly #read: ReadNode
  readonly #range: ScanRange
  readonly #signal: AbortSignal | undefined

  constructor(read: ReadNode, range: ScanRange, signal: AbortSignal | undefined) {
    this.#read = read
    this.#range = range
    this.#signal = signal
  }

  async *below({
    id,
    place,
    bytes,
    node,
    error
  }: Found): AsyncGenerator<SurveyedNode | SurveyedGap> {
    if (node === undefined) {
      yield { kind: 'gap', id, error, from: place?.lower, to: place?.upper }
    } else if (node instanceof InnerNode) {
      yield { kind: 'node', id, bytes, entries: [] }
      const children = this.#childrenOf(node, place ?? rootPlace(node))
      const atOnce = node.level === 1 ? LEAVES_AT_ONCE : 1
      for (let from = 0; from < children.length; from += atOnce) {
        this.#signal?.throwIfAborted()
        const some = children.slice(from, from + atOnce)
        const loaded = await Promise.all(some.map(child => load(this.#read, child)))
        for (const child of loaded) yield* this.below(child)
      }
    } else {
      yield { kind: 'node', id, bytes, entries: this.#entriesOf(node) }
    }
  }

  #childrenOf(node: InnerNode, place: Place): Wanted[] {
    const { from, to } = this.#range
    const children: Wanted[] = []
    for (let index = 0; index < node.count; index++) {
      const { child, place: at } = placedChild(node, index, place)
      if (to !== undefined && at.lower !== undefined && compareKeys(at.lower, to) >= 0) break
      if (from !== undefined && at.upper !== undefined && compareKeys(at.upper, from) <= 0) continue
      // It was decoded from a block, so its children are links.
      children.push({ id: (child as Link).id, place: at })
    }
    return children
  }

  #entriesOf(leaf: Leaf): TreeEntry[] {
    const { from, to } = this.#range
    const end = to === undefined ? leaf.count : leaf.position(to)
    const entries: TreeEntry[] = []
    for (let index = from === undefined ? 0 : leaf.position(from); index < end; index++) {
      entries.push(takeTreeEntry(leaf, index))
    }
    return entries
  }
}

async function load(read: ReadNode, wanted: Wanted): Promise<Found> {
  const nothing = { ...wanted, bytes: 0, node: undefined, error: undefined }
  try {
    const bytes = await read(wanted.id)
    if (bytes === undefined) return nothing
    const node = decodeOwned(bytes)
    if (wanted.place !== undefined) checkPlace(node, wanted.place)
    return { ...nothing, bytes: bytes.length, node }
  } catch (error) {
    if (isWarrenError(error) && MALFORMED.includes(error.code)) return { ...nothing, error }
    throw error
  }
}
