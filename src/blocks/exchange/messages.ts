/**
 * The messages of `/warren/blocks/1.0.0`: how blocks go from one peer to another.
 *
 * Participants: the asker, who knows ids and wants bytes; the holder, who may have them and need
 * not be able to read them.
 *
 * Goals: no round trip a block; the bytes of blocks are neither encoded nor copied; the asker can
 * verify each block by itself as it arrives; neither side keeps more in memory than its own limits
 * say. Flow control, multiplexing and cancelling belong to the call that carries the messages.
 *
 * Non-goals: finding out who has a block, permissions finer than a yes or no for a block, parts of
 * blocks.
 *
 * A want is one request, in CDDL:
 *
 *     want    = blocks / subtree
 *     blocks  = { want: "blocks",            ; payload: 1..4096 distinct ids of 36 bytes, joined
 *                 ? background: true }       ; nobody waits for it: others go before
 *     subtree = { want: "subtree", root: bytes .size 36,
 *                 ? background: true,
 *                 ? nodesOnly: bool,         ; leave out raw blocks; default false
 *                 ? within: [key, key],      ; below nodes, only what is in this range; default all
 *                 ? after: uint,             ; leave out this many blocks of the order; default 0
 *                 ? bytesMax: uint }         ; end once this many bytes were sent
 *
 *     key     = bytes .size (0..1025)        ; the first one inclusive, the second exclusive
 *
 * The order of a subtree is: the root, then what is below each of its links in turn, each block
 * once. `SubtreeWalk` states it exactly, and both sides use it. With `within` the links of a node are
 * those below which keys of the range may be, or to which its entries in the range link; a node that
 * its holder cannot read has none. So one who looks for a key gets all nodes on the way in one answer.
 *
 * An answer is a stream of messages, ended by the end of the call:
 *
 *     answer  = { lengths: bytes,            ; one big-endian uint32 a block, 1..1024 of them
 *                 ? more: true }             ; the last message: cut off by bytesMax, or after the
 *                                            ; first block by who cannot read nodes
 *     payload = the bytes of the blocks that are here, joined
 *
 * The blocks of an answer are those of the want, in its order, none left out: a block that the
 * holder does not have, or will not give, has the length 0xffffffff and no bytes. Below such a node
 * the walk does not go. `bytesMax` cuts only between blocks and after the first.
 *
 * Example: the answer `a1 67 6c656e67746873 48 00000003 ffffffff` with the payload `01 02 03` says
 * that the first block wanted is three bytes long and that the second is not here.
 */
import { BLOCK_BYTES_MAX } from '../block.ts'
import { BLOCK_ID_BYTES, blockIdFromBytes, blockIdToBytes } from '../block-id.ts'
import type { BlockId } from '../block-id.ts'
import type { KeyRange } from '../block-store.ts'
import { WarrenError } from '../../errors.ts'
import type { IncomingMessage, OutgoingMessage, Protocol } from '../../peer/index.ts'
import { MESSAGE_BLOCKS_MAX, WANT_IDS_MAX, WANT_KEY_BYTES_MAX } from './limits.ts'

export const BLOCKS_PROTOCOL: Protocol = '/warren/blocks/1.0.0'

/** The links of a node that lead into a range of keys, in its order; none of a node that cannot be read. */
export type LinksWithin = (
  node: Uint8Array,
  range: KeyRange,
  options: { readonly nodesOnly: boolean }
) => readonly BlockId[]

interface AnyWant {
  /** Nobody waits for it: what others want goes before. Default false. */
  readonly background?: boolean
}

export interface BlocksWant extends AnyWant {
  readonly kind: 'blocks'
  readonly ids: readonly BlockId[]
}

export interface SubtreeWant extends AnyWant {
  readonly kind: 'subtree'
  readonly root: BlockId
  /** Leave out raw blocks. Default false. */
  readonly nodesOnly?: boolean
  /** Leave out what is not in this range of keys. Default: all of it is wanted. */
  readonly within?: KeyRange
  /** How many blocks of the order to leave out: those that an earlier answer brought. Default 0. */
  readonly after?: number
  /** Ends the answer once this many bytes were sent. Default: no limit. */
  readonly bytesMax?: number
}

export type BlockWant = BlocksWant | SubtreeWant

export interface Answer {
  /** A length for each block in the order of the want; `MISSING` for one that is not there. */
  readonly lengths: readonly number[]
  /** The answer ends here although the want does not. */
  readonly more: boolean
}

export const MISSING = 0xffff_ffff

const LENGTH_BYTES = 4

export function encodeWant(want: BlockWant): OutgoingMessage {
  const urgency = want.background === true ? { background: true } : {}
  if (want.kind === 'blocks') {
    return { body: { want: 'blocks', ...urgency }, payload: [joinIds(want.ids)] }
  }
  const { nodesOnly = false, within, after = 0, bytesMax } = want
  return {
    body: {
      want: 'subtree',
      root: blockIdToBytes(want.root),
      ...urgency,
      ...(nodesOnly ? { nodesOnly } : {}),
      ...(within === undefined ? {} : { within: [within.from, within.to] }),
      ...(after > 0 ? { after } : {}),
      ...(bytesMax === undefined ? {} : { bytesMax })
    }
  }
}

const WANT_FIELDS = [
  'want',
  'root',
  'nodesOnly',
  'within',
  'after',
  'bytesMax',
  'background'
] as const

