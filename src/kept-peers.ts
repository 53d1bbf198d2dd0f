/**
 * Who of a peer's acquaintances it stays connected with, on whose behalf: two mounts may need the
 * same peer, and it is let go of when the last one is gone.
 */
import type { Peer, PeerId } from './peer/index.ts'

export class KeptPeers {
  readonly #peer: Pick<Peer, 'id' | 'keep' | 'release'>
  readonly #holds = new Map<PeerId, number>()

  /** `always`: kept by others already, and never to be let go of from here. */
  constructor(peer: Pick<Peer, 'id' | 'keep' | 'release'>, always: Iterable<PeerId> = []) {
    this.#peer = peer
    for (const id of always) this.#holds.set(id, Infinity)
  }

  async hold(id: PeerId): Promise<void> {
    if (id === this.#peer.id) return
    const holds = this.#holds.get(id) ?? 0
    this.#holds.set(id, holds + 1)
    if (holds === 0) await this.#peer.keep(id)
  }

  /** Keeps it until the end, whoever else lets go. */
  async holdAlways(id: PeerId): Promise<void> {
    await this.hold(id)
    if (this.#holds.has(id)) this.#holds.set(id, Infinity)
  }

  async letGo(id: PeerId): Promise<void> {
    const holds = this.#holds.get(id)
    if (holds === undefined) return
    if (holds > 1) this.#holds.set(id, holds - 1)
    else {
      this.#holds.delete(id)
      await this.#peer.release(id)
    }
  }
}
