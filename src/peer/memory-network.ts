/**
 * Peers in one process without sockets. They speak the real call protocol, byte for byte, over
 * links that can be delayed, narrowed, muted and cut, with time and chance passed in: this is the
 * network of tests and of the simulation.
 */
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { DIAL_MS_MAX, HEARTBEATS_MISSED_MAX, HEARTBEAT_MS } from './limits.ts'
import type { LinkShape, LinkState } from './memory-link.ts'
import { MemoryLink } from './memory-link.ts'
import { MemoryPeer } from './memory-peer.ts'
import type { Peer, PeerId } from './peer.ts'
import { peerIdOf } from './peer-id.ts'
import type { SigningKey } from './signing-key.ts'

export interface MemoryNetworkOptions {
  /** Default `systemClock`. */
  readonly clock?: Clock
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
  /** Of links that `shape` was not called for. Default: delivered at once, no limit. */
  readonly link?: LinkShape
}

export interface MemoryPeerOptions {
  /** Whose public key the peer's id is of. Default: an id from `random` that nobody has the key of. */
  readonly key?: SigningKey
  /** Whether it finds, and is found by, the others that discover. Default true. */
  readonly discovery?: boolean
  /** By which it measures silence, deadlines and pauses; a machine can sleep. Default the network's. */
  readonly clock?: Clock
}

export interface MemoryNetwork {
  /** A peer that is not started yet. */
  createPeer(options?: MemoryPeerOptions): Peer
  /** Resets connections between two peers and refuses their dials until `mend`. */
  cut(one: PeerId, other: PeerId): void
  /**
   * Holds back all bytes between two peers and tells neither, until `mend`. Dials time out, and
   * connections are given up by the missing heartbeats, after 40 s.
   */
  mute(one: PeerId, other: PeerId): void
  /** Undoes `cut` and `mute`; held bytes arrive. */
  mend(one: PeerId, other: PeerId): void
  /** Sets what it costs to cross the link between two peers, from now on. */
  shape(one: PeerId, other: PeerId, shape: LinkShape): void
  /** Bytes carried so far between two peers, or in all. */
  bytesCarried(one?: PeerId, other?: PeerId): number
}

export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  return new Network(options)
}

/** After this long without a sign of life a connection is given up, as over libp2p. */
const MUTE_MS_MAX = HEARTBEAT_MS * (HEARTBEATS_MISSED_MAX + 1)

class Network implements MemoryNetwork {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #shape: LinkShape
  readonly #peers = new Map<PeerId, MemoryPeer>()
  readonly #links = new Map<string, MemoryLink>()

  constructor(options: MemoryNetworkOptions) {
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#shape = options.link ?? {}
  }

  createPeer({ key, discovery = true, clock = this.#clock }: MemoryPeerOptions = {}): Peer {
    const id = peerIdOf(key?.publicKey ?? this.#randomBytes(32))
    const peer = new MemoryPeer(id, {
      clock,
      random: this.#random,
      discovery,
      peers: () => this.#peers.values(),
      find: other => this.#peers.get(other),
      link: other => this.#link(id, other),
      lane: other => this.#link(id, other)[id < other ? 'there' : 'back'].carry,
      deadline: callback => clock.after(DIAL_MS_MAX, callback)
    })
    this.#peers.set(id, peer)
    return peer
  }

  cut(one: PeerId, other: PeerId): void {
    this.#setState(one, other, 'cut')
    this.#disconnect(one, other, 'the link was cut')
  }

  mute(one: PeerId, other: PeerId): void {
    const link = this.#setState(one, other, 'mute')
    this.#clock.after(MUTE_MS_MAX, () => {
      if (link.state === 'mute') this.#disconnect(one, other, 'no sign of life')
    })
  }

  mend(one: PeerId, other: PeerId): void {
    this.#setState(one, other, 'up')
  }

  shape(one: PeerId, other: PeerId, shape: LinkShape): void {
    this.#link(one, other).shape = shape
  }

  bytesCarried(one?: PeerId, other?: PeerId): number {
    if (one !== undefined && other !== undefined) return this.#link(one, other).bytes
    let bytes = 0
    for (const link of this.#links.values()) bytes += link.bytes
    return bytes
  }

  #setState(one: PeerId, other: PeerId, state: LinkState): MemoryLink {
    const link = this.#link(one, other)
    link.state = state
    link.changed()
    return link
  }

  #disconnect(one: PeerId, other: PeerId, message: string): void {
    this.#peers.get(one)?.disconnect(other, message)
  }

  #link(one: PeerId, other: PeerId): MemoryLink {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = new MemoryLink({ clock: this.#clock, random: this.#random }, this.#shape)
      this.#links.set(key, link)
    }
    return link
  }

  #randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256))
  }
}
