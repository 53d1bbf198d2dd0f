/**
 * The messages of the verb `has` of `/warren/replicas/1.0.0`: which of these blocks a holder has on
 * disk. It is asked before a copy is trimmed that placement gives to somebody else.
 *
 * In CDDL, with the ids as the payload of the request, 36 bytes each, from 1 to 4096 of them:
 *
 *     request = { verb: "has", volume: tstr }
 *     answer  = { has: bytes }      ; a bit for each id, in order, the lowest of each byte first
 *
 * Bits beyond the last id are zero. `EACCES` answers who is not a holder of the volume. Answers are
 * claims, as reports are.
 */
import { BLOCK_ID_BYTES, blockIdFromBytes, blockIdToBytes } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { IncomingMessage, OutgoingMessage } from '../../peer/index.ts'
import { HAS_IDS_MAX } from './circle-limits.ts'
import { readMap, readRequest, readVolume, refuse } from './message-parts.ts'

export interface HasRequest {
  readonly volume: VolumeId
  readonly ids: readonly BlockId[]
}

export function encodeHasRequest({ volume, ids }: HasRequest): OutgoingMessage {
  const payload = new Uint8Array(ids.length * BLOCK_ID_BYTES)
  for (const [index, id] of ids.entries()) payload.set(blockIdToBytes(id), index * BLOCK_ID_BYTES)
  return { body: { verb: 'has', volume }, payload: [payload] }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeHasRequest({ body, payload }: IncomingMessage): HasRequest {
  const { volume } = readRequest(body, 'has', ['volume'])
  const count = payload.length / BLOCK_ID_BYTES
  if (!Number.isInteger(count) || count === 0) refuse(`${payload.length} bytes of ids`)
  if (count > HAS_IDS_MAX) refuse(`${count} ids, ${HAS_IDS_MAX} at most`)
  const ids = Array.from({ length: count }, (_, index) => {
    const start = index * BLOCK_ID_BYTES
    return blockIdFromBytes(payload.subarray(start, start + BLOCK_ID_BYTES))
  })
  return { volume: readVolume(volume), ids }
}

export function encodeHasAnswer(has: readonly boolean[]): OutgoingMessage {
  const bits = new Uint8Array(Math.ceil(has.length / 8))
  for (const [index, is] of has.entries()) if (is) bits[index >> 3]! |= 1 << (index & 7)
  return { body: { has: bits } }
}

/** Throws `EPROTO` unless it is an answer about so many ids. */
export function decodeHasAnswer(body: unknown, ids: number): boolean[] {
  const { has } = readMap(body, ['has'])
  if (!(has instanceof Uint8Array) || has.length !== Math.ceil(ids / 8)) {
    refuse(`not a bit for each of ${ids} ids`)
  }
  if (ids % 8 !== 0 && has.at(-1)! >> (ids % 8) !== 0) refuse('more bits than ids')
  return Array.from({ length: ids }, (_, index) => ((has[index >> 3]! >> (index & 7)) & 1) === 1)
}
