/**
 * The messages of the verb `audit` of `/warren/replicas/1.0.0`: a holder shows that it has blocks
 * without sending them.
 *
 * Participants: the auditor, who knows the answers; the holder, who has to compute them.
 *
 * Goals: a hundred bytes a challenge, many to a message; no answer can be kept from earlier, made
 * without the bytes of the range at that moment, or had from another holder by passing the
 * challenge on: it is good for one holder only.
 *
 * Non-goals: proof that the bytes are on the holder's own disk. It may fetch them from somebody who
 * has them; `docs/replication.md` says what bounds that.
 *
 * In CDDL:
 *
 *     request   = { verb: "audit", challenges: [1*256 challenge] }
 *     challenge = [id: bytes .size 36, offset: uint, length: uint, nonce: bytes .size 16]
 *     answer    = { proofs: [1*256 proof] }          ; one message, in the order of the challenges
 *     proof     = bytes .size 32
 *               / null                               ; "I do not have it", or not that long, or not for you
 *
 * A proof is SHA-256 of the nonce, one byte for the length of the holder's peer id, that id as text,
 * and the bytes of the range. `offset` and `length` are at most the size of the largest block.
 */
import {
  BLOCK_BYTES_MAX,
  BLOCK_ID_BYTES,
  DIGEST_BYTES,
  blockIdFromBytes,
  blockIdToBytes,
  sha256
} from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { PeerId } from '../../peer/index.ts'
import { AUDIT_CHALLENGES_MAX, NONCE_BYTES } from './audit-limits.ts'

export interface Challenge {
  readonly id: BlockId
  /** Of the first byte of the range. */
  readonly offset: number
  /** Bytes of the range. */
  readonly length: number
  readonly nonce: Uint8Array
}

/** `undefined`: the holder admits that it cannot. */
export type Proof = Uint8Array | undefined

/** What a holder answers; `undefined` when the range does not lie within the block. */
export async function proveRange(
  holder: PeerId,
  bytes: Uint8Array,
  { offset, length, nonce }: Omit<Challenge, 'id'>
): Promise<Proof> {
  if (offset + length > bytes.length) return undefined
  const name = new TextEncoder().encode(holder)
  const start = nonce.length + 1 + name.length
  const message = new Uint8Array(start + length)
  message.set(nonce)
  message[nonce.length] = name.length
  message.set(name, nonce.length + 1)
  message.set(bytes.subarray(offset, offset + length), start)
  return sha256(message)
}

export function encodeAuditRequest(challenges: readonly Challenge[]): unknown {
  const encoded = challenges.map(({ id, offset, length, nonce }) => {
    return [blockIdToBytes(id), offset, length, nonce]
  })
  return { verb: 'audit', challenges: encoded }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeAuditRequest(body: unknown): Challenge[] {
  const { verb, challenges, ...rest } = readMap(body)
  if (verb !== 'audit' || Object.keys(rest).length > 0) refuse('it is no audit')
  return readList(challenges).map(decodeChallenge)
}

export function encodeAuditAnswer(proofs: readonly Proof[]): unknown {
  return { proofs: proofs.map(proof => proof ?? null) }
}

/** Throws `EPROTO` unless there is a proof, or the lack of one, for each of so many challenges. */
export function decodeAuditAnswer(body: unknown, challenges: number): Proof[] {
  const { proofs, ...rest } = readMap(body)
  if (Object.keys(rest).length > 0) refuse('it has a field we do not know')
  const list = readList(proofs)
  if (list.length !== challenges) refuse(`${list.length} proofs for ${challenges} challenges`)
  return list.map(proof => {
    if (proof === null) return undefined
    if (proof instanceof Uint8Array && proof.length === DIGEST_BYTES) return proof
    return refuse('that is no proof')
  })
}

function decodeChallenge(value: unknown): Challenge {
  if (!Array.isArray(value) || value.length !== 4) refuse('that is no challenge')
  const [id, offset, length, nonce] = value as unknown[]
  if (!(id instanceof Uint8Array) || id.length !== BLOCK_ID_BYTES) refuse('that is no block id')
  if (!isCount(offset)) refuse('the offset is none of a block')
  if (!isCount(length)) refuse('the length is none of a range')
  if (!(nonce instanceof Uint8Array) || nonce.length !== NONCE_BYTES) {
    refuse(`the nonce has not ${NONCE_BYTES} bytes`)
  }
  return { id: blockIdFromBytes(id), offset, length, nonce }
}

function readMap(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) refuse('it is not a map')
  return { ...body }
}

function readList(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length === 0) refuse('a list is missing')
  if (value.length > AUDIT_CHALLENGES_MAX) {
    refuse(`a list of ${value.length}, ${AUDIT_CHALLENGES_MAX} at most`)
  }
  return value
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= BLOCK_BYTES_MAX
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `a message of an audit: ${why}` })
}
