/** How many watches each peer bears of us, over all volumes that we share with it. */
import type { PeerId } from '../../peer/index.ts'
import { WATCHES_PER_PEER_MAX } from './circle-limits.ts'

export class WatchSlots {
  readonly #taken = new Map<PeerId, number>()

  /** False: there are as many as there may be. What was taken is to be freed. */
  take(peer: PeerId): boolean {
    const taken = this.#taken.get(peer) ?? 0
    if (taken >= WATCHES_PER_PEER_MAX) return false
    this.#taken.set(peer, taken + 1)
    return true
  }

  free(peer: PeerId): void {
    const taken = this.#taken.get(peer) ?? 0
    if (taken > 1) this.#taken.set(peer, taken - 1)
    else this.#taken.delete(peer)
  }
}
