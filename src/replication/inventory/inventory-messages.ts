/**
 * The messages of the verb `inventory` of `/warren/replicas/1.0.0`: how two peers find out which
 * blocks one of them has and the other has not.
 *
 * Participants: the asker, who leads and remembers; the holder, who answers each request from what
 * it has at that moment and remembers nothing but the totals of its inventory.
 *
 * Goals: the cost goes with the difference and not with the sets; a handful of round trips; nobody
 * who may write blocks can make two different sets look alike; every message is bounded, and a
 * liar costs no more than an honest peer that has what it claims.
 *
 * Non-goals: proof that a block is really there (that is what audits are for); moving blocks;
 * hiding from the holder which blocks the asker has.
 *
 * The method is range-based set reconciliation: Meyer: Range-Based Set Reconciliation, 2022,
 * https://arxiv.org/abs/2212.13567; compare Negentropy, https://logperiodic.com/rbsr.html. Ours
 * differs in that one side leads, that fingerprints are keyed, and that short ranges are told as
 * keyed hashes of ids, 8 bytes each, instead of ids.
 *
 * In CDDL:
 *
 *     request = { verb: "inventory",
 *                 scope: tstr,            ; what is compared, named as both know it; at most 256 long
 *                 salt: bytes .size 16,   ; the key of all hashes here; chosen by the asker
 *                 ranges: [1*512 range] }
 *     range   = [from, to, parts: 1..256]             ; split it
 *             / [from, to, parts, fingerprint]        ; unless this is its fingerprint
 *             / [from, to, tags]                      ; list it
 *     from    = bytes  ; a bound, see `inventory-key.ts`; no bytes: the start
 *     to      = bytes  ; the bound after the range; no bytes: the end
 *     tags    = bytes  ; the tags of the ids that the asker has there, joined, in the order of the ids
 *
 *     answer  = { ranges: [1*512 result] }            ; one message, in the order of the request
 *     result  = true                                  ; the fingerprints are equal
 *             / null                                  ; the message is full: ask again
 *             / [bounds: [* bytes], counts: [+ uint], fingerprints: bytes]   ; the parts
 *             / { ids: bytes,                         ; 36 bytes each: the holder has these,
 *                 lacks: [* uint] }                   ; and not those with these places among the tags
 *
 * A tag is the keyed hash of an id, a fingerprint the exclusive or of tags; both are 8 bytes: two
 * words, each with its lowest byte first. `bounds` are those between the parts, one fewer than
 * there are parts. When `tags` is empty `ids` are all that the holder has there. A range that is to
 * be listed and has more ids than an answer may list is split all the same. The first result is
 * never null.
 */
import { BLOCK_ID_BYTES } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { CHASKEY_KEY_BYTES } from './chaskey.ts'
import { compareKeys, decodeBound, encodeBound, keyFromIdBytes } from './inventory-key.ts'
import type { Key, KeyRange } from './inventory-key.ts'
import {
  ANSWER_IDS_MAX,
  INVENTORY_IDS_MAX,
  LISTED_TAGS_MAX,
  RANGE_PARTS_MAX,
  REQUEST_PARTS_MAX,
  REQUEST_RANGES_MAX,
  SCOPE_LENGTH_MAX
} from './inventory-limits.ts'
import { TAG_BYTES } from './inventory-view.ts'
import type { RangePart } from './inventory-view.ts'

export const SALT_BYTES: number = CHASKEY_KEY_BYTES

export interface SplitRequest {
  readonly kind: 'split'
  readonly range: KeyRange
  readonly parts: number
  readonly fingerprint?: Uint32Array | undefined
}

export interface ListRequest {
  readonly kind: 'list'
  readonly range: KeyRange
  /** Two words each. */
  readonly tags: Uint32Array
}

export type RangeRequest = SplitRequest | ListRequest

export interface InventoryRequest {
  readonly scope: string
  readonly salt: Uint8Array
  readonly ranges: readonly RangeRequest[]
}

export type RangeResult =
  | { readonly kind: 'same' }
  | { readonly kind: 'again' }
  | { readonly kind: 'parts'; readonly parts: readonly RangePart[] }
  | { readonly kind: 'list'; readonly ids: Uint8Array; readonly lacks: readonly number[] }

export function encodeInventoryRequest({ scope, salt, ranges }: InventoryRequest): unknown {
  return { verb: 'inventory', scope, salt, ranges: ranges.map(encodeRange) }
}

