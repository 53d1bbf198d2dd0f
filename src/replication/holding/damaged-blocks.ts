/** Blocks of which somebody said that they are damaged or missing here: looked at, and given up if so. */
import { isBlock } from '../../blocks/index.ts'
import type { BlockId, CollectableBlockStore } from '../../blocks/index.ts'
import { SUSPECTED_MAX } from './limits.ts'
import type { HeldBlocks } from './held-blocks.ts'

export interface DamagedBlocksComponents {
  readonly blocks: HeldBlocks
  readonly store: Pick<CollectableBlockStore, 'get' | 'deleteMany'>
}

export class DamagedBlocks {
  readonly #components: DamagedBlocksComponents
  readonly #suspected = new Set<BlockId>()

  constructor(components: DamagedBlocksComponents) {
    this.#components = components
  }

  get isSuspicious(): boolean {
    return this.#suspected.size > 0
  }

  suspect(ids: readonly BlockId[]): void {
    for (const id of ids) {
      if (this.#suspected.size < SUSPECTED_MAX) this.#suspected.add(id)
    }
  }

  /**
   * What cannot be read is removed, so that a good copy can take its place, and is wanted from now
   * on. What can be read stays, whatever was said: it may be the last copy there is.
   */
  async examine({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { blocks, store } = this.#components
    for (const id of this.#suspected) {
      signal.throwIfAborted()
      this.#suspected.delete(id)
      const block = blocks.find(id)
      if (block < 0 || !blocks.isPresent(block)) continue
      const bytes = await store.get(id).catch(() => undefined)
      const isGood = bytes !== undefined && (await isBlock({ id, bytes }))
      if (isGood) continue
      await store.deleteMany([id])
      blocks.lose(block)
    }
  }
}
