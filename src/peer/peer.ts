/**
 * The contract of a peer: an identity that is reached over channels, serves calls and makes them.
 *
 * Everything above this folder speaks to other peers through this interface alone, so that a
 * whole cluster can run over libp2p between processes or over a simulated network in one.
 */

/** The libp2p peer id in its usual text form, `12D3KooW…`. */
export type PeerId = string & { readonly __brand: 'PeerId' }

/** A versioned protocol id such as `/warren/blocks/1.0.0`. */
export type Protocol = `/warren/${string}/${number}.${number}.${number}`

/** A message to be sent: a CBOR value, and raw bytes that travel beside it without being encoded. */
export interface OutgoingMessage {
  readonly body: unknown
  /** Sent in order, never joined or copied by us. Must not change until the call has moved on. */
  readonly payload?: readonly Uint8Array[]
  /**
   * Of an answer: none comes after it, so the end of the call need not be told in a frame of its
   * own. What a handler yields after it is dropped. Default false.
   */
  readonly last?: boolean
}

/** A message that arrived. The body is decoded CBOR from an untrusted peer: validate its shape. */
export interface IncomingMessage {
  readonly body: unknown
  /** Empty when the message has none. The receiver owns these bytes. */
  readonly payload: Uint8Array
}

export interface CallContext {
  /** Who asks: authenticated by the secure channel. */
  readonly from: PeerId
  /** Aborted when the caller cancels, its connection goes, or this peer stops. */
  readonly signal: AbortSignal
}

/**
 * Answers one call with any number of messages. It is pulled only as fast as the caller's window
 * and the channel allow. A `WarrenError` it throws reaches the caller with its code; any other
 * error reaches it as `EIO` without details.
 */
export type CallHandler = (
  request: IncomingMessage,
  context: CallContext
) => AsyncIterable<OutgoingMessage>

export interface CallOptions {
  readonly signal?: AbortSignal
  /**
   * How long the other side may stay silent while we wait for its next message, in milliseconds;
   * then `ETIMEDOUT`. `Infinity` for subscriptions. Default `SILENCE_MS_MAX`.
   */
  readonly silenceMs?: number
  /**
   * How many bytes of answers may be under way or waiting unread, set by us, the receiver.
   * Default `WINDOW_BYTES`.
   */
  readonly windowBytes?: number
}

export interface KnownPeer {
  readonly id: PeerId
  /** Multiaddrs under which it was seen. */
  readonly addresses: readonly string[]
  readonly connected: boolean
  /** Found by multicast on the local network. */
  readonly local: boolean
}

export interface PeerEvents {
  /** A peer was found by discovery; it is not connected yet. */
  found: CustomEvent<PeerId>
  connect: CustomEvent<PeerId>
  disconnect: CustomEvent<PeerId>
}

export interface Peer {
  readonly id: PeerId
  readonly events: TypedEventTarget<PeerEvents>

  /** Idempotent. After it resolves the peer listens. */
  start(): Promise<void>
  /** Idempotent. Ends every call under way with `ECONNRESET` and leaves nothing that keeps the process alive. */
  stop(): Promise<void>

  /** Our own multiaddrs, each ending in `/p2p/<id>`. */
  addresses(): string[]
  known(): KnownPeer[]
  connected(): PeerId[]

  /**
   * Connects to a peer by id (when known) or multiaddr and resolves to its authenticated id. When
   * already connected resolves at once. Throws `EHOSTUNREACH`, `ETIMEDOUT` after the dial deadline,
   * or `EINVAL` for text that is neither.
   */
  dial(target: PeerId | string, options?: { readonly signal?: AbortSignal }): Promise<PeerId>
  /** Remembers addresses of a peer, without dialling. */
  remember(peer: PeerId, addresses: readonly string[]): Promise<void>
  /** Keeps a connection to this peer: redials with growing pauses for as long as this peer runs. */
  keep(peer: PeerId): Promise<void>
  /** Undoes `keep`. */
  release(peer: PeerId): Promise<void>

  /**
   * Connects when not connected, and opens the channel that calls on a protocol will use, so that
   * the first of them does not wait for it. Throws what a call throws before it is sent.
   */
  prepare(peer: PeerId, protocol: Protocol): Promise<void>
  /** Answers calls on a protocol from now on. One handler a protocol. Returns how to stop. */
  serve(protocol: Protocol, handler: CallHandler): () => void
  /**
   * Calls another peer: sends the request, yields its answers in order, ends when it has ended.
   * Leaving the loop early cancels the call at the other side. Dials when not connected.
   * Throws the code the handler threw, `ECONNRESET`, `ETIMEDOUT`, `EPROTO`, `EHOSTUNREACH`,
   * `ENOTSUP` (it does not speak the protocol), `EBUSY` (it serves too many), `EINVAL` (the request
   * is over the limits), or the signal's reason. Nothing is sent before the first `next()`; `return()`
   * cancels even while a `next()` waits.
   */
  call(
    peer: PeerId,
    protocol: Protocol,
    request: OutgoingMessage,
    options?: CallOptions
  ): AsyncIterable<IncomingMessage>
}

/** The listening half of an `EventTarget`, with its event names and types known. */
export interface TypedEventTarget<Events> {
  addEventListener<Name extends keyof Events & string>(
    type: Name,
    listener: (event: Events[Name]) => void,
    options?: AddEventListenerOptions | boolean
  ): void
  removeEventListener<Name extends keyof Events & string>(
    type: Name,
    listener: (event: Events[Name]) => void,
    options?: EventListenerOptions | boolean
  ): void
}
