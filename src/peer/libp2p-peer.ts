/**
 * A peer over libp2p: our own node, or one that the app has already.
 *
 * A node may be connected to many that are not peers of ours. Whoever opens a `PRESENCE` channel,
 * or accepts one, is. The side that dialled opens it; it carries the heartbeat later.
 */
import type { Connection, Libp2p, PeerInfo, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Libp2pOptions } from 'libp2p'
import { WarrenError, isWarrenError } from '../errors.ts'
import { parseAddress, peerInAddress, withPeer } from './addresses.ts'
import { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { createSigningKey } from './ed25519.ts'
import { Heartbeat } from './heartbeat.ts'
import { KnownPeers } from './known-peers.ts'
import { createLibp2pNode } from './libp2p-node.ts'
import { DIAL_MS_MAX, HEARTBEAT_MS, STREAMS_MAX } from './limits.ts'
import type {
  CallHandler,
  CallOptions,
  IncomingMessage,
  KnownPeer,
  OutgoingMessage,
  Peer,
  PeerEvents,
  PeerId,
  Protocol,
  TypedEventTarget
} from './peer.ts'
import { isPeerId } from './peer-id.ts'
import { Redial } from './redial.ts'
import type { SigningKey } from './signing-key.ts'
import { StreamWire } from './stream-wire.ts'

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

const PRESENCE: Protocol = '/warren/presence/1.0.0'

interface Components {
  readonly node: Libp2p
  /** True when we made the node, and so start and stop it. */
  readonly owned: boolean
  readonly clock: Clock
  readonly random: () => number
}

class Libp2pPeer implements Peer {
  readonly id: PeerId
  readonly events: TypedEventTarget<PeerEvents>
  readonly #target = new EventTarget() as EventTarget & TypedEventTarget<PeerEvents>
  readonly #node: Libp2p
  readonly #owned: boolean
  readonly #calls: Calls
  readonly #known = new KnownPeers()
  readonly #redial: Redial
  readonly #heartbeat: Heartbeat
  readonly #connected = new Set<PeerId>()
  #running = false
  /** Starting and stopping, one after the other. */
  #changing: Promise<void> = Promise.resolve()

  constructor({ node, owned, clock, random }: Components) {
    this.id = node.peerId.toString() as PeerId
    this.events = this.#target
    this.#node = node
    this.#owned = owned
    this.#calls = new Calls({
      clock,
      open: (peer, protocol) => this.#open(peer, protocol),
      heard: peer => this.#heartbeat.heard(peer)
    })
    this.#calls.serve(PRESENCE, async function* () {
      yield { body: null }
    })
    this.#redial = new Redial({
      clock,
      random,
      dial: peer => this.dial(peer),
      isConnected: peer => this.#connected.has(peer)
    })
    this.#heartbeat = new Heartbeat({
      clock,
      connected: () => this.connected(),
      ask: peer => this.#askPresence(peer),
      giveUp: peer => this.#disconnect(peer, 'no sign of life')
    })
  }

  start(): Promise<void> {
    return this.#change(() => this.#start())
  }

  stop(): Promise<void> {
    return this.#change(() => this.#stop())
  }

  addresses(): string[] {
    if (!this.#running) return []
    return this.#node.getMultiaddrs().map(address => withPeer(address, this.id))
  }

  known(): KnownPeer[] {
    return this.#known.list(id => this.#connected.has(id))
  }

  connected(): PeerId[] {
    return [...this.#connected]
  }

  async dial(
    target: PeerId | string,
    { signal }: { readonly signal?: AbortSignal } = {}
  ): Promise<PeerId> {
    signal?.throwIfAborted()
    const deadline = withDeadline(signal)
    try {
      const connection = await this.#dial(target, deadline)
      const id = connection.remotePeer.toString() as PeerId
      if (!this.#connected.has(id)) await this.#presentOrClose(connection, deadline)
      return id
    } catch (error) {
      signal?.throwIfAborted()
      throw dialError(error, target)
    }
  }

  async remember(peer: PeerId, addresses: readonly string[]): Promise<void> {
    const multiaddrs = addresses.map(parseAddress)
    this.#known.remember(peer, addresses)
    await this.#node.peerStore.merge(peerIdFromString(peer), { multiaddrs })
  }

  async keep(peer: PeerId): Promise<void> {
    this.#redial.keep(peer)
  }

  async release(peer: PeerId): Promise<void> {
    this.#redial.release(peer)
  }

  serve(protocol: Protocol, handler: CallHandler): () => void {
    const stop = this.#calls.serve(protocol, handler)
    if (this.#running) void this.#handle(protocol)
    return () => {
      stop()
      if (this.#running) void this.#node.unhandle(protocol)
    }
  }

  call(
    peer: PeerId,
    protocol: Protocol,
    request: OutgoingMessage,
    options?: CallOptions
  ): AsyncIterable<IncomingMessage> {
    return this.#calls.call(peer, protocol, request, options)
  }

  #change(change: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(change, change)
    return this.#changing
  }

  async #start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#node.addEventListener('peer:discovery', this.#onDiscovery)
    this.#node.addEventListener('connection:open', this.#onConnection)
    this.#node.addEventListener('peer:disconnect', this.#onDisconnect)
    try {
      for (const protocol of this.#calls.protocols()) await this.#handle(protocol)
      if (this.#owned) await this.#node.start()
    } catch (error) {
      await this.#stop()
      throw error
    }
    for (const connection of this.#node.getConnections()) this.#tryPresent(connection)
    this.#heartbeat.start()
    this.#redial.start()
  }

  async #stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    this.#redial.stop()
    this.#heartbeat.stop()
    this.#calls.abort('the peer has stopped')
    this.#node.removeEventListener('peer:discovery', this.#onDiscovery)
    this.#node.removeEventListener('connection:open', this.#onConnection)
    this.#node.removeEventListener('peer:disconnect', this.#onDisconnect)
    await this.#node.unhandle(this.#calls.protocols())
    if (this.#owned) await this.#node.stop()
    for (const peer of this.#connected) this.#markDisconnected(peer)
  }

  async #handle(protocol: Protocol): Promise<void> {
    const accept = (stream: Stream, connection: Connection): void => {
      this.#calls.accept(
        connection.remotePeer.toString() as PeerId,
        protocol,
        new StreamWire(stream)
      )
      this.#markConnected(connection)
    }
    await this.#node.handle(protocol, accept, {
      maxInboundStreams: STREAMS_MAX,
      maxOutboundStreams: STREAMS_MAX
    })
  }

  async #dial(target: string, signal: AbortSignal): Promise<Connection> {
    if (!this.#running) throw unreachable('this peer is not running')
    const address = isPeerId(target) ? undefined : parseAddress(target)
    const id = address === undefined ? (target as PeerId) : peerInAddress(address)
    if (id === this.id) throw unreachable('a peer does not dial itself')
    const open = id === undefined ? undefined : this.#connection(id)
    if (open !== undefined) return open
    if (address !== undefined) return this.#dialAddress(address, id, signal)
    // The node forgets addresses after a while; we do not.
    const peerId = peerIdFromString(target)
    const multiaddrs = this.#known.addresses(target as PeerId).map(parseAddress)
    if (multiaddrs.length > 0) await this.#node.peerStore.merge(peerId, { multiaddrs })
    return this.#node.dial(peerId, { signal })
  }

  /** Not every transport compares who answers with whom the address names. */
  async #dialAddress(
    address: Multiaddr,
    expected: PeerId | undefined,
    signal: AbortSignal
  ): Promise<Connection> {
    const connection = await this.#node.dial(address, { signal })
    const actual = connection.remotePeer.toString()
    if (expected === undefined || actual === expected) return connection
    throw unreachable(`${actual} answers at ${address.toString()}`)
  }

  #connection(id: PeerId): Connection | undefined {
    return this.#node
      .getConnections(peerIdFromString(id))
      .find(({ status, limits }) => status === 'open' && limits === undefined)
  }

  async #open(peer: PeerId, protocol: Protocol): Promise<StreamWire> {
    const signal = withDeadline()
    const connection = await this.#dial(peer, signal).catch(error => {
      throw dialError(error, peer)
    })
    try {
      const wire = new StreamWire(await connection.newStream(protocol, { signal }))
      this.#markConnected(connection)
      return wire
    } catch (error) {
      throw openError(error, `${protocol} to ${peer}`)
    }
  }

  /** Finds out whether the other side of a connection is a peer of ours, and lets it know that we are. */
  async #present(connection: Connection, signal: AbortSignal): Promise<void> {
    const id = connection.remotePeer.toString() as PeerId
    await this.#calls.open(id, PRESENCE)
    signal.throwIfAborted()
    this.#markConnected(connection)
  }

  /** A node that does not speak warren is as good as absent. */
  async #presentOrClose(connection: Connection, signal: AbortSignal): Promise<void> {
    try {
      await this.#present(connection, signal)
    } catch (error) {
      if (!isWarrenError(error, 'ENOTSUP')) throw error
      if (this.#owned) connection.abort(error)
      throw unreachable(`${connection.remotePeer.toString()} is not a peer of ours`)
    }
  }

  #tryPresent(connection: Connection): void {
    this.#present(connection, withDeadline()).catch(() => {})
  }

  async #askPresence(peer: PeerId): Promise<void> {
    const options = { silenceMs: HEARTBEAT_MS }
    for await (const answer of this.call(peer, PRESENCE, { body: null }, options)) void answer
  }

  readonly #onConnection = ({ detail }: CustomEvent<Connection>): void => {
    if (detail.direction === 'outbound') this.#tryPresent(detail)
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<{ toString(): string }>): void => {
    this.#markDisconnected(detail.toString() as PeerId)
  }

  readonly #onDiscovery = ({ detail }: CustomEvent<PeerInfo>): void => {
    const id = detail.id.toString()
    if (!isPeerId(id) || id === this.id) return
    const addresses = detail.multiaddrs.map(address => withPeer(address, id))
    this.#known.remember(id, addresses, { local: this.#owned })
    if (!this.#connected.has(id)) this.#dispatch('found', id)
  }

  #markConnected(connection: Connection): void {
    const id = connection.remotePeer.toString() as PeerId
    if (!this.#running || this.#connected.has(id) || connection.status !== 'open') return
    this.#connected.add(id)
    const dialled = connection.direction === 'outbound'
    this.#known.remember(id, dialled ? [withPeer(connection.remoteAddr, id)] : [])
    this.#dispatch('connect', id)
  }

  #markDisconnected(id: PeerId): void {
    if (!this.#connected.delete(id)) return
    this.#dispatch('disconnect', id)
    this.#redial.disconnected(id)
  }

  #disconnect(id: PeerId, message: string): void {
    const error = new WarrenError('ECONNRESET', { message })
    for (const connection of this.#node.getConnections(peerIdFromString(id))) {
      connection.abort(error)
    }
  }

  #dispatch(type: keyof PeerEvents, detail: PeerId): void {
    this.#target.dispatchEvent(new CustomEvent(type, { detail }))
  }
}

function withDeadline(signal?: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(DIAL_MS_MAX)
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline])
}

function dialError(error: unknown, target: string): WarrenError {
  if (isWarrenError(error)) return error
  const code = isTimeout(error) ? 'ETIMEDOUT' : 'EHOSTUNREACH'
  return new WarrenError(code, { message: `dialling ${target}`, cause: error })
}

function openError(error: unknown, what: string): WarrenError {
  const unsupported = error instanceof Error && error.name === 'UnsupportedProtocolError'
  const code = unsupported ? 'ENOTSUP' : isTimeout(error) ? 'ETIMEDOUT' : 'ECONNRESET'
  return new WarrenError(code, { message: `opening ${what}`, cause: error })
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name)
}

function unreachable(message: string): WarrenError {
  return new WarrenError('EHOSTUNREACH', { message })
}
