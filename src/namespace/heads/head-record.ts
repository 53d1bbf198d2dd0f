/**
 * The bytes of a head, as they travel and are stored.
 *
 * A record is one CBOR array in its shortest form, and nothing after it:
 *
 *     [ 1,            format version
 *       bytes(32),    the volume's Ed25519 public key
 *       uint,         sequence
 *       bytes(36),    root block id, a binary CID
 *       uint,         time in milliseconds since 1970
 *       bytes(64) ]   Ed25519 signature
 *
 * Signed is the text `warren-head:1:` followed by the CBOR array of the first five items. The
 * text keeps a signature made for something else from ever passing as one of a head. A head has
 * one encoding only: what is not byte for byte as we would write it is refused, so equal heads are
 * equal bytes. Both numbers are at most 2^53 - 1. Today's records have at most 165 bytes:
 *
 *     86 01 5820 <key> 05 5824 <root> 1b00000199.. 5840 <signature>
 */
import { decode, encode } from 'cborg'
import { blockIdFromBytes, blockIdToBytes } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, verifySignature } from '../../peer/index.ts'
import type { SigningKey } from '../../peer/index.ts'
import type { SignedHead } from './head.ts'
import { createVolumeId, ownerKeyOf } from './volume-id.ts'

/** Room for what later versions may add; whoever stores or relays heads may rely on it. */
export const HEAD_BYTES_MAX = 1024

const VERSION = 1
const ITEMS = 6
const DOMAIN: Uint8Array = new TextEncoder().encode(`warren-head:${VERSION}:`)

const STRICT = { strict: true, allowIndefinite: false, allowUndefined: false } as const

export interface HeadFields {
  /** Zero or more; larger than that of any head signed for this volume before. */
  readonly sequence: number
  readonly root: BlockId
  /** Milliseconds since 1970, whole. */
  readonly timeMs: number
}

/** Makes the head of the volume that is named by this key. */
export async function signHead(key: SigningKey, fields: HeadFields): Promise<SignedHead> {
  const { sequence, root, timeMs } = fields
  requireCount('sequence', sequence)
  requireCount('timeMs', timeMs)
  const items = [VERSION, key.publicKey, sequence, blockIdToBytes(root), timeMs]
  const signature = await key.sign(signedBytes(items))
  const bytes = ownBytes(encode([...items, signature]))
  return { volume: createVolumeId(key.publicKey), sequence, root, timeMs, bytes }
}

/**
 * Reads a record that came from outside. Throws `EPROTO` when it is no record of ours and
 * `EBADMSG` when the volume's owner did not sign it.
 */
export async function readHead(bytes: unknown): Promise<SignedHead> {
  const head = decodeHead(bytes)
  await requireSigned(head)
  return head
}

/**
 * What a record says, its signature unchecked: for bytes that were checked before they were
 * stored, and to see whether a record is worth checking. Throws `EPROTO`.
 */
export function decodeHead(bytes: unknown): SignedHead {
  if (!(bytes instanceof Uint8Array) || bytes.length > HEAD_BYTES_MAX) throw malformed()
  const items = decodeItems(bytes)
  const [version, publicKey, sequence, root, timeMs, signature] = items
  const valid =
    items.length === ITEMS &&
    version === VERSION &&
    isBytes(publicKey, PUBLIC_KEY_BYTES) &&
    isCount(sequence) &&
    root instanceof Uint8Array &&
    isCount(timeMs) &&
    isBytes(signature, SIGNATURE_BYTES) &&
    isEqual(encode(items), bytes)
  if (!valid) throw malformed()
  const volume = createVolumeId(publicKey)
  return { volume, sequence, root: blockIdFromBytes(root), timeMs, bytes: ownBytes(bytes) }
}

/** Throws `EBADMSG` unless the owner of the volume signed this decoded record. */
export async function requireSigned(head: SignedHead): Promise<void> {
  const { volume, sequence, root, timeMs } = head
  const publicKey = ownerKeyOf(volume)
  const bytes = signedBytes([VERSION, publicKey, sequence, blockIdToBytes(root), timeMs])
  const signature = head.bytes.subarray(head.bytes.length - SIGNATURE_BYTES)
  if (!(await verifySignature({ publicKey, bytes, signature }))) {
    throw new WarrenError('EBADMSG', { message: `head ${sequence} of volume ${volume}` })
  }
}

function signedBytes(items: readonly unknown[]): Uint8Array {
  const record = encode(items)
  const bytes = new Uint8Array(DOMAIN.length + record.length)
  bytes.set(DOMAIN)
  bytes.set(record, DOMAIN.length)
  return bytes
}

function decodeItems(bytes: Uint8Array): unknown[] {
  try {
    const items: unknown = decode(bytes, STRICT)
    if (Array.isArray(items)) return items
  } catch (cause) {
    throw malformed(cause)
  }
  throw malformed()
}

/** A copy, because a record is kept for long and the message or the pool it came in must not be. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function requireCount(name: string, value: number): void {
  if (isCount(value)) return
  throw new TypeError(`${name} is ${String(value)}, not a whole number from 0`)
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function malformed(cause?: unknown): WarrenError {
  return new WarrenError('EPROTO', { message: 'not a head record', cause })
}
