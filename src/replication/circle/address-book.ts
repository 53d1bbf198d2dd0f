/** Under which addresses peers may be reached, as this peer knows them. */
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { ADDRESSES_MS } from './circle-limits.ts'

/** Multiaddrs of a peer, we ourselves included; empty when none is known. */
export type AddressesOf = (peer: PeerId) => readonly string[]

/** Where a peer is that has just come is known a moment later; others ask for it at once. */
const MISSING_MS = 100

/**
 * Ten thousand peers may be known: all are looked through once a second at most, and more often only
 * for one of whom no address was found.
 */
export function createAddressBook(
  peer: Pick<Peer, 'id' | 'addresses' | 'known'>,
  clock: Pick<Clock, 'now'>
): AddressesOf {
  let known = new Map<PeerId, readonly string[]>()
  let knownMs = -Infinity
  return other => {
    if (other === peer.id) return peer.addresses()
    const nowMs = clock.now()
    const isMissing = (known.get(other)?.length ?? 0) === 0
    if (Math.abs(nowMs - knownMs) >= (isMissing ? MISSING_MS : ADDRESSES_MS)) {
      known = new Map(peer.known().map(({ id, addresses }) => [id, addresses]))
      knownMs = nowMs
    }
    return known.get(other) ?? []
  }
}