/** Throws `EPROTO` for anything that is not exactly a request. */
export function decodeInventoryRequest(body: unknown): InventoryRequest {
  const { verb, scope, salt, ranges } = readMap(body, ['verb', 'scope', 'salt', 'ranges'])
  if (verb !== 'inventory') refuse('it is no request for an inventory')
  if (typeof scope !== 'string' || scope.length > SCOPE_LENGTH_MAX) refuse('the scope is no name')
  if (!isBytes(salt) || salt.length !== SALT_BYTES) refuse(`the salt has not ${SALT_BYTES} bytes`)
  const decoded = readList(ranges, REQUEST_RANGES_MAX).map(decodeRange)
  if (decoded.length === 0) refuse('it asks for nothing')
  const parts = decoded.reduce((sum, range) => sum + (range.kind === 'split' ? range.parts : 0), 0)
  if (parts > REQUEST_PARTS_MAX) refuse(`it asks for ${parts} parts, ${REQUEST_PARTS_MAX} at most`)
  return { scope, salt, ranges: decoded }
}

export function encodeInventoryAnswer(results: readonly RangeResult[]): unknown {
  return { ranges: results.map(encodeResult) }
}

/** Throws `EPROTO` unless this can be an answer to these ranges. */
export function decodeInventoryAnswer(
  body: unknown,
  asked: readonly RangeRequest[]
): RangeResult[] {
  const { ranges } = readMap(body, ['ranges'])
  const results = readList(ranges, REQUEST_RANGES_MAX)
  if (results.length !== asked.length) {
    refuse(`${results.length} results for ${asked.length} ranges`)
  }
  const decoded = results.map((result, index) => decodeResult(result, asked[index]!))
  if (decoded[0]!.kind === 'again') refuse('it has no result at all')
  const listed = decoded.reduce(
    (sum, result) => sum + (result.kind === 'list' ? result.ids.length : 0),
    0
  )
  if (listed > ANSWER_IDS_MAX * BLOCK_ID_BYTES) refuse(`it lists more than ${ANSWER_IDS_MAX} ids`)
  return decoded
}

export function encodeTags(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i]!, true)
  return bytes
}

function decodeTags(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true))
}

function encodeRange(request: RangeRequest): unknown[] {
  const bounds = [encodeBound(request.range.from), encodeBound(request.range.to)]
  if (request.kind === 'list') return [...bounds, encodeTags(request.tags)]
  const { parts, fingerprint } = request
  return [...bounds, parts, ...(fingerprint === undefined ? [] : [encodeTags(fingerprint)])]
}

function decodeRange(value: unknown): RangeRequest {
  const [from, to, how, fingerprint, ...rest] = readList(value, 4)
  if (rest.length > 0) refuse('a range has more than it should')
  const range = { from: readBound(from), to: readBound(to) }
  if (
    range.from !== undefined &&
    range.to !== undefined &&
    compareKeys(range.from, range.to) >= 0
  ) {
    refuse('a range ends where it begins, or before')
  }
  if (isBytes(how) && fingerprint === undefined) {
    const tags = how.length / TAG_BYTES
    if (!Number.isInteger(tags) || tags > LISTED_TAGS_MAX) {
      refuse(`a list of ${tags} tags, ${LISTED_TAGS_MAX} at most`)
    }
    return { kind: 'list', range, tags: decodeTags(how) }
  }
  if (!isCount(how, RANGE_PARTS_MAX) || how === 0) {
    refuse(`a range is not to be split into 1 to ${RANGE_PARTS_MAX} parts`)
  }
  if (fingerprint === undefined) return { kind: 'split', range, parts: how }
  if (!isBytes(fingerprint) || fingerprint.length !== TAG_BYTES) refuse('that is no fingerprint')
  return { kind: 'split', range, parts: how, fingerprint: decodeTags(fingerprint) }
}

function encodeResult(result: RangeResult): unknown {
  if (result.kind === 'same') return true
  if (result.kind === 'again') return null
  if (result.kind === 'list') return { ids: result.ids, lacks: result.lacks }
  const { parts } = result
  const fingerprints = new Uint32Array(2 * parts.length)
  parts.forEach(({ fingerprint }, index) => fingerprints.set(fingerprint, 2 * index))
  return [
    parts.slice(1).map(({ range }) => encodeBound(range.from)),
    parts.map(({ count }) => count),
    encodeTags(fingerprints)
  ]
}

