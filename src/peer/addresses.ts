/** Multiaddrs in text form: which peer they name. */
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { WarrenError } from '../errors.ts'
import type { PeerId } from './peer.ts'
import { isPeerId } from './peer-id.ts'

/** Throws `EINVAL` for text that is no multiaddr. */
export function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    throw new WarrenError('EINVAL', { message: `'${text}' is not a multiaddr`, cause })
  }
}

/** The peer an address ends at: its last `/p2p/` part. */
export function peerInAddress(address: Multiaddr): PeerId | undefined {
  const id = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
  return id !== undefined && isPeerId(id) ? id : undefined
}

/** The address with the `/p2p/` part of its peer. */
export function withPeer(address: Multiaddr, peer: PeerId): string {
  return peerInAddress(address) === peer ? address.toString() : `${address.toString()}/p2p/${peer}`
}
