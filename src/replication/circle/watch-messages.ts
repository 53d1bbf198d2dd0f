/**
 * The messages of the verb `watch` of `/warren/replicas/1.0.0`: how the holders of a volume, its
 * owner among them, stay informed of each other.
 *
 * Participants: a holder that watches; a holder that is watched, and tells what it knows until the
 * call ends.
 *
 * Goals: a new list reaches every holder within one message a hop, whoever is away; a report is
 * heard as soon as it is made; silence is noticed within half a minute; holders who never met find
 * each other; a slow reader misses what was overtaken meanwhile and nothing else.
 *
 * Non-goals: proof of what reports say (audits do that); telling anything to who is no holder.
 *
 * In CDDL:
 *
 *     request = { verb: "watch",
 *                 volume: tstr,
 *                 addresses: [*8 tstr],     ; multiaddrs of who asks
 *                 list: bytes / null }      ; its newest list, when it was refused without
 *     answer  = { ? list: bytes,            ; the newest that the sender has
 *                 ? addresses: [*64 [peer: bytes .size 32, [*8 tstr]]],
 *                 ? report: report,         ; the sender's own; see `report-record.ts`
 *                 ? heard: [sequence: uint, [*64 [place: uint, ageMs: uint, ? report]]] }
 *
 * Each answer has what changed since the one before; an empty one is a sign of life. `EACCES`
 * answers who is not in the newest list. Whoever shows a list that once named it is told the newest
 * before that, so that it learns that it was removed; and one that was just added is let in by the
 * list that says so.
 *
 * `heard` is sent in circles that are too large for everybody to watch everybody: how long ago the
 * sender heard of others, itself or from others again, and what they said. `place` is the place of
 * a holder in the list with this sequence. Whom we watch ourselves is not believed from others.
 */
import type { VolumeId } from '../../namespace/index.ts'
import { HEARSAY_MAX } from './circle-limits.ts'
import {
  encodeAddresses,
  encodeHints,
  readAddresses,
  readCount,
  readHints,
  readList,
  readListBytes,
  readMap,
  readRequest,
  readVolume,
  refuse
} from './message-parts.ts'
import type { AddressHints } from './message-parts.ts'
import { decodeSaid, encodeSaid } from './report-record.ts'
import type { Said } from './report-record.ts'

export interface WatchRequest {
  readonly volume: VolumeId
  readonly addresses: readonly string[]
  readonly list: Uint8Array | undefined
}

/** What somebody heard of a holder whom the reader may not hear. */
export interface Hearsay {
  /** Of the holder, among the holders of the list. */
  readonly place: number
  /** Milliseconds since it was heard, when the message was made. */
  readonly ageMs: number
  readonly said?: Said
}

export interface WatchAnswer {
  readonly list?: Uint8Array
  readonly addresses?: AddressHints
  readonly said?: Said
  readonly heard?: {
    /** Of the list whose places are meant. */
    readonly sequence: number
    readonly holders: readonly Hearsay[]
  }
}

export function encodeWatchRequest({ volume, addresses, list }: WatchRequest): unknown {
  return { verb: 'watch', volume, addresses: encodeAddresses(addresses), list: list ?? null }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeWatchRequest(body: unknown): WatchRequest {
  const map = readRequest(body, 'watch', ['volume', 'addresses', 'list'])
  return {
    volume: readVolume(map['volume']),
    addresses: readAddresses(map['addresses']),
    list: map['list'] === null ? undefined : readListBytes(map['list'])
  }
}

export function encodeWatchAnswer({ list, addresses, said, heard }: WatchAnswer): unknown {
  return {
    ...(list && { list }),
    ...(addresses && { addresses: encodeHints(addresses) }),
    ...(said && { report: encodeSaid(said) }),
    ...(heard && { heard: [heard.sequence, heard.holders.map(encodeHearsay)] })
  }
}

/** Throws `EPROTO` for anything that is not exactly an answer. The list is not verified here. */
export function decodeWatchAnswer(body: unknown, volume: VolumeId): WatchAnswer {
  const map = readMap(body, [], ['list', 'addresses', 'report', 'heard'])
  const { list, addresses, report, heard } = map
  return {
    ...(list !== undefined && { list: readListBytes(list) }),
    ...(addresses !== undefined && { addresses: readHints(addresses) }),
    ...(report !== undefined && { said: decodeSaid(report, volume) }),
    ...(heard !== undefined && { heard: readHeard(heard, volume) })
  }
}

function encodeHearsay({ place, ageMs, said }: Hearsay): unknown[] {
  return said === undefined ? [place, ageMs] : [place, ageMs, encodeSaid(said)]
}

function readHeard(value: unknown, volume: VolumeId): NonNullable<WatchAnswer['heard']> {
  const [sequence, holders, ...more] = readList(value, 2)
  if (more.length > 0) refuse('that is not what was heard')
  return {
    sequence: readCount(sequence),
    holders: readList(holders, HEARSAY_MAX).map(item => readHearsay(item, volume))
  }
}

function readHearsay(value: unknown, volume: VolumeId): Hearsay {
  const [place, ageMs, report] = readList(value, 3)
  return {
    place: readCount(place),
    ageMs: readCount(ageMs),
    ...(report !== undefined && { said: decodeSaid(report, volume) })
  }
}
