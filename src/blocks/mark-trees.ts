/**
 * The marking half of collection: walks trees over what is here and remembers what it met. A tree is
 * kept whole, or, where this peer holds only its part of a volume, with all nodes and some data.
 */
import type { BlockId } from './block-id.ts'
import { codecOf } from './block-id.ts'
import type { BlockStore, StoreOptions } from './block-store.ts'
import { createIdFilter } from './id-filter.ts'
import type { IdFilter } from './id-filter.ts'
import { readNodeLinks } from './node-links.ts'
import { isWarrenError } from '../errors.ts'

/** Trees kept in part, as those of a volume held for somebody else are. */
export interface TreesInPart {
  /** Every node below these stays. Called once a run. */
  roots(): readonly BlockId[]
  /**
   * Whether a data block below the roots stays. Called when it is met, and, when the answer was no,
   * again just before it is removed: it may have become ours meanwhile. While a node is missing
   * here nobody knows what is below it: then all nodes stay, and every block this says yes to.
   */
  keeps(id: BlockId): boolean
}

/** Gives the bytes of a node that is not here, or undefined when its tree may lack it. */
export type FindNode = (id: BlockId, root: BlockId) => Promise<Uint8Array | undefined>

export interface TreeMarksComponents {
  readonly store: Pick<BlockStore, 'get'>
  /** Called between nodes, so that others have their turn. */
  readonly rest: () => Promise<void>
}

export class TreeMarks {
  readonly #components: TreeMarksComponents
  readonly #createFilter: () => IdFilter
  readonly #marked: IdFilter
  /** Nodes below which everything is marked. Shared by all roots: versions share most of their nodes. */
  readonly #seen = new Set<BlockId>()
  readonly #inPart: Part[] = []

  /** `idsMax`: how many blocks there are. */
  constructor(components: TreeMarksComponents, { idsMax }: { readonly idsMax: number }) {
    this.#components = components
    this.#createFilter = () => createIdFilter({ idsMax, salt: randomSalt() })
    this.#marked = this.#createFilter()
  }

  /** Whether a block must stay as far as is known at this moment. Errs towards yes. */
  has(id: BlockId): boolean {
    if (this.#marked.has(id)) return true
    return this.#inPart.some(({ trees, refused, isWhole }) => {
      if (isWhole) return refused.has(id) && trees.keeps(id)
      return isNode(id) || trees.keeps(id)
    })
  }

  async markWhole(
    root: BlockId,
    options: StoreOptions & { readonly find?: FindNode | undefined }
  ): Promise<void> {
    const missing = async (id: BlockId): Promise<Uint8Array | undefined> => options.find?.(id, root)
    await this.#walk([root], { seen: this.#seen, keeps: () => true, missing }, options)
  }

  /** After all that is marked whole, or its nodes are walked twice. */
  async markInPart(trees: TreesInPart, options: StoreOptions): Promise<void> {
    const part: Part = { trees, refused: this.#createFilter(), isWhole: true }
    this.#inPart.push(part)
    const keeps = (id: BlockId): boolean => {
      if (trees.keeps(id)) return true
      part.refused.add(id)
      return false
    }
    const missing = async (): Promise<undefined> => void (part.isWhole = false)
    // Not shared: what another walk passed by, this one may have to keep.
    await this.#walk(trees.roots(), { seen: new Set(), keeps, missing }, options)
  }

  /** Depth first over what is here. */
  async #walk(roots: readonly BlockId[], walk: Walk, options: StoreOptions): Promise<void> {
    const pending = [...roots]
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      options.signal?.throwIfAborted()
      if (!isNode(id)) {
        if (walk.keeps(id)) this.#marked.add(id)
        continue
      }
      // Only nodes are remembered exactly: they are few, and the filter may not cut a walk short.
      if (this.#seen.has(id) || walk.seen.has(id)) continue
      walk.seen.add(id)
      this.#marked.add(id)
      const bytes = (await this.#components.store.get(id, options)) ?? (await walk.missing(id))
      if (bytes !== undefined) for (const link of linksOf(bytes)) pending.push(link)
      await this.#components.rest()
    }
  }
}

interface Part {
  readonly trees: TreesInPart
  /** Data that was met and not kept. */
  readonly refused: IdFilter
  /** Every node was there. */
  isWhole: boolean
}

interface Walk {
  readonly seen: Set<BlockId>
  readonly keeps: (id: BlockId) => boolean
  readonly missing: (id: BlockId) => Promise<Uint8Array | undefined>
}

function isNode(id: BlockId): boolean {
  return codecOf(id) === 'dag-cbor'
}

/** A block that is no node, in a volume of somebody who wants to annoy us, must not stop collection. */
function linksOf(bytes: Uint8Array): BlockId[] {
  try {
    return readNodeLinks(bytes)
  } catch (error) {
    if (isWarrenError(error, 'EPROTO')) return []
    throw error
  }
}

function randomSalt(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!
}
