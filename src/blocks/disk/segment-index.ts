/**
 * What a segment holds, without reading it: a list of its records, kept in memory while the segment
 * grows and in a file beside it afterwards, so that opening a store reads 44 bytes a block and no
 * block. It can always be made again from the segment, so nothing about it needs to be trusted: a
 * file that is missing, damaged, of another segment or of another byte order is not used.
 *
 *     index = "wIdx" version:4 mark:4 seed:4 number:4 first:4 last:4 covered:4 count:4 crc32:4 entry*
 *     entry = digest:32 offset:4 length:4 kind:4      (the target instead of the length, in removals)
 *
 * Words are in the byte order of the machine. `covered` is how many bytes of the segment the list
 * describes; records behind it were appended later and are found by a scan. The checksum covers
 * everything before and after it. Entries follow each other without a hole: damaged
 * stretches of the segment have an entry of kind 0.
 */
import { crc32 } from 'node:zlib'
import type { Kind, SegmentHeader } from './segment-format.ts'
import {
  KIND,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  fillId,
  isBlockKind,
  isRemovedKind
} from './segment-format.ts'
import { BLOCK_ID_BYTES } from '../block-id.ts'
import { BLOCK_BYTES_MAX } from '../block.ts'

export const DAMAGED_STRETCH = 0
export type EntryKind = Kind | typeof DAMAGED_STRETCH

const ENTRY_WORDS = 11
const ENTRY_BYTES = ENTRY_WORDS * 4
const ENTRIES_MIN = 64
const HEADER_WORDS = 10
const HEADER_BYTES = HEADER_WORDS * 4
const COVERED_AT = 7
const COUNT_AT = 8
const CRC_AT = 9
const MAGIC = 0x78644977
const VERSION = 1

const OFFSET = 8
const LENGTH = 9
const KIND_AT = 10

export class SegmentIndex {
  #words: Uint32Array
  #bytes: Uint8Array
  #count: number

  constructor(words: Uint32Array = new Uint32Array(0), count = 0) {
    this.#words = words
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    this.#count = count
  }

  get count(): number {
    return this.#count
  }

  /** Where the next record goes if nothing follows the last entry. */
  get end(): number {
    return this.#count === 0 ? SEGMENT_HEADER_BYTES : this.endAt(this.#count - 1)
  }

  /** `length` is the target in removals and the whole stretch in damaged ones. */
  add(
    kind: EntryKind,
    id: Uint8Array,
    { offset, length }: { offset: number; length: number }
  ): void {
    const at = this.#count * ENTRY_WORDS
    if (at + ENTRY_WORDS > this.#words.length) this.#grow()
    for (let index = 0; index < 32; index++) this.#bytes[at * 4 + index] = id[index + 4]!
    this.#words[at + OFFSET] = offset
    this.#words[at + LENGTH] = length
    this.#words[at + KIND_AT] = kind
    this.#count++
  }

  addDamaged(offset: number, end: number): void {
    this.add(DAMAGED_STRETCH, NO_ID, { offset, length: end - offset })
  }

  kindAt(entry: number): EntryKind {
    return this.#words[entry * ENTRY_WORDS + KIND_AT]! as EntryKind
  }

  /** Where the record's header begins. */
  offsetAt(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + OFFSET]!
  }

  /** Bytes of content; the target in removals. */
  lengthAt(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + LENGTH]!
  }

  endAt(entry: number): number {
    const kind = this.kindAt(entry)
    const offset = this.offsetAt(entry)
    if (kind === DAMAGED_STRETCH) return offset + this.lengthAt(entry)
    const length = isRemovedKind(kind) ? 0 : this.lengthAt(entry)
    return offset + RECORD_HEADER_BYTES + length
  }

  fillIdAt(entry: number, id: Uint8Array): void {
    fillId(id, this.kindAt(entry) as Kind, this.#bytes, entry * ENTRY_BYTES)
  }

  /** A block that was removed while it was being copied here. */
  forget(entry: number): void {
    this.#words[entry * ENTRY_WORDS + KIND_AT] = KIND.nothing
  }

  encode(segment: SegmentHeader): Uint8Array {
    const words = new Uint32Array(HEADER_WORDS + this.#count * ENTRY_WORDS)
    words.set(this.#words.subarray(0, this.#count * ENTRY_WORDS), HEADER_WORDS)
    words.set([MAGIC, VERSION, segment.mark, segment.seed])
    words.set([segment.number, segment.first, segment.last, this.end, this.#count], 4)
    words[CRC_AT] = checksum(words)
    return new Uint8Array(words.buffer)
  }

  #grow(): void {
    const words = new Uint32Array(Math.max(ENTRIES_MIN * ENTRY_WORDS, this.#words.length * 2))
    words.set(this.#words)
    this.#words = words
    this.#bytes = new Uint8Array(words.buffer)
  }
}

const NO_ID = new Uint8Array(BLOCK_ID_BYTES)

/** `undefined` unless the bytes are the index of this very segment, of a prefix of its `size` bytes. */
export function decodeSegmentIndex(
  bytes: Uint8Array,
  segment: SegmentHeader,
  size: number
): SegmentIndex | undefined {
  const words = decodeWords(bytes)
  if (words === undefined) return undefined
  const { mark, seed, number, first, last } = segment
  if ([mark, seed, number, first, last].some((word, at) => words[at + 2] !== word)) return undefined
  const index = new SegmentIndex(words.subarray(HEADER_WORDS), words[COUNT_AT]!)
  const covered = words[COVERED_AT]!
  return covered <= size && isContiguous(index, covered) ? index : undefined
}

/** The header of the segment that an index belongs to. */
export function decodeIndexedHeader(bytes: Uint8Array): SegmentHeader | undefined {
  const words = decodeWords(bytes)
  if (words === undefined) return undefined
  const [mark, seed, number, first, last] = words.subarray(2, 7) as unknown as Words5
  return { mark, seed, number, first, last }
}

type Words5 = [number, number, number, number, number]

/** `undefined` unless they are whole and undamaged. */
function decodeWords(bytes: Uint8Array): Uint32Array | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length % 4 !== 0) return undefined
  // A copy when it must be, since words can only be read where words are aligned.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
  if (words[0] !== MAGIC || words[1] !== VERSION) return undefined
  if (words.length !== HEADER_WORDS + words[COUNT_AT]! * ENTRY_WORDS) return undefined
  return words[CRC_AT] === checksum(words) ? words : undefined
}

function checksum(words: Uint32Array): number {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CRC_AT * 4)))
}

function isContiguous(index: SegmentIndex, covered: number): boolean {
  let end = SEGMENT_HEADER_BYTES
  for (let entry = 0; entry < index.count; entry++) {
    const kind = index.kindAt(entry)
    if (kind > KIND.nothing || index.offsetAt(entry) !== end) return false
    if (isBlockKind(kind as Kind) && index.lengthAt(entry) > BLOCK_BYTES_MAX) return false
    end = index.endAt(entry)
  }
  return end === covered
}
