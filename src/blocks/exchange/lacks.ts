/** Who said of what that they do not have it: believed for a while, so that nobody is asked in circles. */
import type { BlockId } from '../block-id.ts'
import type { PeerId } from '../../peer/index.ts'
import { LACKS_MAX, LACK_MS } from './limits.ts'

export class Lacks {
  readonly #sources = new Map<PeerId, Map<BlockId, number>>()

  add(source: PeerId, id: BlockId, now: number): void {
    let lacks = this.#sources.get(source)
    if (lacks === undefined) this.#sources.set(source, (lacks = new Map()))
    // Deleted first so that the map stays in order of age and the oldest goes first.
    lacks.delete(id)
    lacks.set(id, now + LACK_MS)
    for (const [oldest, until] of lacks) {
      if (lacks.size <= LACKS_MAX && now < until) break
      lacks.delete(oldest)
    }
  }

  has(source: PeerId, id: BlockId, now: number): boolean {
    const lacks = this.#sources.get(source)
    const until = lacks?.get(id)
    if (lacks === undefined || until === undefined) return false
    if (now < until) return true
    lacks.delete(id)
    if (lacks.size === 0) this.#sources.delete(source)
    return false
  }
}
