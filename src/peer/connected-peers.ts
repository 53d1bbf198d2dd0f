/** To which peers of ours a libp2p node is connected, and what it learns of them. */
import type { Connection, Libp2p } from '@libp2p/interface'
import { withPeer } from './addresses.ts'
import type { KnownPeers } from './known-peers.ts'
import type { PeerId } from './peer.ts'

export interface ConnectedPeersComponents {
  readonly node: Libp2p
  readonly known: KnownPeers
  readonly changed: (type: 'connect' | 'disconnect', id: PeerId) => void
}

export class ConnectedPeers {
  readonly #components: ConnectedPeersComponents
  readonly #ids = new Set<PeerId>()

  constructor(components: ConnectedPeersComponents) {
    this.#components = components
  }

  has(id: PeerId): boolean {
    return this.#ids.has(id)
  }

  list(): PeerId[] {
    return [...this.#ids]
  }

  /** The other side of this connection has shown to be a peer of ours. */
  add(connection: Connection): void {
    const id = peerOf(connection)
    if (this.#ids.has(id) || connection.status !== 'open') return
    this.#ids.add(id)
    const dialled = connection.direction === 'outbound'
    const addresses = dialled ? [withPeer(connection.remoteAddr, id)] : []
    this.#components.known.remember(id, addresses)
    this.#components.changed('connect', id)
    void this.learn(connection)
  }

  /** Its last connection has gone. */
  remove(id: PeerId): void {
    if (this.#ids.delete(id)) this.#components.changed('disconnect', id)
  }

  /** Remembers where it listens: whoever came to us has told the node, or will. */
  async learn(connection: Connection): Promise<void> {
    const id = peerOf(connection)
    if (!this.#ids.has(id)) return
    const { node, known } = this.#components
    try {
      const { addresses } = await node.peerStore.get(connection.remotePeer)
      known.remember(
        id,
        addresses.map(({ multiaddr }) => withPeer(multiaddr, id))
      )
    } catch {
      // The node knows nothing about it yet, and neither do we.
    }
  }
}

/** Authenticated by the secure channel. */
export function peerOf(connection: Connection): PeerId {
  return connection.remotePeer.toString() as PeerId
}
