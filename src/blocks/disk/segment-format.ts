/**
 * What the bytes of a segment mean. A segment is a header and records, back to back; integers are
 * unsigned and little-endian.
 *
 *     segment = "warrenS1" salt:8 number:4 first:4 last:4 checksum:4 record*
 *     record  = mark:4 length:3 kind:1 target:4 digest:32 checksum:4 bytes:length
 *
 * `number` names the segment and is never used twice. `first` and `last` are its place in the
 * log: equal to the number, or, in a segment that compaction wrote, the range of what it replaces;
 * such a segment outdates every older-numbered one within its range, which is how a crash between
 * writing the new file and removing the old ones is undone.
 *
 * Kinds: 1 a raw block, 2 a dag-cbor block; 3 and 4 say that such a block is removed, and `target`
 * is the number of the segment that held it (once that segment is gone, the record is needed no
 * more); 5 is nothing: a block that was removed while compaction copied it.
 *
 * `mark` and the seed of the record checksum are the two halves of the salt, random and secret, so
 * that nobody can make a block whose content passes for records when a scan looks for the next
 * good record behind a damaged one. A block's bytes need no checksum: they have the digest.
 */
import { BLOCK_ID_BYTES } from '../block-id.ts'
import { BLOCK_BYTES_MAX } from '../block.ts'
import { checksumWords } from './checksum.ts'

export const SEGMENT_HEADER_BYTES = 32
export const RECORD_HEADER_BYTES = 48

const MAGIC = new TextEncoder().encode('warrenS1')

export interface SegmentHeader {
  readonly number: number
  readonly first: number
  readonly last: number
  /** The two random words. */
  readonly mark: number
  readonly seed: number
}

export const KIND = { raw: 1, node: 2, rawRemoved: 3, nodeRemoved: 4, nothing: 5 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

const RAW_HEAD = Uint8Array.of(1, 0x55, 0x12, 32)
const NODE_HEAD = Uint8Array.of(1, 0x71, 0x12, 32)
const CODEC_AT = 1

export function blockKind(id: Uint8Array): Kind {
  return id[CODEC_AT] === NODE_HEAD[CODEC_AT] ? KIND.node : KIND.raw
}

export function removedKind(id: Uint8Array): Kind {
  return id[CODEC_AT] === NODE_HEAD[CODEC_AT] ? KIND.nodeRemoved : KIND.rawRemoved
}

export function isBlockKind(kind: Kind): boolean {
  return kind === KIND.raw || kind === KIND.node
}

export function isRemovedKind(kind: Kind): boolean {
  return kind === KIND.rawRemoved || kind === KIND.nodeRemoved
}

/** Fills `id`, 36 bytes, from a kind and the 32 bytes of digest at `at`. */
export function fillId(id: Uint8Array, kind: Kind, source: Uint8Array, at: number): void {
  id.set(kind === KIND.node || kind === KIND.nodeRemoved ? NODE_HEAD : RAW_HEAD)
  for (let index = 4; index < BLOCK_ID_BYTES; index++) id[index] = source[at + index - 4]!
}

export function createSegmentHeader(
  number: number,
  range: { readonly first: number; readonly last: number } = { first: number, last: number }
): SegmentHeader {
  const [mark, seed] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  return { number, first: range.first, last: range.last, mark, seed }
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  view.setUint32(8, header.mark, true)
  view.setUint32(12, header.seed, true)
  view.setUint32(16, header.number, true)
  view.setUint32(20, header.first, true)
  view.setUint32(24, header.last, true)
  view.setUint32(28, checksumWords(view, 0, 7, 0), true)
  return bytes
}

/** `undefined` for anything but a whole and consistent header. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(28, true) !== checksumWords(view, 0, 7, 0)) return undefined
  const word = (at: number): number => view.getUint32(at, true)
  const header = {
    mark: word(8),
    seed: word(12),
    number: word(16),
    first: word(20),
    last: word(24)
  }
  const ordered = 0 < header.first && header.first <= header.last && header.last <= header.number
  return ordered ? header : undefined
}

export interface RecordHeader {
  readonly kind: Kind
  /** Bytes of content that follow the header. */
  readonly length: number
  readonly target: number
}

export function writeRecordHeader(
  view: DataView,
  at: number,
  segment: SegmentHeader,
  record: RecordHeader & { readonly id: Uint8Array }
): void {
  view.setUint32(at, segment.mark, true)
  view.setUint32(at + 4, record.length | (record.kind << 24), true)
  view.setUint32(at + 8, record.target, true)
  for (let index = 0; index < 32; index++) view.setUint8(at + 12 + index, record.id[index + 4]!)
  view.setUint32(at + 44, checksumWords(view, at, 11, segment.seed), true)
}

/** `undefined` when no record of this segment begins at `at`. Its digest is at `DIGEST_AT` from there. */
export function readRecordHeader(
  view: DataView,
  at: number,
  segment: SegmentHeader
): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > view.byteLength) return undefined
  if (view.getUint32(at, true) !== segment.mark) return undefined
  if (view.getUint32(at + 44, true) !== checksumWords(view, at, 11, segment.seed)) return undefined
  const packed = view.getUint32(at + 4, true)
  const kind = (packed >>> 24) as Kind
  const length = packed & 0xffffff
  if (kind < KIND.raw || kind > KIND.nothing || length > BLOCK_BYTES_MAX) return undefined
  return { kind, length, target: view.getUint32(at + 8, true) }
}

export const DIGEST_AT = 12
