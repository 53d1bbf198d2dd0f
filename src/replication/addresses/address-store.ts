/**
 * Where holders were last seen: what lets a peer find them again when both have been restarted, and
 * only one of them is where it was. Written whole and rarely.
 */
import { isPeerId } from '../../peer/index.ts'
import type { PeerId } from '../../peer/index.ts'

/** More holders than a peer has to do with; the file stays below some megabytes. */
export const KEPT_PEERS_MAX = 4_096

/** A host with several networks, over both versions of IP, and where it was before. */
export const KEPT_ADDRESSES_MAX = 8

export interface AddressRecord {
  readonly peer: PeerId
  /** Multiaddrs. */
  readonly addresses: readonly string[]
}

export interface AddressBook {
  readonly peers: readonly AddressRecord[]
}

export interface AddressStore {
  /** What was last saved; empty at first. */
  load(): Promise<AddressBook>
  /** Of several at once the last one called is the one that stays. */
  save(book: AddressBook): Promise<void>
}

export function createMemoryAddressStore(): AddressStore {
  let saved: AddressBook = { peers: [] }
  return {
    load: async () => saved,
    save: async book => {
      saved = book
    }
  }
}

/** Reads what comes from JSON, and believes nothing of it. Throws an `Error` that says what is wrong. */
export function readAddressBook(value: unknown): AddressBook {
  const { peers } = value as Record<string, unknown>
  if (!Array.isArray(peers) || peers.length > KEPT_PEERS_MAX) throw new Error('no list of peers')
  return { peers: peers.map(readRecord) }
}

function readRecord(value: unknown): AddressRecord {
  const { peer, addresses } = (value ?? {}) as Record<string, unknown>
  if (typeof peer !== 'string' || !isPeerId(peer)) throw new Error('a peer that is none')
  if (!Array.isArray(addresses) || addresses.length > KEPT_ADDRESSES_MAX) {
    throw new Error('no list of addresses')
  }
  if (!addresses.every(address => typeof address === 'string')) throw new Error('not a text')
  return { peer, addresses }
}
