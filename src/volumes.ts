/**
 * The volumes a peer has open: its own, and those of others that are mounted or looked at. The
 * same id is the same volume everywhere, so that one subscription and one version serve all
 * mounts of it; it is closed when its last user has closed it.
 */
import { BLOCKS_PROTOCOL } from './blocks/index.ts'
import type { BlockExchange, BlockId } from './blocks/index.ts'
import type { KeptPeers } from './kept-peers.ts'
import { openFollowedVolume } from './namespace/index.ts'
import type {
  FollowedVolume,
  HeadExchange,
  Link,
  LocalVolume,
  NodeCache,
  Volume,
  VolumeId
} from './namespace/index.ts'
import type { Clock, Peer, PeerId } from './peer/index.ts'
import type { HolderSearch, PeerReplication } from './replication/index.ts'

export interface VolumesComponents {
  readonly own: LocalVolume
  readonly peer: Peer
  readonly kept: KeptPeers
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
  readonly volume: FollowedVolume
  /** Who is said to have it; grows with each link it is opened by. */
  readonly sources: Set<PeerId>
  /** For more of them. */
  search: HolderSearch | undefined
  users: number
}

export class Volumes {
  readonly #components: VolumesComponents
  readonly #options: VolumesOptions
  readonly #opened = new Map<VolumeId, Opened>()
  #findHolders: PeerReplication['findHolders'] | undefined

  constructor(components: VolumesComponents, options: VolumesOptions) {
    this.#components = components
    this.#options = options
  }

  /** From now on finds out who else has what is open, so that nobody is missed who goes away. */
  search(findHolders: PeerReplication['findHolders']): void {
    this.#findHolders = findHolders
    for (const [id, opened] of this.#opened) this.#search(id, opened)
  }

  /** Whether a volume of somebody else's is in use here. */
  follows(id: VolumeId): boolean {
    return this.#opened.has(id)
  }

  /** Roots of what is shown of volumes of others. */
  roots(): BlockId[] {
    return [...this.#opened.values()].flatMap(({ volume }) => volume.roots())
  }

  /** Begins to connect with the peers that a link names, for who is about to open it. */
  approach({ peers }: Link): void {
    const { peer } = this.#components
    for (const { id, addresses } of peers) {
      if (id === peer.id) continue
      // Who cannot be reached is found out by opening the link.
      peer
        .remember(id, addresses)
        .then(() => peer.prepare(id, BLOCKS_PROTOCOL))
        .catch(() => {})
    }
  }

  /** Opens what a link names, and stays connected with the peers that it names. */
  openLink(link: Link): Volume {
    const { peer, kept } = this.#components
    for (const { id, addresses } of link.peers) {
      // What cannot be remembered or kept only means that others have to have the volume.
      if (id !== peer.id) void peer.remember(id, addresses).catch(() => {})
      void kept.hold(id).catch(() => {})
    }
    const volume = this.open(
      link.volume,
      link.peers.map(({ id }) => id)
    )
    if (link.key !== undefined) this.#opened.get(link.volume)?.volume.addReadKey(link.key)
    return volume
  }

  async closeLink(link: Link): Promise<void> {
    for (const { id } of link.peers) await this.#components.kept.letGo(id)
    await this.close(link.volume)
  }

  open(id: VolumeId, from: readonly PeerId[]): Volume {
    const { own, peer } = this.#components
    if (id === own.id) return own
    const others = from.filter(source => source !== peer.id)
    const opened = this.#opened.get(id) ?? this.#open(id, others)
    opened.users++
    for (const source of others) opened.sources.add(source)
    return opened.volume
  }

  async close(id: VolumeId): Promise<void> {
    const opened = this.#opened.get(id)
    if (opened === undefined || --opened.users > 0) return
    this.#opened.delete(id)
    // A list that cannot be forgotten does no harm.
    await opened.search?.forget().catch(() => {})
    await opened.volume.close()
  }

  async closeAll(): Promise<void> {
    for (const { volume, search } of this.#opened.values()) {
      search?.end()
      await volume.close()
    }
    this.#opened.clear()
    await this.#components.own.close()
  }

  #search(id: VolumeId, opened: Opened): void {
    const { sources } = opened
    opened.search = this.#findHolders?.({
      volume: id,
      sources: () => [...sources],
      found: holders => {
        for (const holder of holders) sources.add(holder)
      }
    })
  }

  #open(id: VolumeId, from: readonly PeerId[]): Opened {
    const { exchange, cache, clock, heads } = this.#components
    const sources = new Set(from)
    const reader = exchange.reader({ ...this.#options, sources: () => sources })
    const volume = openFollowedVolume(
      id,
      { heads, reader, cache, clock, sources: () => [...sources] },
      this.#options
    )
    const opened: Opened = { volume, sources, search: undefined, users: 0 }
    this.#search(id, opened)
    this.#opened.set(id, opened)
    return opened
  }
}