function decodeResult(value: unknown, asked: RangeRequest): RangeResult {
  if (value === null) return { kind: 'again' }
  if (value === true) {
    if (asked.kind === 'split' && asked.fingerprint !== undefined) return { kind: 'same' }
    refuse('it calls a range equal that nobody stated')
  }
  if (Array.isArray(value)) return decodeParts(value, asked)
  if (asked.kind !== 'list') refuse('a list of a range that was to be split')
  return decodeList(value, asked)
}

function decodeParts(value: readonly unknown[], asked: RangeRequest): RangeResult {
  const [bounds, counts, fingerprints, ...rest] = value
  const partsMax = asked.kind === 'split' ? asked.parts : RANGE_PARTS_MAX
  const numbers = readList(counts, partsMax)
  const edges = readList(bounds, partsMax).map(readBound)
  if (rest.length > 0 || numbers.length === 0 || edges.length !== numbers.length - 1) {
    refuse('the parts of a range do not fit each other')
  }
  if (!isBytes(fingerprints) || fingerprints.length !== TAG_BYTES * numbers.length) {
    refuse('there is not one fingerprint for each part')
  }
  const words = decodeTags(fingerprints)
  let from = asked.range.from
  let total = 0
  const parts = numbers.map((count, index): RangePart => {
    if (!isCount(count, INVENTORY_IDS_MAX)) refuse('a count is not possible')
    // Empty parts would let a range be split for ever.
    if (count === 0 && numbers.length > 1) refuse('one part of several is empty')
    total += count
    const isLast = index === edges.length
    const to = isLast ? asked.range.to : edges[index]
    if (!isLast && to === undefined) refuse('a bound between parts is missing')
    if (!isAscending(from, to)) refuse('the bounds of the parts do not ascend')
    const part = { range: { from, to }, count, fingerprint: words.slice(2 * index, 2 * index + 2) }
    from = to
    return part
  })
  if (total > INVENTORY_IDS_MAX) refuse(`it counts ${total} ids, ${INVENTORY_IDS_MAX} at most`)
  return { kind: 'parts', parts }
}

function decodeList(value: unknown, asked: ListRequest): RangeResult {
  const { ids, lacks } = readMap(value, ['ids', 'lacks'])
  if (!isBytes(ids) || ids.length % BLOCK_ID_BYTES !== 0) refuse('that is no list of ids')
  if (ids.length > ANSWER_IDS_MAX * BLOCK_ID_BYTES) refuse(`more than ${ANSWER_IDS_MAX} ids`)
  const { from, to } = asked.range
  let before: Key | undefined
  for (let at = 0; at < ids.length; at += BLOCK_ID_BYTES) {
    const key = keyFromIdBytes(ids, at)
    if (before !== undefined && compareKeys(before, key) >= 0) refuse('the ids do not ascend')
    if (before === undefined && from !== undefined && compareKeys(key, from) < 0) {
      refuse('an id is before its range')
    }
    before = key
  }
  if (before !== undefined && to !== undefined && compareKeys(before, to) >= 0) {
    refuse('an id is after its range')
  }
  const places = readList(lacks, asked.tags.length / 2)
  return {
    kind: 'list',
    ids,
    lacks: places.map((place, i) => readPlace(place, places[i - 1], asked))
  }
}

function readPlace(place: unknown, before: unknown, asked: ListRequest): number {
  if (!isCount(place, asked.tags.length / 2 - 1)) refuse('it lacks a tag that was not there')
  if (typeof before === 'number' && before >= place) refuse('what it lacks does not ascend')
  return place
}

/** No bytes are the start or the end, depending on where they stand. */
function readBound(value: unknown): Key | undefined {
  if (!isBytes(value)) refuse('a bound is not bytes')
  if (value.length === 0) return undefined
  return decodeBound(value) ?? refuse('a bound is not written as it should be')
}

/** `undefined` is the start as the first and the end as the second. */
function isAscending(from: Key | undefined, to: Key | undefined): boolean {
  return from === undefined || to === undefined || compareKeys(from, to) < 0
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

function readList(value: unknown, lengthMax: number): unknown[] {
  if (!Array.isArray(value)) refuse('a list is missing')
  if (value.length > lengthMax) refuse(`a list of ${value.length}, ${lengthMax} at most`)
  return value
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `a message about inventories: ${why}` })
}
