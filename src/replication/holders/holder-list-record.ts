/**
 * The bytes of a holder list, as they travel and are stored.
 *
 * A record is one CBOR array in its shortest form, and nothing after it:
 *
 *     [ 1,                    format version
 *       bytes(32),            the volume's Ed25519 public key
 *       uint,                 sequence
 *       [ uint, uint,         default policy: replicas (0: all), minimum,
 *         [ bytes(32) … ] ],    who has copies beside them: Ed25519 public keys, ascending
 *       [ [ uint,             overrides, ascending: inode number of a directory or a file,
 *           uint, uint,         replicas (0: all), minimum,
 *           [ bytes(32) … ]     who has copies beside them
 *         ] … ]
 *       [ [ bytes(32),        holders, ascending: the peer's Ed25519 public key,
 *           uint,               pledge in bytes, from 1
 *           text,               zone
 *           uint ] … ]          0: active, 1: draining
 *       bytes(64) ]           Ed25519 signature
 *
 * Signed is the text `warren-holders:1:` followed by all bytes of the record before the item of
 * the signature, which are the last 66. The text keeps a signature made for something else from
 * passing as one of a list. Nothing is parsed before the signature was found good, so only the
 * owner of a volume can feed the parser. A list has one encoding only, and fields that we do not
 * know are refused: what holders must agree on they must all understand, so whatever is added
 * takes a new format version, and older peers keep the newest list they can read. Numbers are at
 * most 2^53 - 1. A list without holders and overrides, sequence 5, three copies and at least two:
 *
 *     87 01 5820 <key> 05 83030280 80 80 5840 <signature>
 */
import { decode, encode } from 'cborg'
import { WarrenError } from '../../errors.ts'
import { createVolumeId } from '../../namespace/index.ts'
import type { InodeNumber, VolumeId } from '../../namespace/index.ts'
import {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  peerIdOf,
  publicKeyOf,
  verifySignature
} from '../../peer/index.ts'
import type { PeerId, SigningKey } from '../../peer/index.ts'
import { compareBytes, equalBytes } from './compare-bytes.ts'
import type { Holder, HolderList, HolderListFields } from './holder-list.ts'
import { HOLDER_LIST_BYTES_MAX, findProblem, isCount } from './limits.ts'
import type { Policy } from './policy.ts'

const VERSION = 1
const ITEMS = 7
const ALL = 0
const STATES = ['active', 'draining'] as const
const DOMAIN: Uint8Array = new TextEncoder().encode(`warren-holders:${VERSION}:`)

/** An array of seven items, the version, and the head of the public key. */
const START: Uint8Array = Uint8Array.of(0x80 | ITEMS, VERSION, 0x58, PUBLIC_KEY_BYTES)
const SIGNATURE_HEAD: Uint8Array = Uint8Array.of(0x58, SIGNATURE_BYTES)
const SIGNATURE_ITEM_BYTES: number = SIGNATURE_HEAD.length + SIGNATURE_BYTES

const STRICT = { strict: true, allowIndefinite: false, allowUndefined: false } as const

/**
 * Signs the list of the volume that is named by this key. The order of holders and overrides does
 * not matter. Throws `EINVAL` for a peer named twice and for whatever exceeds a limit.
 */
export async function encodeHolderList(
  key: SigningKey,
  fields: HolderListFields
): Promise<HolderList> {
  const problem = findProblem(fields) ?? findDuplicate(fields.holders)
  if (problem !== undefined) throw new WarrenError('EINVAL', { message: `holder list: ${problem}` })
  // Encoded with an empty signature to get at what is signed, then the signature is put in.
  const items = itemsOf(key.publicKey, fields)
  const bytes = new Uint8Array(encode([...items, new Uint8Array(SIGNATURE_BYTES)]))
  bytes.set(await key.sign(signedBytes(bytes)), bytes.length - SIGNATURE_BYTES)
  return parse(bytes, createVolumeId(key.publicKey))
}

/**
 * Reads a record that came from outside, as the list of this volume. Throws `EPROTO` when it is
 * none, or one of another volume, and `EBADMSG` when the volume's owner did not sign it.
 */
export async function decodeHolderList(bytes: unknown, volume: VolumeId): Promise<HolderList> {
  if (!(bytes instanceof Uint8Array) || !hasFrame(bytes)) throw malformed()
  const publicKey = bytes.subarray(START.length, START.length + PUBLIC_KEY_BYTES)
  if (createVolumeId(publicKey) !== volume) {
    throw new WarrenError('EPROTO', { message: 'the holder list of another volume' })
  }
  const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES)
  if (!(await verifySignature({ publicKey, bytes: signedBytes(bytes), signature }))) {
    throw new WarrenError('EBADMSG', { message: `holder list of volume ${volume}` })
  }
  // A copy, because a list is kept for long and the message it came in must not be.
  return parse(new Uint8Array(bytes), volume)
}

