/**
 * A peer over a libp2p node.
 *
 * A node may be connected to many that are not peers of ours. Whoever opens a `PRESENCE` channel,
 * or accepts one, is. The side that dialled opens it; it carries the heartbeat later.
 */
import type { Connection, IdentifyResult, Libp2p, PeerInfo, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { WarrenError, isWarrenError } from '../errors.ts'
import { parseAddress, withPeer } from './addresses.ts'
import { abortable } from './abortable.ts'
import { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import { ConnectedPeers, peerOf } from './connected-peers.ts'
import { Dialler, openStream } from './dialler.ts'
import { Heartbeat } from './heartbeat.ts'
import { KnownPeers } from './known-peers.ts'
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
import { Openings } from './openings.ts'
import { isPeerId } from './peer-id.ts'
import { Redial } from './redial.ts'
import { StreamWire } from './stream-wire.ts'

const PRESENCE: Protocol = '/warren/presence/1.0.0'

export interface Libp2pPeerComponents {
  readonly node: Libp2p
  /** True when we made the node, and so start and stop it. */
  readonly owned: boolean
  readonly clock: Clock
  readonly random: () => number
}

export class Libp2pPeer implements Peer {
  readonly id: PeerId
  readonly events: TypedEventTarget<PeerEvents>
  readonly #target = new EventTarget() as EventTarget & TypedEventTarget<PeerEvents>
  readonly #node: Libp2p
  readonly #owned: boolean
  readonly #calls: Calls
  readonly #known = new KnownPeers()
  readonly #redial: Redial
  readonly #heartbeat: Heartbeat
  readonly #connected: ConnectedPeers
  readonly #dialler: Dialler
  readonly #openings = new Openings()
  #running = false
  /** Aborted when this peer is not running. */
  #stopping = new AbortController()
  /** Starting and stopping, one after the other. */
  #changing: Promise<void> = Promise.resolve()

  constructor({ node, owned, clock, random }: Libp2pPeerComponents) {
    this.id = node.peerId.toString() as PeerId
    this.events = this.#target
    this.#node = node
    this.#owned = owned
    this.#dialler = new Dialler(node, this.#known)
    this.#connected = new ConnectedPeers({
      node,
      known: this.#known,
      changed: (type, peer) => {
        this.#dispatch(type, peer)
        if (type === 'disconnect') this.#redial.disconnected(peer)
      }
    })
    this.#stopping.abort(notRunning())
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
    return this.#connected.list()
  }

  async dial(
    target: PeerId | string,
    { signal }: { readonly signal?: AbortSignal } = {}
  ): Promise<PeerId> {
    signal?.throwIfAborted()
    try {
      const connection = await this.#dialler.dial(target, this.#deadline(signal))
      const id = peerOf(connection)
      if (!this.#connected.has(id)) await abortable(this.#presentOrClose(connection), signal)
      return id
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  }

  async remember(peer: PeerId, addresses: readonly string[]): Promise<void> {
    for (const address of addresses) parseAddress(address)
    this.#known.remember(peer, addresses)
  }

  async keep(peer: PeerId): Promise<void> {
    this.#redial.keep(peer)
  }

  async release(peer: PeerId): Promise<void> {
    this.#redial.release(peer)
  }

  async prepare(peer: PeerId, protocol: Protocol): Promise<void> {
    await this.#calls.open(peer, protocol)
  }

  serve(protocol: Protocol, handler: CallHandler): () => void {
    const stop = this.#calls.serve(protocol, handler)
    // Both take effect at once; what they wait for is the node's note of its own protocols.
    if (this.#running) this.#handle(protocol).catch(() => {})
    return () => {
      stop()
      const served = this.#calls.serves(protocol)
      if (this.#running && !served) this.#node.unhandle(protocol).catch(() => {})
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

  /** Of one dial: it also ends when the caller or this peer does. */
  #deadline(signal?: AbortSignal): AbortSignal {
    const signals = [AbortSignal.timeout(DIAL_MS_MAX), this.#stopping.signal]
    return AbortSignal.any(signal === undefined ? signals : [...signals, signal])
  }

  #change(change: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(change, change)
    return this.#changing
  }

  async #start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#stopping = new AbortController()
    this.#node.addEventListener('peer:discovery', this.#onDiscovery)
    this.#node.addEventListener('connection:open', this.#onConnection)
    this.#node.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#node.addEventListener('peer:identify', this.#onIdentify)
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
    this.#stopping.abort(notRunning())
    this.#redial.stop()
    this.#heartbeat.stop()
    this.#calls.abort('the peer has stopped')
    this.#node.removeEventListener('peer:discovery', this.#onDiscovery)
    this.#node.removeEventListener('connection:open', this.#onConnection)
    this.#node.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#node.removeEventListener('peer:identify', this.#onIdentify)
    await this.#node.unhandle(this.#calls.protocols())
    if (this.#owned) await this.#node.stop()
    for (const peer of this.#connected.list()) this.#connected.remove(peer)
  }

  async #handle(protocol: Protocol): Promise<void> {
    const accept = (stream: Stream, connection: Connection): void => {
      if (!this.#running) return stream.abort(notRunning())
      this.#calls.accept(peerOf(connection), protocol, new StreamWire(stream))
      this.#connected.add(connection)
    }
    await this.#node.handle(protocol, accept, {
      maxInboundStreams: STREAMS_MAX,
      maxOutboundStreams: STREAMS_MAX
    })
  }

  async #open(peer: PeerId, protocol: Protocol): Promise<StreamWire> {
    return this.#openings.during(peer, this.#openWire(peer, protocol))
  }

  async #openWire(peer: PeerId, protocol: Protocol): Promise<StreamWire> {
    const signal = this.#deadline()
    const connection = await this.#dialler.dial(peer, signal)
    const stream = await openStream(connection, protocol, signal)
    if (!this.#running) {
      stream.abort(notRunning())
      throw notRunning()
    }
    this.#connected.add(connection)
    return new StreamWire(stream)
  }

  /** Finds out whether the other side of a connection is a peer of ours, and lets it know that we are. */
  async #present(connection: Connection): Promise<void> {
    const id = peerOf(connection)
    // A channel that is being opened for calls says the same, and is one less.
    await this.#openings.ended(id)
    if (this.#connected.has(id)) return
    await this.#calls.open(id, PRESENCE)
    this.#connected.add(connection)
  }

  /** A node that does not speak warren is as good as absent. */
  async #presentOrClose(connection: Connection): Promise<void> {
    try {
      await this.#present(connection)
    } catch (error) {
      if (!isWarrenError(error, 'ENOTSUP')) throw error
      if (this.#owned) connection.abort(error)
      const message = `${peerOf(connection)} is not a peer of ours`
      throw new WarrenError('EHOSTUNREACH', { message, cause: error })
    }
  }

  #tryPresent(connection: Connection): void {
    this.#present(connection).catch(() => {})
  }

  async #askPresence(peer: PeerId): Promise<void> {
    const options = { silenceMs: HEARTBEAT_MS }
    for await (const answer of this.call(peer, PRESENCE, { body: null }, options)) void answer
  }

  readonly #onConnection = ({ detail }: CustomEvent<Connection>): void => {
    if (detail.direction === 'outbound') this.#tryPresent(detail)
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<{ toString(): string }>): void => {
    this.#connected.remove(detail.toString() as PeerId)
  }

  readonly #onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    void this.#connected.learn(detail.connection)
  }

  readonly #onDiscovery = ({ detail }: CustomEvent<PeerInfo>): void => {
    const id = detail.id.toString()
    if (!isPeerId(id) || id === this.id) return
    const addresses = detail.multiaddrs.map(address => withPeer(address, id))
    // The node says this of every peer that is new to it, those that we have dialled ourselves too.
    const isFound = this.#node.getConnections(detail.id).length === 0
    this.#known.remember(id, addresses, { local: this.#owned && isFound })
    if (!this.#connected.has(id)) this.#dispatch('found', id)
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

function notRunning(): WarrenError {
  return new WarrenError('EHOSTUNREACH', { message: 'this peer is not running' })
}
