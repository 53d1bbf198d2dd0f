/**
 * The messages of the verbs `join`, `invite`, `pledge` and `leave` of `/warren/replicas/1.0.0`: how a
 * peer becomes a holder of a volume, changes what it gives, and ceases to be one.
 *
 * Participants: the volume's owner, who alone can sign a list; a peer that holds, or would.
 *
 * Goals: who was handed an invitation joins with one question; who has pledged to somebody is asked
 * with one; who has more or less room, or moves, says so, and so does who leaves.
 *
 * Non-goals: telling the others, which the list does (`watch-messages.ts`); moving blocks.
 *
 * In CDDL:
 *
 *     join      = { verb: "join", volume: tstr,
 *                   token: tstr,              ; from the invitation; at most 64 letters and digits
 *                   pledge: uint,             ; bytes, from 1
 *                   zone: tstr,               ; at most 64 bytes, see `Holder.zone`
 *                   addresses: [*8 tstr] }    ; multiaddrs of who asks
 *     joined    = { list: bytes,              ; a list in which it is a holder
 *                   addresses: [*64 [peer: bytes .size 32, [*8 tstr]]] }
 *
 *     invite    = { verb: "invite", volume: tstr, addresses: [*8 tstr] }  ; asked by the owner
 *     accepted  = { pledge: uint, zone: tstr }   ; it will hold, once a list says so
 *
 *     pledge    = { verb: "pledge", volume: tstr, pledge: uint, zone: tstr }  ; from a holder, of itself
 *     leave     = { verb: "leave", volume: tstr,
 *                   drain: bool,              ; it goes when what it has is elsewhere
 *                   left: bool }              ; it has gone
 *     noted     = {}                          ; answers both
 *
 * Each has one answer. `EACCES`: the token or the pledge is not for this peer; `EDQUOT`: the pledge
 * has no room; `EBUSY`: this peer asks too often.
 */
import type { VolumeId } from '../../namespace/index.ts'
import { isCount, isZone } from '../holders/limits.ts'
import { TOKEN_LENGTH_MAX } from './circle-limits.ts'
import {
  encodeAddresses,
  encodeHints,
  readAddresses,
  readBoolean,
  readHints,
  readListBytes,
  readMap,
  readRequest,
  readVolume,
  refuse
} from './message-parts.ts'
import type { AddressHints } from './message-parts.ts'

export interface JoinRequest {
  /** What the invitation carries: letters and digits, at most `TOKEN_LENGTH_MAX`. */
  readonly token: string
  /** From 1. */
  readonly pledgeBytes: number
  readonly zone: string
  /** Multiaddrs under which the peer that joins is reached. */
  readonly addresses: readonly string[]
}

export interface InviteRequest {
  /** Multiaddrs of the owner. */
  readonly addresses: readonly string[]
}

export interface InviteAnswer {
  /** From 1. */
  readonly pledgeBytes: number
  readonly zone: string
}

/** What a holder gives from now on. */
export type PledgeRequest = InviteAnswer

export interface LeaveRequest {
  /** The holder goes when everything it has is elsewhere as often as it should be. */
  readonly drain: boolean
  /** The holder has gone: it keeps nothing from now on. */
  readonly left: boolean
}

/** A request, and the volume that it is about. */
export type About<Request> = Request & { readonly volume: VolumeId }

export function encodeJoin({
  volume,
  token,
  pledgeBytes,
  zone,
  addresses
}: About<JoinRequest>): unknown {
  return {
    verb: 'join',
    volume,
    token,
    pledge: pledgeBytes,
    zone,
    addresses: encodeAddresses(addresses)
  }
}

/** Throws `EPROTO`, as all of the readers below. */
export function decodeJoin(body: unknown): About<JoinRequest> {
  const map = readRequest(body, 'join', ['volume', 'token', 'pledge', 'zone', 'addresses'])
  return {
    volume: readVolume(map['volume']),
    token: readToken(map['token']),
    ...readPledge(map),
    addresses: readAddresses(map['addresses'])
  }
}

export function encodeJoined(list: Uint8Array, addresses: AddressHints): unknown {
  return { list, addresses: encodeHints(addresses) }
}

/** The list is not verified here. */
export function decodeJoined(body: unknown): { list: Uint8Array; addresses: AddressHints } {
  const map = readMap(body, ['list', 'addresses'])
  return { list: readListBytes(map['list']), addresses: readHints(map['addresses']) }
}

export function encodeInvite({ volume, addresses }: About<InviteRequest>): unknown {
  return { verb: 'invite', volume, addresses: encodeAddresses(addresses) }
}

export function decodeInvite(body: unknown): About<InviteRequest> {
  const map = readRequest(body, 'invite', ['volume', 'addresses'])
  return { volume: readVolume(map['volume']), addresses: readAddresses(map['addresses']) }
}

export function encodeAccepted({ pledgeBytes, zone }: InviteAnswer): unknown {
  return { pledge: pledgeBytes, zone }
}

export function decodeAccepted(body: unknown): InviteAnswer {
  return readPledge(readMap(body, ['pledge', 'zone']))
}

export function encodePledge({ volume, pledgeBytes, zone }: About<PledgeRequest>): unknown {
  return { verb: 'pledge', volume, pledge: pledgeBytes, zone }
}

export function decodePledge(body: unknown): About<PledgeRequest> {
  const map = readRequest(body, 'pledge', ['volume', 'pledge', 'zone'])
  return { volume: readVolume(map['volume']), ...readPledge(map) }
}

export function encodeLeave({ volume, drain, left }: About<LeaveRequest>): unknown {
  return { verb: 'leave', volume, drain, left }
}

export function decodeLeave(body: unknown): About<LeaveRequest> {
  const map = readRequest(body, 'leave', ['volume', 'drain', 'left'])
  return {
    volume: readVolume(map['volume']),
    drain: readBoolean(map['drain']),
    left: readBoolean(map['left'])
  }
}

export function decodeNoted(body: unknown): void {
  readMap(body, [])
}

const TOKEN = /^[A-Za-z0-9]+$/

function readToken(value: unknown): string {
  const valid = typeof value === 'string' && value.length <= TOKEN_LENGTH_MAX && TOKEN.test(value)
  return valid ? value : refuse('that is no token')
}

function readPledge({ pledge, zone }: Record<string, unknown>): InviteAnswer {
  if (!isCount(pledge) || pledge === 0) refuse('that is no pledge')
  if (!isZone(zone)) refuse('that is no zone')
  return { pledgeBytes: pledge, zone }
}
