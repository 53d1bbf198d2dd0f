/** Addresses that somebody told us of, handed on to the peer layer with care. */
import type { Peer, PeerId } from '../../peer/index.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { AddressHints } from './message-parts.ts'

type Rememberer = Pick<Peer, 'id' | 'remember'>

/** Remembers addresses of holders in the list, and of nobody else. */
export async function rememberHints(
  peer: Rememberer,
  list: Pick<HolderList, 'holders'>,
  hints: AddressHints
): Promise<void> {
  const listed = new Set(list.holders.map(holder => holder.peer))
  for (const [holder, addresses] of hints) {
    if (listed.has(holder)) await rememberAddresses(peer, holder, addresses)
  }
}

/** One at a time, because one that is no multiaddr makes the peer layer refuse all with it. */
export async function rememberAddresses(
  peer: Rememberer,
  other: PeerId,
  addresses: readonly string[]
): Promise<void> {
  if (other === peer.id) return
  for (const address of addresses) await peer.remember(other, [address]).catch(() => {})
}
