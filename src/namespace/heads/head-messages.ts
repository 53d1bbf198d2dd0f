/**
 * The messages of `/warren/heads/1.0.0`, by which peers tell each other the newest versions of
 * volumes and what they offer.
 *
 * Participants: one peer calls, another serves. Any peer that holds a head serves it; who made it
 * is proved by its signature, never by who sent it.
 * Goals: a new version is known everywhere within one message a hop, also over peers that relay;
 * a dead source is noticed; nothing is revealed of volumes the caller may not read.
 * Non-goals: fetching the version itself, finding holders.
 *
 * Requests, each a CBOR array:
 *
 *     ['newest', [volume, …]]   answered by one message with the heads that are here, then the end
 *     ['follow', [volume, …]]   answered by the heads that are here, at once, and again by each
 *                               newer one; an empty list every few seconds is a sign of life
 *     ['offers']                answered by messages with what this peer offers the caller, then
 *                               the end
 *
 * A volume is its 40-byte binary id. A volume that is unknown and one that the caller may not read
 * look alike: nothing is said about them. Answers to the first two are lists of head records
 * (`head-record.ts`), to the last a list of maps { volume, name, path }; a reader ignores keys it
 * does not know. `EPROTO` answers what is none of this, `EBUSY` a follower too many.
 */
import { WarrenError } from '../../errors.ts'
import type { OutgoingMessage, Protocol } from '../../peer/index.ts'
import type { SignedHead, VolumeId } from './head.ts'
import { HEAD_BYTES_MAX } from './head-record.ts'
import { isShareName, isSharePath } from './share-name.ts'
import { volumeIdFromBytes, volumeIdToBytes } from './volume-id.ts'

export const HEADS_PROTOCOL: Protocol = '/warren/heads/1.0.0'

/** An answer for all of them at their largest, 256 KiB, is well within one message. */
export const VOLUMES_PER_REQUEST_MAX = 256

/** Offers at their largest, about 13 KiB, are this many well within one message. */
export const OFFERS_PER_MESSAGE_MAX = 64

/** More than a person will ever read of one peer, and a bound on what it can make us hold. */
export const OFFERS_MAX = 4096

export type HeadsRequest =
  | { readonly kind: 'newest' | 'follow'; readonly volumes: readonly VolumeId[] }
  | { readonly kind: 'offers' }

/** A volume, or a directory of one, that a peer shows to another. */
export interface Offer {
  readonly volume: VolumeId
  /** What the sharing peer calls it. Unique among its offers to one peer. */
  readonly name: string
  /** The directory or file of the volume that is shared; `/` for all of it. */
  readonly path: string
}

export function encodeRequest(request: HeadsRequest): OutgoingMessage {
  if (request.kind === 'offers') return { body: ['offers'] }
  return { body: [request.kind, request.volumes.map(volumeIdToBytes)] }
}

/** Throws `EPROTO`. */
export function decodeRequest(body: unknown): HeadsRequest {
  if (!Array.isArray(body)) throw malformed('a request')
  const [kind, volumes, ...rest] = body as unknown[]
  if (kind === 'offers' && body.length === 1) return { kind }
  if ((kind !== 'newest' && kind !== 'follow') || rest.length > 0) throw malformed('a request')
  return { kind, volumes: listOf(volumes, VOLUMES_PER_REQUEST_MAX).map(volumeIdFromBytes) }
}

export function encodeHeads(heads: readonly SignedHead[]): OutgoingMessage {
  return { body: heads.map(head => head.bytes) }
}

/** The records of an answer, neither decoded nor verified. Throws `EPROTO`. */
export function decodeRecords(body: unknown): Uint8Array[] {
  return listOf(body, VOLUMES_PER_REQUEST_MAX).map(record => {
    if (record instanceof Uint8Array && record.length <= HEAD_BYTES_MAX) return record
    throw malformed('a list of heads')
  })
}

export function encodeOffers(offers: readonly Offer[]): OutgoingMessage {
  return {
    body: offers.map(({ volume, name, path }) => ({ volume: volumeIdToBytes(volume), name, path }))
  }
}

/** Throws `EPROTO`. */
export function decodeOffers(body: unknown): Offer[] {
  return listOf(body, OFFERS_PER_MESSAGE_MAX).map(decodeOffer)
}

function decodeOffer(value: unknown): Offer {
  if (typeof value !== 'object' || value === null) throw malformed('an offer')
  const { volume, name, path } = value as Partial<Record<keyof Offer, unknown>>
  if (!isShareName(name) || !isSharePath(path)) throw malformed('an offer')
  return { volume: volumeIdFromBytes(volume), name, path }
}

function listOf(value: unknown, lengthMax: number): unknown[] {
  if (!Array.isArray(value)) throw malformed('a list')
  if (value.length <= lengthMax) return value
  throw malformed(`a list of at most ${lengthMax}, but of ${value.length}`)
}

function malformed(what: string): WarrenError {
  return new WarrenError('EPROTO', { message: `not ${what}` })
}
