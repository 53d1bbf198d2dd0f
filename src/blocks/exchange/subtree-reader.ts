/**
 * Yields a whole subtree in the order of the walk: nodes are got ahead because they say what
 * follows, data is fetched from all sources at once through the window.
 */
import { codecOf } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import type { StoreOptions } from '../block-store.ts'
import { NodesAhead } from './nodes-ahead.ts'
import type { NodeStream } from './node-stream.ts'
import type { WindowItem } from './ordered-window.ts'
import { SubtreeWalk } from './subtree-walk.ts'

export interface SubtreeOptions extends StoreOptions {
  /** Leave out raw blocks. Default false. */
  readonly nodesOnly?: boolean
  /**
   * Nothing of the subtree is on this machine: ask one source for all nodes in one want. Saves
   * round trips then, and wastes traffic when it is not so. Default false.
   */
  readonly cold?: boolean
  /** Asked for each node; false leaves out what is below it. Default: all is walked. */
  readonly enter?: (id: BlockId) => boolean
}

export interface SubtreeComponents {
  readonly get: (id: BlockId, options: StoreOptions) => Promise<Uint8Array>
  /** What a block is expected to have. */
  readonly blockBytes: () => number
  /** Asks a source for all nodes; `undefined` when there is no source to ask now. */
  readonly openStream: () => NodeStream | undefined
}

/** What a subtree consists of, in order: nodes with their bytes, data by its id. */
export async function* walkSubtree(
  { get, blockBytes, openStream }: SubtreeComponents,
  root: BlockId,
  options: SubtreeOptions & { readonly signal: AbortSignal }
): AsyncGenerator<WindowItem, void, undefined> {
  const { nodesOnly = false, cold = false, enter = () => true, signal } = options
  const walk = new SubtreeWalk(root, { nodesOnly })
  const ahead = new NodesAhead(id => get(id, { signal }), blockBytes)
  let stream = cold ? openStream() : undefined
  const closeStream = (): void => stream?.close()
  signal.addEventListener('abort', closeStream)
  try {
    for (let id = walk.next(); id !== undefined; id = walk.next()) {
      if (codecOf(id) === 'raw') {
        yield id
        continue
      }
      let bytes = await stream?.take(id)
      if (bytes === undefined) {
        stream = undefined
        bytes = await ahead.take(id, walk)
      }
      if (enter(id)) walk.enter(id, bytes)
      if (stream === undefined) ahead.fill(walk)
      yield { id, bytes }
    }
  } finally {
    signal.removeEventListener('abort', closeStream)
    stream?.close()
  }
}