/** Throws `EPROTO` for anything that is not exactly a want. */
export function decodeWant({ body, payload }: IncomingMessage): BlockWant {
  const fields = readMap(body, WANT_FIELDS)
  if (fields.background !== undefined && fields.background !== true)
    refuse('background is not true')
  const urgency = fields.background === true ? { background: true } : {}
  if (fields.want === 'blocks') {
    const { want, background: _, ...others } = fields
    if (Object.keys(others).length > 0) refuse(`a want for ${want} has other fields`)
    return { kind: 'blocks', ids: splitIds(payload), ...urgency }
  }
  if (fields.want !== 'subtree') refuse('it is no want we know')
  if (payload.length > 0) refuse('a want for a subtree has a payload')
  const { root, nodesOnly = false, within, after = 0, bytesMax } = fields
  if (!(root instanceof Uint8Array)) refuse('the root is not an id')
  if (typeof nodesOnly !== 'boolean') refuse('nodesOnly is not a boolean')
  if (!isCount(after)) refuse('after is not a count')
  if (bytesMax !== undefined && !isCount(bytesMax)) refuse('bytesMax is not a count')
  return {
    kind: 'subtree',
    root: blockIdFromBytes(root),
    nodesOnly,
    after,
    ...urgency,
    ...(within === undefined ? {} : { within: readRange(within) }),
    ...(bytesMax === undefined ? {} : { bytesMax })
  }
}

export function encodeAnswer(
  lengths: readonly number[],
  options: { readonly payload: readonly Uint8Array[]; readonly more?: boolean }
): OutgoingMessage {
  const bytes = new Uint8Array(lengths.length * LENGTH_BYTES)
  for (let i = 0, at = 0; i < lengths.length; i++) {
    const length = lengths[i]!
    bytes[at++] = length >>> 24
    bytes[at++] = length >>> 16
    bytes[at++] = length >>> 8
    bytes[at++] = length
  }
  const body = options.more === true ? { lengths: bytes, more: true } : { lengths: bytes }
  return { body, payload: options.payload }
}

/** Throws `EPROTO` unless the lengths are possible and add up to the payload. */
export function decodeAnswer({ body, payload }: IncomingMessage): Answer {
  const { lengths: bytes, more = false } = readMap(body, ['lengths', 'more'])
  if (!(bytes instanceof Uint8Array) || bytes.length % LENGTH_BYTES !== 0) {
    refuse('the lengths are not a list')
  }
  const count = bytes.length / LENGTH_BYTES
  if (count === 0 || count > MESSAGE_BLOCKS_MAX) {
    refuse(`it has ${count} blocks, 1 to ${MESSAGE_BLOCKS_MAX} are allowed`)
  }
  if (typeof more !== 'boolean') refuse('more is not a boolean')
  const lengths: number[] = []
  let total = 0
  for (let at = 0; at < bytes.length; at += LENGTH_BYTES) {
    const length =
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    lengths.push(length)
    if (length === MISSING) continue
    if (length > BLOCK_BYTES_MAX) refuse(`a block of ${length} bytes, ${BLOCK_BYTES_MAX} at most`)
    total += length
  }
  if (total !== payload.length) {
    refuse(`its blocks have ${total} bytes, the payload ${payload.length}`)
  }
  return { lengths, more }
}

function joinIds(ids: readonly BlockId[]): Uint8Array {
  if (ids.length === 0 || ids.length > WANT_IDS_MAX) {
    throw new TypeError(`a want for ${ids.length} blocks, 1 to ${WANT_IDS_MAX} are allowed`)
  }
  const joined = new Uint8Array(ids.length * BLOCK_ID_BYTES)
  for (let i = 0; i < ids.length; i++) joined.set(blockIdToBytes(ids[i]!), i * BLOCK_ID_BYTES)
  return joined
}

function splitIds(payload: Uint8Array): BlockId[] {
  const count = payload.length / BLOCK_ID_BYTES
  if (!Number.isInteger(count) || count === 0 || count > WANT_IDS_MAX) {
    refuse(`${payload.length} bytes of ids, 1 to ${WANT_IDS_MAX} ids are allowed`)
  }
  const ids: BlockId[] = []
  for (let at = 0; at < payload.length; at += BLOCK_ID_BYTES) {
    ids.push(blockIdFromBytes(payload.subarray(at, at + BLOCK_ID_BYTES)))
  }
  // Otherwise a small want could ask for the same megabyte thousands of times.
  if (new Set(ids).size !== ids.length) refuse('a want names a block twice')
  return ids
}

function readMap<Name extends string>(
  body: unknown,
  names: readonly Name[]
): Partial<Record<Name, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) refuse('it is not a map')
  for (const name of Object.keys(body)) {
    if (!(names as readonly string[]).includes(name)) refuse('it has a field we do not know')
  }
  return body as Partial<Record<Name, unknown>>
}

function readRange(value: unknown): KeyRange {
  if (!Array.isArray(value) || value.length !== 2) refuse('within is not a range')
  const [from, to] = value as unknown[]
  if (!isKey(from) || !isKey(to)) refuse('within has what is not a key')
  return { from, to }
}

function isKey(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length <= WANT_KEY_BYTES_MAX
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `a message of the block exchange: ${why}` })
}
