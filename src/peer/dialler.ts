/** Connects a libp2p node to peers and opens streams, in our terms and with our errors. */
import type { Connection, Libp2p, PeerId as NodePeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { WarrenError, isWarrenError } from '../errors.ts'
import { parseAddress, peerInAddress, withPeer } from './addresses.ts'
import type { KnownPeers } from './known-peers.ts'
import type { PeerId, Protocol } from './peer.ts'
import { isPeerId } from './peer-id.ts'

export class Dialler {
  readonly #node: Libp2p
  readonly #known: KnownPeers

  constructor(node: Libp2p, known: KnownPeers) {
    this.#node = node
    this.#known = known
  }

  /** Resolves to an open connection, which may have been there before. Throws as `Peer.dial` does. */
  async dial(target: PeerId | string, signal: AbortSignal): Promise<Connection> {
    try {
      signal.throwIfAborted()
      return await (isPeerId(target)
        ? this.#dialId(target, signal)
        : this.#dialText(target, signal))
    } catch (error) {
      if (isWarrenError(error)) throw error
      if (isWarrenError(signal.reason)) throw signal.reason
      const code = isTimeout(error) ? 'ETIMEDOUT' : 'EHOSTUNREACH'
      throw new WarrenError(code, { message: `dialling ${target}`, cause: error })
    }
  }

  async #dialId(id: PeerId, signal: AbortSignal): Promise<Connection> {
    this.#refuseSelf(id)
    const peerId = peerIdFromString(id)
    const open = this.#connection(peerId)
    if (open !== undefined) return open
    // First those that we remember ourselves. The node forgets addresses after a while, and its
    // address book takes longer to write than some hosts take to reach.
    const known = this.#known.addresses(id).map(address => withPeer(parseAddress(address), id))
    if (known.length === 0) return this.#node.dial(peerId, { signal })
    try {
      return await this.#node.dial(known.map(parseAddress), { signal })
    } catch (error) {
      const others = signal.aborted ? [] : await this.#addressesOfNode(peerId, known)
      if (others.length === 0) throw error
      return this.#node.dial(others, { signal })
    }
  }

  /** What the node has heard of a peer beside these addresses. */
  async #addressesOfNode(peerId: NodePeerId, known: readonly string[]): Promise<Multiaddr[]> {
    const id = peerId.toString() as PeerId
    try {
      const { addresses } = await this.#node.peerStore.get(peerId)
      const texts = addresses.map(({ multiaddr }) => withPeer(multiaddr, id))
      return texts.filter(text => !known.includes(text)).map(parseAddress)
    } catch {
      return []
    }
  }

  async #dialText(text: string, signal: AbortSignal): Promise<Connection> {
    const address = parseAddress(text)
    const expected = peerInAddress(address)
    this.#refuseSelf(expected)
    const open = expected === undefined ? undefined : this.#connection(peerIdFromString(expected))
    return open ?? this.#dialAddress(address, expected, signal)
  }

  async #dialAddress(
    address: Multiaddr,
    expected: PeerId | undefined,
    signal: AbortSignal
  ): Promise<Connection> {
    const connection = await this.#node.dial(address, { signal })
    const actual = connection.remotePeer.toString()
    if (expected === undefined || actual === expected) return connection
    // Not every transport compares who answers with whom the address names.
    throw new WarrenError('EHOSTUNREACH', { message: `${actual} is at ${address.toString()}` })
  }

  #refuseSelf(id: PeerId | undefined): void {
    if (id !== this.#node.peerId.toString()) return
    throw new WarrenError('EHOSTUNREACH', { message: 'a peer does not dial itself' })
  }

  /** The newest: an older one may be dead without knowing it. */
  #connection(peerId: NodePeerId): Connection | undefined {
    return this.#node
      .getConnections(peerId)
      .findLast(({ status, limits }) => status === 'open' && limits === undefined)
  }
}

/** Throws `ENOTSUP` when the other side does not speak the protocol, `ECONNRESET`, `ETIMEDOUT`. */
export async function openStream(
  connection: Connection,
  protocol: Protocol,
  signal: AbortSignal
): Promise<Stream> {
  try {
    return await connection.newStream(protocol, { signal })
  } catch (cause) {
    if (isWarrenError(cause)) throw cause
    const unsupported = cause instanceof Error && cause.name === 'UnsupportedProtocolError'
    const code = unsupported ? 'ENOTSUP' : isTimeout(cause) ? 'ETIMEDOUT' : 'ECONNRESET'
    throw new WarrenError(code, { message: `opening ${protocol}`, cause })
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name)
}
