/**
 * `/peers/<id>/<share>/…`: the same name for the same thing on every peer (mission R14). The
 * directories are made up from who is known and what they offer; a share is the volume itself.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import type { HeadExchange } from '../heads/head-exchange.ts'
import type { Offer } from '../heads/head-messages.ts'
import type { VolumeId } from '../heads/head.ts'
import type { Tree } from '../tree/tree.ts'
import { ROOT_INODE } from '../volume/volume.ts'
import type { Volume } from '../volume/volume.ts'
import { DirectoriesVolume } from './directories-volume.ts'
import type { Mounted } from './mounts.ts'
import { childPath, isWithin, namesOf } from './paths.ts'
import { walkVolume } from './walk.ts'

export const PEERS_PATH = '/peers'

/** How long what a peer offers is believed, in milliseconds: a path walk asks at every step. */
const OFFERS_LIFETIME_MS = 3_000

/** How many peers' offers are remembered. */
const PEERS_MAX = 1_000

/** Shares that stay open; each costs a subscription. The one unused for longest is closed first. */
export const SHARES_OPEN_MAX = 64

export interface PeerDirectoryComponents {
  readonly peer: Pick<Peer, 'id' | 'known'>
  readonly heads: Pick<HeadExchange, 'offersOf'>
  readonly clock: Clock
  /** What we offer ourselves, shown under our own id. */
  readonly ownOffers: () => readonly Offer[]
  readonly openVolume: (volume: VolumeId, from: PeerId) => Volume
  /** Undoes one `openVolume`. */
  readonly closeVolume: (volume: VolumeId) => Promise<void>
  readonly emptyTree: Tree
}

export class PeerDirectory {
  readonly #components: PeerDirectoryComponents
  readonly #volume: DirectoriesVolume
  readonly #offers = new Map<PeerId, { readonly offers: readonly Offer[]; readonly atMs: number }>()
  /** By peer and volume, least recently used first. */
  readonly #opened = new Map<string, Volume>()

  constructor(components: PeerDirectoryComponents) {
    this.#components = components
    this.#volume = new DirectoriesVolume(
      'peers' as VolumeId,
      components.emptyTree,
      path => this.#children(path),
      components.clock.now()
    )
  }

  async at(path: string, options?: StoreOptions): Promise<Mounted | undefined> {
    if (path === PEERS_PATH) return { path, volume: this.#volume, inode: ROOT_INODE }
    if (!isWithin(path, PEERS_PATH)) return undefined
    const [, peer, share, ...rest] = namesOf(path)
    if (rest.length > 0 || !this.#isKnown(peer as PeerId)) return undefined
    const offers = await this.#offersOf(peer as PeerId, options)
    const offer = offers.find(({ name }) => name === share)
    if (offer === undefined) return undefined
    const volume = await this.#open(offer.volume, peer as PeerId)
    return { path, volume, inode: await walkVolume(volume, offer.path, options) }
  }

  /** The volume for a share; stays open for as long as it is used now and then. */
  async #open(id: VolumeId, from: PeerId): Promise<Volume> {
    const key = `${from}/${id}`
    const volume = this.#opened.get(key) ?? this.#components.openVolume(id, from)
    this.#opened.delete(key)
    this.#opened.set(key, volume)
    for (const [oldest, { id: unused }] of this.#opened) {
      if (this.#opened.size <= SHARES_OPEN_MAX) break
      this.#opened.delete(oldest)
      await this.#components.closeVolume(unused)
    }
    return volume
  }

  #children(path: string): readonly string[] {
    const [peer, ...rest] = namesOf(path)
    if (peer === undefined) return this.#known()
    if (rest.length > 0) return []
    return this.#offers.get(peer as PeerId)?.offers.map(({ name }) => name) ?? []
  }

  #known(): PeerId[] {
    const { peer } = this.#components
    return [...new Set([peer.id, ...peer.known().map(({ id }) => id)])]
  }

  #isKnown(id: PeerId): boolean {
    return this.#known().includes(id)
  }

  async #offersOf(id: PeerId, options?: StoreOptions): Promise<readonly Offer[]> {
    const { peer, heads, clock, ownOffers } = this.#components
    if (id === peer.id) return this.#remember(id, ownOffers())
    const known = this.#offers.get(id)
    if (known !== undefined && clock.now() - known.atMs <= OFFERS_LIFETIME_MS) return known.offers
    return this.#remember(id, await heads.offersOf(id, options))
  }

  #remember(id: PeerId, offers: readonly Offer[]): readonly Offer[] {
    this.#offers.delete(id)
    this.#offers.set(id, { offers, atMs: this.#components.clock.now() })
    if (this.#offers.size > PEERS_MAX) this.#offers.delete(this.#offers.keys().next().value!)
    return offers
  }
}

/** The path of a peer's share in the global name space. */
export function pathOfShare(peer: PeerId, name: string): string {
  return childPath(childPath(PEERS_PATH, peer), name)
}
