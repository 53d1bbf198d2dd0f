/** What a peer remembers of others: their addresses and how they were found. */
import { ADDRESSES_MAX, KNOWN_PEERS_MAX } from './limits.ts'
import type { KnownPeer, PeerId } from './peer.ts'

interface Memory {
  /** Oldest first. */
  readonly addresses: Set<string>
  local: boolean
}

export class KnownPeers {
  /** Least recently seen first. */
  readonly #memories = new Map<PeerId, Memory>()

  has(id: PeerId): boolean {
    return this.#memories.has(id)
  }

  addresses(id: PeerId): string[] {
    return [...(this.#memories.get(id)?.addresses ?? [])]
  }

  /** Adds to what is known of a peer. */
  remember(
    id: PeerId,
    addresses: Iterable<string>,
    { local = false }: { readonly local?: boolean } = {}
  ): void {
    const memory = this.#memories.get(id) ?? { addresses: new Set(), local: false }
    memory.local ||= local
    for (const address of addresses) {
      memory.addresses.delete(address)
      memory.addresses.add(address)
    }
    shrink(memory.addresses, ADDRESSES_MAX)
    this.#memories.delete(id)
    this.#memories.set(id, memory)
    shrink(this.#memories, KNOWN_PEERS_MAX)
  }

  list(isConnected: (id: PeerId) => boolean): KnownPeer[] {
    return [...this.#memories].map(([id, { addresses, local }]) => ({
      id,
      addresses: [...addresses],
      connected: isConnected(id),
      local
    }))
  }
}

function shrink<Key>(collection: Set<Key> | Map<Key, unknown>, sizeMax: number): void {
  for (const oldest of collection.keys()) {
    if (collection.size <= sizeMax) return
    collection.delete(oldest)
  }
}
