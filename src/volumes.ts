/**
 * The volumes a peer has open: its own, and those of others that are mounted or looked at. The
 * same id is the same volume everywhere, so that one subscription and one version serve all
 * mounts of it.
 */
import type { BlockExchange } from './blocks/index.ts'
import { openFollowedVolume } from './namespace/index.ts'
import type {
  HeadExchange,
  Link,
  LocalVolume,
  NodeCache,
  Volume,
  VolumeId
} from './namespace/index.ts'
import type { Clock, Peer, PeerId } from './peer/index.ts'

export interface VolumesComponents {
  readonly own: LocalVolume
  readonly peer: Peer
  readonly exchange: BlockExchange
  readonly heads: HeadExchange
  readonly cache: NodeCache
  readonly clock: Clock
}

export interface VolumesOptions {
  readonly attributeLifetimeMs?: number
  /** How long a block may make no progress, in milliseconds. */
  readonly deadlineMs?: number
}

interface Opened {
  readonly volume: Volume
  /** Who is said to have it; grows with each link it is mounted by. */
  readonly sources: Set<PeerId>
}

export class Volumes {
  readonly #components: VolumesComponents
  readonly #options: VolumesOptions
  readonly #opened = new Map<VolumeId, Opened>()

  constructor(components: VolumesComponents, options: VolumesOptions) {
    this.#components = components
    this.#options = options
  }

  /** Whether we keep the newest head of a volume of somebody else's. */
  follows(id: VolumeId): boolean {
    return this.#opened.has(id)
  }

  byLink(link: Link): Volume {
    const { peer } = this.#components
    for (const { id, addresses } of link.peers) {
      if (id === peer.id) continue
      // Failing to remember or keep a peer only means that others have to have the volume.
      void peer
        .remember(id, addresses)
        .then(() => peer.keep(id))
        .catch(() => {})
    }
    return this.open(
      link.volume,
      link.peers.map(({ id }) => id)
    )
  }

  open(id: VolumeId, from: readonly PeerId[]): Volume {
    const { own, exchange, cache, clock, heads } = this.#components
    if (id === own.id) return own
    const known = this.#opened.get(id)
    const sources = known?.sources ?? new Set<PeerId>()
    for (const peer of from) if (peer !== this.#components.peer.id) sources.add(peer)
    if (known !== undefined) return known.volume
    const reader = exchange.reader({ ...this.#options, sources: () => sources })
    const volume = openFollowedVolume(
      id,
      { heads, reader, cache, clock, sources: () => [...sources] },
      this.#options
    )
    this.#opened.set(id, { volume, sources })
    return volume
  }

  async close(volume: Volume): Promise<void> {
    if (volume === this.#components.own) return
    this.#opened.delete(volume.id)
    await volume.close()
  }

  async closeAll(): Promise<void> {
    for (const { volume } of this.#opened.values()) await volume.close()
    this.#opened.clear()
    await this.#components.own.close()
  }
}
