/**
 * Whom this peer watches in one circle: those whom the list has it watch, and, as long as few of
 * them are heard, those who may know of a list or where they are.
 */
import type { PeerId } from '../../peer/index.ts'
import { SOURCES_MAX } from './circle-limits.ts'
import type { Ring } from './ring.ts'
import { Watch } from './watch.ts'
import type { WatchComponents } from './watch.ts'

export interface WatchesOptions {
  readonly self: PeerId
  readonly sources: readonly PeerId[]
}

export class Watches {
  readonly #components: WatchComponents
  readonly #self: PeerId
  readonly #sources: readonly PeerId[]
  readonly #watches = new Map<PeerId, Watch>()
  /** Of those whom we watch, who was heard since. */
  readonly #reached = new Set<PeerId>()
  readonly #stopping = new Set<Promise<void>>()
  #ring: Ring

  constructor(ring: Ring, components: WatchComponents, { self, sources }: WatchesOptions) {
    this.#ring = ring
    this.#components = components
    this.#self = self
    this.#sources = sources.filter(peer => peer !== self).slice(0, SOURCES_MAX)
  }

  has(holder: PeerId): boolean {
    return this.#watches.has(holder)
  }

  /** By another list others may be watched, and who refused us may think otherwise. */
  follow(ring: Ring): void {
    this.#ring = ring
    this.#choose()
    for (const watch of this.#watches.values()) watch.retry()
  }

  /** The peer is there: what waits for it in a pause need not. */
  retry(peer: PeerId): void {
    this.#watches.get(peer)?.retry()
  }

  /** Where these may be found is known better now. */
  found(peers: Iterable<PeerId>): void {
    for (const peer of peers) if (!this.#reached.has(peer)) this.retry(peer)
  }

  /** Once enough of the others are heard, the sources are not needed. */
  reach(from: PeerId): void {
    if (this.#reached.has(from)) return
    const needed = this.#needsSources
    this.#reached.add(from)
    if (needed && !this.#needsSources) this.#choose()
  }

  /** Resolves when none is left. */
  async close(): Promise<void> {
    for (const peer of this.#watches.keys()) this.#unwatch(peer)
    await Promise.all(this.#stopping)
  }

  /** Whom we hear tells us where the rest are; as long as they are few, the sources may know. */
  get #needsSources(): boolean {
    const watched = this.#ring.watchedBy(this.#self)
    return 2 * watched.filter(peer => this.#reached.has(peer)).length < watched.length
  }

  #choose(): void {
    const wanted = new Set(this.#ring.watchedBy(this.#self))
    if (!this.#ring.has(this.#self) || this.#needsSources) {
      for (const source of this.#sources) wanted.add(source)
    }
    for (const peer of this.#reached) if (!wanted.has(peer)) this.#reached.delete(peer)
    for (const peer of this.#watches.keys()) if (!wanted.has(peer)) this.#unwatch(peer)
    for (const peer of wanted) {
      if (!this.#watches.has(peer)) this.#watches.set(peer, new Watch(peer, this.#components))
    }
  }

  #unwatch(holder: PeerId): void {
    const stopped = this.#watches.get(holder)?.stop()
    this.#watches.delete(holder)
    if (stopped === undefined) return
    this.#stopping.add(stopped)
    void stopped.then(() => this.#stopping.delete(stopped))
  }
}
