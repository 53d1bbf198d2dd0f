/** Blocks that nobody had when they were asked for: each is told of once, until it was found. */
import type { BlockId } from '../../blocks/index.ts'
import { LOST_IDS_MAX, LOST_REMEMBERED_MAX } from './limits.ts'

export class LostBlocks {
  readonly #tell: (ids: readonly BlockId[]) => void
  readonly #told = new Set<BlockId>()
  #untold: BlockId[] = []

  constructor(tell: (ids: readonly BlockId[]) => void) {
    this.#tell = tell
  }

  get hasSome(): boolean {
    return this.#told.size > 0
  }

  add(id: BlockId): void {
    if (this.#told.has(id) || this.#told.size === LOST_REMEMBERED_MAX) return
    this.#told.add(id)
    this.#untold.push(id)
  }

  delete(id: BlockId): void {
    this.#told.delete(id)
  }

  clear(): void {
    this.#told.clear()
    this.#untold = []
  }

  /** Tells of what was added since the last time and was not found since. */
  tell(): void {
    const ids = this.#untold.filter(id => this.#told.has(id)).slice(0, LOST_IDS_MAX)
    this.#untold = []
    if (ids.length > 0) this.#tell(ids)
  }
}
