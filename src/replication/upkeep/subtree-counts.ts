/**
 * How many blocks there are in each subtree, so that one of them all can be chosen evenly by a
 * descent from the root. Nodes do not say it, and could not be believed if they did. A count never
 * changes, because nodes are named by their hash: of a tree that was counted once, a new version
 * costs the nodes that it made. The first count is spread over many calls.
 */
import { blockIdToBytes, codecOf, readNodeLinks } from '../../blocks/index.ts'
import type { BlockId, BlockStore } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import { shareEventLoop } from '../../namespace/index.ts'

/** Nodes read in one call at most: 64 MiB at the usual size, some tenths of a second of a processor. */
export const COUNT_READS_MAX = 1024

/** Nodes whose counts are kept, at about 50 bytes each: those of 16 GiB of tree. */
export const COUNTED_NODES_MAX: number = 256 * 1024

/** No tree is as high; one that says it is was made to keep us walking. */
export const HEIGHT_MAX = 32

export interface SubtreeCountsOptions {
  /** Default `COUNT_READS_MAX`. */
  readonly readsMax?: number
  /** Default `COUNTED_NODES_MAX`. */
  readonly nodesMax?: number
}

interface Reads {
  left: number
  readonly signal: AbortSignal
}

export class SubtreeCounts {
  readonly #store: Pick<BlockStore, 'get'>
  readonly #readsMax: number
  readonly #nodesMax: number
  readonly #counts = new Map<number, number>()

  constructor(store: Pick<BlockStore, 'get'>, options: SubtreeCountsOptions = {}) {
    this.#store = store
    this.#readsMax = options.readsMax ?? COUNT_READS_MAX
    this.#nodesMax = options.nodesMax ?? COUNTED_NODES_MAX
  }

  /** Counts what is below a root, as much of it as one call may read; the next one goes on. */
  async count(root: BlockId, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (this.of(root) === undefined) await this.#visit(root, 1, { left: this.#readsMax, signal })
  }

  /** A block is one. Undefined: what is below the node was not counted to its end. */
  of(id: BlockId): number | undefined {
    return codecOf(id) === 'raw' ? 1 : this.#counts.get(shortKey(id))
  }

  /** With the node itself. A block that is linked to twice counts twice. */
  async #visit(node: BlockId, height: number, reads: Reads): Promise<number | undefined> {
    if (height > HEIGHT_MAX || reads.left === 0) return undefined
    reads.left--
    const bytes = await this.#store.get(node, { signal: reads.signal })
    await shareEventLoop()
    reads.signal.throwIfAborted()
    if (bytes === undefined) return undefined
    let [count, isWhole] = [1, true]
    for (const link of linksOf(bytes)) {
      const below = this.of(link) ?? (await this.#visit(link, height + 1, reads))
      if (below === undefined) isWhole = false
      else count += below
    }
    if (!isWhole) return undefined
    // Most of them are of old versions by now: what is not is counted again.
    if (this.#counts.size >= this.#nodesMax) this.#counts.clear()
    this.#counts.set(shortKey(node), count)
    return count
  }
}

/** What does not read as a node has nothing below it. */
export function linksOf(node: Uint8Array): readonly BlockId[] {
  try {
    return readNodeLinks(node)
  } catch (error) {
    if (isWarrenError(error, 'EPROTO')) return []
    throw error
  }
}

/** 48 bits of the hash: two nodes that share them make a draw uneven, and nothing else. */
function shortKey(id: BlockId): number {
  const bytes = blockIdToBytes(id)
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 6)
  return view.getUint32(0) * 65_536 + view.getUint16(4)
}
