/** Channels that are being opened, by whom they lead to. */
import type { PeerId } from './peer.ts'

export class Openings {
  readonly #underWay = new Map<PeerId, Set<Promise<unknown>>>()

  /** Counts an opening for as long as it lasts, and resolves or rejects as it does. */
  async during<Result>(peer: PeerId, opening: Promise<Result>): Promise<Result> {
    const openings = this.#underWay.get(peer) ?? new Set()
    this.#underWay.set(peer, openings.add(opening))
    try {
      return await opening
    } finally {
      openings.delete(opening)
      if (openings.size === 0) this.#underWay.delete(peer)
    }
  }

  /** Resolves when those under way to this peer have ended, whichever way. */
  async ended(peer: PeerId): Promise<void> {
    const openings = this.#underWay.get(peer)
    if (openings !== undefined) await Promise.allSettled(openings)
  }
}
