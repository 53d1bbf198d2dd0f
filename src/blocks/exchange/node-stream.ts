/**
 * The nodes of a whole subtree, asked of one source in one want: for a first copy, when nothing of
 * it is on this machine, this saves a round trip for each level of the tree. The source is only
 * trusted to be quick: should it fail, lie, lack something or fall silent, the stream ends, and
 * whoever walks gets the rest in the usual way.
 */
import type { Block } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import type { FetchedBlock } from './fetch-blocks.ts'
import type { Clock } from '../../peer/index.ts'
import { NODES_STREAMED_BYTES_MAX } from './limits.ts'

export interface NodeStreamOptions {
  /** How long the stream may let the walk wait. */
  readonly stallMs: number
  readonly clock: Clock
  /** Given each batch that came, all of it verified; no more comes until it resolves. */
  readonly onNodes: (nodes: readonly Block[]) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** The nodes of a subtree as one source sends them. */
export class NodeStream {
  readonly #options: NodeStreamOptions
  readonly #controller = new AbortController()
  readonly #nodes = new Map<BlockId, Uint8Array>()
  #bytes = 0
  #ended = false
  #wakeWalk: (() => void) | undefined
  #wakeStream: (() => void) | undefined

  constructor(
    open: (signal: AbortSignal) => AsyncIterable<readonly FetchedBlock[]>,
    options: NodeStreamOptions
  ) {
    this.#options = options
    void this.#run(open(this.#controller.signal))
  }

  /** The node, or `undefined` when it will not come from here: then nothing else will, either. */
  async take(id: BlockId): Promise<Uint8Array | undefined> {
    if (!this.#nodes.has(id)) await this.#waitFor(id)
    const bytes = this.#nodes.get(id)
    if (bytes === undefined) return undefined
    this.#nodes.delete(id)
    this.#bytes -= bytes.length
    this.#wakeStream?.()
    return bytes
  }

  async #waitFor(id: BlockId): Promise<void> {
    const { clock, stallMs } = this.#options
    const cancel = clock.after(stallMs, () => this.close())
    while (!this.#nodes.has(id) && !this.#ended) {
      // What the walk passes over (it was there already) must not stand in the way for ever.
      if (this.#bytes >= NODES_STREAMED_BYTES_MAX) this.#forget()
      await new Promise<void>(resolve => {
        this.#wakeWalk = resolve
        this.#wakeStream?.()
      })
    }
    cancel()
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#controller.abort()
    this.#wakeWalk?.()
    this.#wakeStream?.()
  }

  #forget(): void {
    this.#nodes.clear()
    this.#bytes = 0
  }

  /** Never rejects. */
  async #run(batches: AsyncIterable<readonly FetchedBlock[]>): Promise<void> {
    try {
      for await (const batch of batches) {
        if (this.#ended) return
        const nodes = batch.filter(isHere)
        for (const { id, bytes } of nodes) {
          this.#nodes.set(id, bytes)
          this.#bytes += bytes.length
        }
        this.#wakeWalk?.()
        await this.#options.onNodes(nodes)
        // A source that lacks nodes sends an order that is not ours any more.
        if (nodes.length < batch.length) return
        while (this.#bytes >= NODES_STREAMED_BYTES_MAX && !this.#ended) {
          await new Promise<void>(resolve => (this.#wakeStream = resolve))
        }
      }
    } catch (error) {
      if (!this.#ended) this.#options.onError(error)
    } finally {
      this.close()
    }
  }
}

function isHere(block: FetchedBlock): block is FetchedBlock & Block {
  return block.bytes !== undefined
}
