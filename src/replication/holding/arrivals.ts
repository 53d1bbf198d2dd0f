/**
 * Blocks that were got and may not be in the store yet, because it is filled behind our back in
 * large batches: only what it was seen to have taken counts as held.
 */
import type { BlockId, BlockSession, CollectableBlockStore } from '../../blocks/index.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { SLICE_BYTES } from './limits.ts'

export interface ArrivalsComponents {
  readonly blocks: HeldBlocks
  readonly reader: Pick<BlockSession, 'flush'>
  readonly store: Pick<CollectableBlockStore, 'has'>
  readonly onArrived: (id: BlockId, bytes: number) => void
}

export class Arrivals {
  readonly #components: ArrivalsComponents
  #blocks: number[] = []
  #bytes = 0

  constructor(components: ArrivalsComponents) {
    this.#components = components
  }

  /** A block that was wanted was got. Waits now and then until the store has what came before. */
  async add(block: number, bytes: number): Promise<void> {
    const { blocks, onArrived } = this.#components
    const isNew = !blocks.isPresent(block)
    blocks.arrive(block, bytes)
    if (!isNew) return
    this.#blocks.push(block)
    onArrived(blocks.idOf(block), bytes)
    this.#bytes += bytes
    if (this.#bytes < SLICE_BYTES) return
    this.#bytes = 0
    await this.flush()
  }

  /** Resolves when the store has everything. Throws what it refused something with, `ENOSPC` say. */
  async flush(): Promise<void> {
    const { blocks, reader } = this.#components
    const arrived = this.#blocks
    this.#blocks = []
    try {
      await reader.flush()
    } catch (error) {
      // It may have been somebody else's block that was refused.
      if (!(await this.#lookFor(arrived))) throw error
      return
    }
    for (const block of arrived) blocks.settle(block)
  }

  /** Whether the store has all of them. */
  async #lookFor(arrived: readonly number[]): Promise<boolean> {
    const { blocks, store } = this.#components
    let hasAll = true
    for (const block of arrived) {
      if (await store.has(blocks.idOf(block))) {
        blocks.settle(block)
      } else {
        blocks.lose(block)
        hasAll = false
      }
    }
    return hasAll
  }
}
