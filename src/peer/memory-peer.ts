/** One peer of the memory network. */
import { WarrenError } from '../errors.ts'
import { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import { KnownPeers } from './known-peers.ts'
import type { MemoryLink } from './memory-link.ts'
import type { Carry, MemoryWire } from './memory-wire.ts'
import { createWirePair } from './memory-wire.ts'
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

export interface MemoryPeerComponents {
  readonly clock: Clock
  readonly random: () => number
  readonly discovery: boolean
  readonly peers: () => Iterable<MemoryPeer>
  readonly find: (id: PeerId) => MemoryPeer | undefined
  readonly link: (to: PeerId) => MemoryLink
  /** The direction of the link that leads there. */
  readonly lane: (to: PeerId) => Carry
  /** Runs the callback when the dial deadline has passed. Returns how to cancel. */
  readonly deadline: (callback: () => void) => () => void
}

export class MemoryPeer implements Peer {
  readonly id: PeerId
  readonly events: TypedEventTarget<PeerEvents>
  readonly #target = new EventTarget() as EventTarget & TypedEventTarget<PeerEvents>
  readonly #components: MemoryPeerComponents
  readonly #calls: Calls
  readonly #known = new KnownPeers()
  readonly #redial: Redial
  /** For each connected peer, our ends of the wires of the connection. */
  readonly #connections = new Map<PeerId, Set<MemoryWire>>()
  #running = false

  constructor(id: PeerId, components: MemoryPeerComponents) {
    this.id = id
    this.events = this.#target
    this.#components = components
    const { clock, random } = components
    this.#calls = new Calls({ clock, open: (peer, protocol) => this.#open(peer, protocol) })
    this.#redial = new Redial({
      clock,
      random,
      dial: peer => this.dial(peer),
      isConnected: peer => this.#connections.has(peer)
    })
  }

  async start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#redial.start()
    if (!this.#components.discovery) return
    for (const other of this.#components.peers()) {
      if (other === this || !other.discoverable) continue
      this.#found(other)
      other.#found(this)
    }
  }

  async stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    this.#redial.stop()
    for (const peer of this.#connections.keys()) this.disconnect(peer, 'the peer has stopped')
    this.#calls.abort('the peer has stopped')
  }

  get discoverable(): boolean {
    return this.#running && this.#components.discovery
  }

  addresses(): string[] {
    return this.#running ? [this.#address] : []
  }

  known(): KnownPeer[] {
    return this.#known.list(id => this.#connections.has(id))
  }

  connected(): PeerId[] {
    return [...this.#connections.keys()]
  }

  async dial(
    target: PeerId | string,
    { signal }: { readonly signal?: AbortSignal } = {}
  ): Promise<PeerId> {
    signal?.throwIfAborted()
    const id = isPeerId(target) ? target : idInAddress(target)
    if (this.#connections.has(id)) return id
    if (id === target && !this.#known.has(id)) unreachable(`no address of ${id} is known`)
    const peer = await this.#reach(id, signal)
    if (!this.#connections.has(id)) this.#connect(peer)
    return id
  }

  async remember(peer: PeerId, addresses: readonly string[]): Promise<void> {
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
    return this.#calls.serve(protocol, handler)
  }

  call(
    peer: PeerId,
    protocol: Protocol,
    request: OutgoingMessage,
    options?: CallOptions
  ): AsyncIterable<IncomingMessage> {
    return this.#calls.call(peer, protocol, request, options)
  }

  /** Ends the connection to another peer, at both ends. */
  disconnect(id: PeerId, message: string): void {
    const wires = this.#connections.get(id)
    if (wires === undefined) return
    this.#connections.delete(id)
    const error = new WarrenError('ECONNRESET', { message })
    for (const wire of wires) wire.lose(error)
    this.#components.find(id)?.disconnect(this.id, message)
    this.#dispatch('disconnect', id)
    this.#redial.disconnected(id)
  }

  get #address(): string {
    return `/memory/${this.id}/p2p/${this.id}`
  }

  #found(other: MemoryPeer): void {
    this.#known.remember(other.id, [other.#address], { local: true })
    if (!this.#connections.has(other.id)) this.#dispatch('found', other.id)
  }

  /** Crosses the link there and back, as connecting does. */
  async #reach(id: PeerId, signal: AbortSignal | undefined): Promise<MemoryPeer> {
    if (!this.#running) unreachable('this peer is not running')
    if (id === this.id) unreachable('a peer does not dial itself')
    const peer = this.#components.find(id)
    const link = this.#components.link(id)
    if (peer === undefined || !peer.#running || link.state === 'cut') unreachable(id)
    const arrived = Promise.withResolvers<void>()
    const onAbort = (): void => arrived.reject(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    const cancel = this.#components.deadline(() =>
      arrived.reject(new WarrenError('ETIMEDOUT', { message: `dialling ${id}` }))
    )
    this.#components.lane(id)(0, () => peer.#components.lane(this.id)(0, arrived.resolve))
    try {
      await arrived.promise
    } finally {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    if (!this.#running || !peer.#running) unreachable(id)
    return peer
  }

  #connect(peer: MemoryPeer): void {
    peer.#connected(this)
    this.#connected(peer)
  }

  #connected(other: MemoryPeer): void {
    this.#connections.set(other.id, new Set())
    this.#known.remember(other.id, [other.#address])
    this.#dispatch('connect', other.id)
  }

  async #open(id: PeerId, protocol: Protocol): Promise<MemoryWire> {
    await this.dial(id)
    const peer = this.#components.find(id)
    if (peer === undefined || !peer.#calls.serves(protocol)) {
      throw new WarrenError('ENOTSUP', { message: `${id} does not speak ${protocol}` })
    }
    const { near, far } = createWirePair(this.#components.lane(id), peer.#components.lane(this.id))
    this.#addWire(id, near)
    peer.#addWire(this.id, far)
    peer.#calls.accept(this.id, protocol, far)
    return near
  }

  #addWire(id: PeerId, added: MemoryWire): void {
    const wires = this.#connections.get(id)
    for (const wire of wires ?? []) if (wire.isLost) wires?.delete(wire)
    wires?.add(added)
  }

  #dispatch(type: keyof PeerEvents, detail: PeerId): void {
    this.#target.dispatchEvent(new CustomEvent(type, { detail }))
  }
}

/** Nobody but the peer itself is found at its address, so both parts must name it. */
function idInAddress(address: string): PeerId {
  const [, host, id = ''] = /^\/memory\/(\w+)\/p2p\/(\w+)$/.exec(address) ?? []
  if (!isPeerId(id)) throw new WarrenError('EINVAL', { message: `'${address}' is not an address` })
  return host === id ? id : unreachable(`${id} is not at '${address}'`)
}

function unreachable(message: string): never {
  throw new WarrenError('EHOSTUNREACH', { message })
}
