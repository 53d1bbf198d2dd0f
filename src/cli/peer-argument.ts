/** Peers and volumes as they stand on a command line. The library tells whether there are such. */
import type { PeerId, VolumeId } from '../index.ts'
import { UsageError } from './usage-error.ts'

/** Ids are base58, and base36 where they begin with k. */
const ID = /^[0-9A-Za-z]{30,100}$/

/** A peer id, or an address that ends in one. */
export function parsePeer(text: string, what: string): PeerId {
  const id = text.slice(text.lastIndexOf('/') + 1)
  if (ID.test(id)) return id as PeerId
  throw new UsageError(`${what} ${text}: not the id of a peer, as 'warren peers' lists them`)
}

export function parseVolume(text: string): VolumeId {
  if (ID.test(text)) return text as VolumeId
  throw new UsageError(`${text}: not the id of a volume, as 'warren pledge' lists them`)
}
