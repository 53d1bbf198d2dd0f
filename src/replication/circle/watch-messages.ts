/**
 * The messages of the verbs `listen`, `watch` and `unwatch` of `/warren/replicas/1.0.0`: how the
 * holders of a volume, its owner among them, stay informed of each other.
 *
 * Participants: a peer that watches others in any number of volumes; peers that are watched, and
 * tell what they know. All that one tells the other comes on one line, which is a call of the verb
 * `listen` that lasts; `watch` adds a volume to it, `unwatch` takes one away.
 *
 * Goals: a new list reaches every holder within one message a hop, whoever is away; a report is
 * heard as soon as it is made; silence is noticed within half a minute; holders who never met find
 * each other; a slow reader misses what was overtaken meanwhile and nothing else; however many
 * volumes two peers share, they have one call, and an idle one costs no more than for one volume.
 *
 * Non-goals: proof of what reports say (audits do that); telling anything to who is no holder.
 *
 * In CDDL:
 *
 *     listen  = { verb: "listen" }              ; answered with `{}` and news until the call ends
 *     watch   = { verb: "watch",
 *                 watch: uint,                  ; names it in news; not used before on this line
 *                 volume: tstr,
 *                 addresses: [*8 tstr],         ; multiaddrs of who asks
 *                 list: bytes / null }          ; its newest list, when it was refused without
 *     unwatch = { verb: "unwatch", watch: uint }
 *     answer  = { ? list: bytes }               ; to `watch` and `unwatch`
 *     news    = { watch: uint,
 *                 ? list: bytes,                ; the newest that the sender has
 *                 ? addresses: [*64 [peer: bytes .size 32, [*8 tstr]]],
 *                 ? report: report,             ; the sender's own; see `report-record.ts`
 *                 ? heard: [sequence: uint, [*64 [place: uint, ageMs: uint, ? report]]],
 *                 ? ended: true }               ; no more comes of this watch
 *
 * What is sent first on a line, and whenever nothing was for a while, is `{}`: the sender is alive,
 * which counts in all volumes that are watched there. After it is sent first, volumes may be watched.
 *
 * News have what changed since those before. `EACCES` answers a `watch` by who is not in the newest
 * list. Whoever shows a list that once named it is told the newest before that, so that it learns
 * that it was removed; and one that was just added is let in by the list that says so.
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
  /** Names it in news. */
  readonly watch: number
  readonly volume: VolumeId
  readonly addresses: readonly string[]
  readonly list: Uint8Array | undefined
}

/** What a `watch` is answered with. */
export interface WatchAnswer {
  readonly list?: Uint8Array
}

/** What somebody heard of a holder whom the reader may not hear. */
export interface Hearsay {
  /** Of the holder, among the holders of the list. */
  readonly place: number
  /** Milliseconds since it was heard, when the message was made. */
  readonly ageMs: number
  readonly said?: Said
}

/** What changed in one volume. */
export interface WatchNews extends WatchAnswer {
  readonly addresses?: AddressHints
  readonly said?: Said
  readonly heard?: {
    /** Of the list whose places are meant. */
    readonly sequence: number
    readonly holders: readonly Hearsay[]
  }
  /** Nothing comes after it. */
  readonly ended?: true
}

export const SIGN_OF_LIFE: unknown = {}

export function encodeListenRequest(): unknown {
  return { verb: 'listen' }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeListenRequest(body: unknown): void {
  readRequest(body, 'listen', [])
}

export function encodeWatchRequest({ watch, volume, addresses, list }: WatchRequest): unknown {
  return { verb: 'watch', watch, volume, addresses: encodeAddresses(addresses), list: list ?? null }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeWatchRequest(body: unknown): WatchRequest {
  const map = readRequest(body, 'watch', ['watch', 'volume', 'addresses', 'list'])
  return {
    watch: readCount(map['watch']),
    volume: readVolume(map['volume']),
    addresses: readAddresses(map['addresses']),
    list: map['list'] === null ? undefined : readListBytes(map['list'])
  }
}

export function encodeUnwatchRequest(watch: number): unknown {
  return { verb: 'unwatch', watch }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeUnwatchRequest(body: unknown): number {
  return readCount(readRequest(body, 'unwatch', ['watch'])['watch'])
}

export function encodeWatchAnswer({ list }: WatchAnswer): unknown {
  return { ...(list && { list }) }
}

/** Throws `EPROTO` for anything that is not exactly an answer. The list is not verified here. */
export function decodeWatchAnswer(body: unknown): WatchAnswer {
  const { list } = readMap(body, [], ['list'])
  return { ...(list !== undefined && { list: readListBytes(list) }) }
}

export function encodeNews(news: WatchNews & { readonly watch: number }): unknown {
  const { watch, list, addresses, said, heard, ended } = news
  return {
    watch,
    ...(list && { list }),
    ...(addresses && { addresses: encodeHints(addresses) }),
    ...(said && { report: encodeSaid(said) }),
    ...(heard && { heard: [heard.sequence, heard.holders.map(encodeHearsay)] }),
    ...(ended && { ended })
  }
}

/**
 * Undefined for a sign of life, and for news of a watch that is over, which are no more than that.
 * Throws `EPROTO` for anything that is not exactly a message. The list is not verified here.
 */
export function decodeNews(
  body: unknown,
  volumeOf: (watch: number) => VolumeId | undefined
): (WatchNews & { readonly watch: number }) | undefined {
  const map = readMap(body, [], ['watch', 'list', 'addresses', 'report', 'heard', 'ended'])
  if (Object.keys(map).length === 0) return undefined
  const { list, addresses, report, heard, ended } = map
  const watch = readCount(map['watch'])
  const volume = volumeOf(watch)
  if (volume === undefined) return undefined
  return {
    watch,
    ...(list !== undefined && { list: readListBytes(list) }),
    ...(addresses !== undefined && { addresses: readHints(addresses) }),
    ...(report !== undefined && { said: decodeSaid(report, volume) }),
    ...(heard !== undefined && { heard: readHeard(heard, volume) }),
    ...(ended !== undefined && { ended: ended === true ? ended : refuse('it ends otherwise') })
  }
}

function encodeHearsay({ place, ageMs, said }: Hearsay): unknown[] {
  return said === undefined ? [place, ageMs] : [place, ageMs, encodeSaid(said)]
}

function readHeard(value: unknown, volume: VolumeId): NonNullable<WatchNews['heard']> {
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
