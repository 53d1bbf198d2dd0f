/** Makes a peer over libp2p: on a node of our own, or on one that the app has already. */
import type { Libp2p } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import { WarrenError } from '../errors.ts'
import { parseAddress, peerInAddress } from './addresses.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { createSigningKey } from './ed25519.ts'
import { createLibp2pNode } from './libp2p-node.ts'
import { Libp2pPeer } from './libp2p-peer.ts'
import type { Peer } from './peer.ts'
import type { SigningKey } from './signing-key.ts'

export interface Libp2pPeerOptions {
  /**
   * A node of the app's own, which the app starts before this peer and stops after it. The options
   * below that describe a node are then not used.
   */
  readonly libp2p?: Libp2p
  /** The identity. Default: a new one, forgotten with this peer. */
  readonly key?: SigningKey
  /** Multiaddrs to listen on. Default none. */
  readonly listen?: readonly string[]
  readonly transports?: Libp2pOptions['transports']
  /** Default noise. */
  readonly connectionEncrypters?: Libp2pOptions['connectionEncrypters']
  /** All of these count as finding peers on the local network. */
  readonly peerDiscovery?: Libp2pOptions['peerDiscovery']
  /** Multiaddrs, each ending in `/p2p/<id>`, of peers to remember and keep a connection to. */
  readonly bootstrap?: readonly string[]
  /** Default `systemClock`. */
  readonly clock?: Clock
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
}

/** Resolves to a peer that is not started. Throws `EINVAL` for an address that is none. */
export async function createLibp2pPeer(options: Libp2pPeerOptions = {}): Promise<Peer> {
  const node = options.libp2p ?? (await createOwnNode(options))
  const peer = new Libp2pPeer({
    node,
    owned: options.libp2p === undefined,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random
  })
  for (const text of options.bootstrap ?? []) {
    const id = peerInAddress(parseAddress(text))
    if (id === undefined) throw new WarrenError('EINVAL', { message: `'${text}' names no peer` })
    await peer.remember(id, [text])
    await peer.keep(id)
  }
  return peer
}

async function createOwnNode(options: Libp2pPeerOptions): Promise<Libp2p> {
  return createLibp2pNode({
    key: options.key ?? (await createSigningKey()),
    listen: options.listen ?? [],
    transports: options.transports ?? [],
    ...(options.connectionEncrypters && { connectionEncrypters: options.connectionEncrypters }),
    ...(options.peerDiscovery && { peerDiscovery: options.peerDiscovery })
  })
}
