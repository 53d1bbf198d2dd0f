/**
 * The messages of the verb `holders` of `/warren/replicas/1.0.0`: who reads a volume finds out who
 * else has it, so that it does not notice when one of them goes away.
 *
 * Participants: a reader; a holder of the volume, or its owner.
 *
 * In CDDL:
 *
 *     holders = { verb: "holders", volume: tstr }
 *     told    = { list: bytes,              ; the newest list that is known, signed by the owner
 *                 addresses: [*64 [peer: bytes .size 32, [*8 tstr]]] }
 *
 * There is one answer. `ENOENT`: nothing is known here of that volume, or nothing that this peer
 * may know.
 */
import type { VolumeId } from '../../namespace/index.ts'
import {
  encodeHints,
  readHints,
  readListBytes,
  readMap,
  readRequest,
  readVolume
} from '../circle/message-parts.ts'
import type { AddressHints } from '../circle/message-parts.ts'

export interface HoldersAnswer {
  /** Not verified. */
  readonly list: Uint8Array
  readonly addresses: AddressHints
}

export function encodeHoldersRequest(volume: VolumeId): unknown {
  return { verb: 'holders', volume }
}

/** Throws `EPROTO`, as `decodeHoldersAnswer` does. */
export function decodeHoldersRequest(body: unknown): VolumeId {
  return readVolume(readRequest(body, 'holders', ['volume'])['volume'])
}

export function encodeHoldersAnswer({ list, addresses }: HoldersAnswer): unknown {
  return { list, addresses: encodeHints(addresses) }
}

export function decodeHoldersAnswer(body: unknown): HoldersAnswer {
  const map = readMap(body, ['list', 'addresses'])
  return { list: readListBytes(map['list']), addresses: readHints(map['addresses']) }
}