/** What a list says: its bytes without the signature. */
export function contentOf({ bytes }: HolderList): Uint8Array {
  return bytes.subarray(0, bytes.length - SIGNATURE_ITEM_BYTES)
}

function hasFrame(bytes: Uint8Array): boolean {
  const signatureAt = bytes.length - SIGNATURE_ITEM_BYTES
  return (
    bytes.length <= HOLDER_LIST_BYTES_MAX &&
    signatureAt >= START.length + PUBLIC_KEY_BYTES &&
    equalBytes(bytes.subarray(0, START.length), START) &&
    equalBytes(bytes.subarray(signatureAt, signatureAt + 2), SIGNATURE_HEAD)
  )
}

function signedBytes(record: Uint8Array): Uint8Array {
  const content = record.subarray(0, record.length - SIGNATURE_ITEM_BYTES)
  const bytes = new Uint8Array(DOMAIN.length + content.length)
  bytes.set(DOMAIN)
  bytes.set(content, DOMAIN.length)
  return bytes
}

/** All items but the signature, in the one order there is. */
function itemsOf(publicKey: Uint8Array, fields: HolderListFields): unknown[] {
  const { sequence, policy, overrides, holders } = fields
  const directories = [...overrides].toSorted(([one], [other]) => one - other)
  const peers = holders
    .map(holder => ({ holder, key: publicKeyOf(holder.peer) }))
    .toSorted((one, other) => compareBytes(one.key, other.key))
  return [
    VERSION,
    publicKey,
    sequence,
    policyItems(policy),
    directories.map(([inode, override]) => [inode, ...policyItems(override)]),
    peers.map(({ key, holder: { pledgeBytes, zone, state } }) => {
      return [key, pledgeBytes, zone, STATES.indexOf(state)]
    })
  ]
}

function policyItems({ replicas, minimum, on }: Policy): unknown[] {
  const keys = on.map(publicKeyOf).toSorted(compareBytes)
  return [replicas === 'all' ? ALL : replicas, minimum, keys]
}

function parse(bytes: Uint8Array, volume: VolumeId): HolderList {
  const items = decodeItems(bytes)
  const [, publicKey, sequence, policy, overrides, holders, signature] = items
  if (items.length !== ITEMS || !isCount(sequence)) throw malformed()
  const fields: HolderListFields = {
    sequence,
    policy: readPolicy(policy),
    overrides: new Map(list(overrides).map(readOverride)),
    holders: list(holders).map(readHolder)
  }
  if (findProblem(fields) !== undefined) throw malformed()
  // Whatever was out of order, twice, or not in its shortest form comes out differently.
  const again = encode([...itemsOf(publicKey as Uint8Array, fields), signature])
  if (!equalBytes(again, bytes) || findDuplicate(fields.holders) !== undefined) throw malformed()
  return { volume, ...fields, bytes }
}

function decodeItems(bytes: Uint8Array): readonly unknown[] {
  try {
    return list(decode(bytes, STRICT))
  } catch (cause) {
    throw malformed(cause)
  }
}

function readPolicy(value: unknown): Policy {
  const [replicas, minimum, on, ...more] = list(value)
  if (!isCount(replicas) || !isCount(minimum) || more.length > 0) throw malformed()
  return { replicas: replicas === ALL ? 'all' : replicas, minimum, on: list(on).map(readPeer) }
}

function readOverride(value: unknown): [InodeNumber, Policy] {
  const [inode, ...policy] = list(value)
  if (!isCount(inode)) throw malformed()
  return [inode as InodeNumber, readPolicy(policy)]
}

function readHolder(value: unknown): Holder {
  const [key, pledgeBytes, zone, state, ...more] = list(value)
  const peer = readPeer(key)
  const valid =
    isCount(pledgeBytes) &&
    typeof zone === 'string' &&
    (state === 0 || state === 1) &&
    more.length === 0
  if (!valid) throw malformed()
  return { peer, pledgeBytes, zone, state: STATES[state] }
}

function readPeer(key: unknown): PeerId {
  if (!(key instanceof Uint8Array) || key.length !== PUBLIC_KEY_BYTES) throw malformed()
  return peerIdOf(key)
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed()
  return value
}

function findDuplicate(holders: readonly Holder[]): string | undefined {
  const seen = new Set<string>()
  for (const { peer } of holders) {
    if (seen.has(peer)) return `${peer} twice`
    seen.add(peer)
  }
  return undefined
}

function malformed(cause?: unknown): WarrenError {
  return new WarrenError('EPROTO', { message: 'not a holder list', cause })
}
