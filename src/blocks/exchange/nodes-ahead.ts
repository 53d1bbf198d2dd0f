/**
 * Gets the nodes of a subtree before the walk reaches them. What is below a node is unknown until
 * the node is here, so without this each node would cost a round trip.
 */
import { codecOf } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import { NODES_GOT_AHEAD_BYTES, NODES_GOT_AHEAD_MAX } from './limits.ts'
import type { SubtreeWalk } from './subtree-walk.ts'

/** How far ahead of the walk to look for nodes, past the blocks of data between them. */
const LOOK_AHEAD_BLOCKS = 4096

export class NodesAhead {
  readonly #get: (id: BlockId) => Promise<Uint8Array>
  readonly #nodeBytes: () => number
  readonly #got = new Map<BlockId, Promise<Uint8Array>>()

  /** `nodeBytes` says what a node is expected to have. */
  constructor(get: (id: BlockId) => Promise<Uint8Array>, nodeBytes: () => number) {
    this.#get = get
    this.#nodeBytes = nodeBytes
  }

  async take(id: BlockId, walk: SubtreeWalk): Promise<Uint8Array> {
    const got = this.#got.get(id) ?? this.#get(id)
    this.#got.delete(id)
    this.fill(walk)
    return got
  }

  /** Begins to get what comes next, many at a time so that they make few wants. */
  fill(walk: SubtreeWalk): void {
    const fitting = Math.ceil(NODES_GOT_AHEAD_BYTES / this.#nodeBytes())
    const nodesMax = Math.min(fitting, NODES_GOT_AHEAD_MAX)
    if (this.#got.size > nodesMax / 2) return
    for (const id of walk.upcoming(LOOK_AHEAD_BLOCKS, nodesMax)) {
      if (this.#got.size >= nodesMax) return
      if (codecOf(id) === 'raw' || this.#got.has(id)) continue
      const got = this.#get(id)
      // It may never be waited for.
      got.catch(() => {})
      this.#got.set(id, got)
    }
  }
}
