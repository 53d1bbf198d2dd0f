/** The door of the peer layer. */
export { abortable } from './abortable.ts'
export type { Clock } from './clock.ts'
export { systemClock } from './clock.ts'
export { BODY_BYTES_MAX, PAYLOAD_BYTES_MAX, SILENCE_MS_MAX, WINDOW_BYTES } from './limits.ts'
export type { LinkShape } from './memory-link.ts'
export type { MemoryNetwork, MemoryNetworkOptions, MemoryPeerOptions } from './memory-network.ts'
export { createMemoryNetwork } from './memory-network.ts'
export type {
  CallContext,
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
export { isPeerId, peerIdOf, publicKeyOf } from './peer-id.ts'
export type { SigningKey } from './signing-key.ts'
export type { SignedBytes } from './ed25519.ts'
export {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  createSigningKey,
  importSigningKey,
  verifySignature
} from './ed25519.ts'
export type { Libp2pPeerOptions } from './create-libp2p-peer.ts'
export { createLibp2pPeer } from './create-libp2p-peer.ts'
