/**
 * Finding the records of a segment by reading it: after a crash, for what was written since its
 * index was, or when the index is missing or no good.
 *
 * Every block is hashed, because after a crash a header on disk says nothing about the bytes
 * behind it. A damaged record in the middle costs that record only: the scan goes on behind it when
 * its header is whole, and else at the next place where one is.
 */
import type { DiskFile } from './file-system.ts'
import type { RecordHeader, SegmentHeader } from './segment-format.ts'
import {
  DIGEST_AT,
  RECORD_HEADER_BYTES,
  fillId,
  isBlockKind,
  isRemovedKind,
  readRecordHeader
} from './segment-format.ts'
import { SegmentIndex } from './segment-index.ts'
import { BLOCK_ID_BYTES } from '../block-id.ts'
import { BLOCK_BYTES_MAX } from '../block.ts'
import { sha256 } from '../sha256.ts'

/** Read at once: several of the largest records, so that hashing them overlaps. */
const WINDOW_BYTES = 4 * 1024 * 1024
/** Checked at once: more of the smallest would only hold more memory. */
const RECORDS_AT_ONCE = 512
const RECORD_BYTES_MAX = RECORD_HEADER_BYTES + BLOCK_BYTES_MAX

interface Found {
  readonly at: number
  readonly header: RecordHeader
  readonly isGood: boolean
}

/**
 * Adds to the index every good record from where the index ends. Afterwards the index ends behind
 * the last good record: what follows in the file is torn.
 */
export async function scanSegment(
  file: DiskFile,
  segment: SegmentHeader,
  index: SegmentIndex = new SegmentIndex()
): Promise<SegmentIndex> {
  const size = await file.size()
  const buffer = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(0, size - index.end)))
  let position = index.end
  while (position < size) {
    const length = await file.read(buffer.subarray(0, size - position), position)
    if (length === 0) break
    const window = buffer.subarray(0, length)
    const isLast = position + length >= size || length < buffer.length
    // What begins behind this may continue in the next window.
    const end = isLast ? length : length - RECORD_BYTES_MAX
    let at = 0
    while (at < end) {
      const { found, next } = findRecords(window, segment, { from: at, end })
      addGood(index, await check(window, found), { window, position })
      at = next
    }
    position += at
  }
  return index
}

/** Some records that begin between `from` and `end`, and where to look on. */
function findRecords(
  window: Uint8Array,
  segment: SegmentHeader,
  { from, end }: { readonly from: number; readonly end: number }
): { found: Omit<Found, 'isGood'>[]; next: number } {
  const view = new DataView(window.buffer, window.byteOffset, window.length)
  const found: Omit<Found, 'isGood'>[] = []
  let at = from
  while (at < end && found.length < RECORDS_AT_ONCE) {
    const header = readRecordHeader(view, at, segment)
    const behind = header === undefined ? Infinity : at + RECORD_HEADER_BYTES + header.length
    if (header !== undefined && behind <= window.length) {
      found.push({ at, header })
      at = behind
    } else {
      at = findMark(window, segment.mark, at + 1)
    }
  }
  return { found, next: at }
}

/** Where the next record may begin: three bytes before the end at the latest. */
function findMark(window: Uint8Array, mark: number, from: number): number {
  const wanted = Buffer.alloc(4)
  wanted.writeUInt32LE(mark)
  const bytes = Buffer.from(window.buffer, window.byteOffset, window.length)
  const at = bytes.indexOf(wanted, from)
  return at === -1 ? Math.max(from, window.length - 3) : at
}

function check(
  window: Uint8Array,
  found: readonly Omit<Found, 'isGood'>[]
): Promise<readonly Found[]> {
  return Promise.all(
    found.map(async ({ at, header }) => {
      if (!isBlockKind(header.kind)) return { at, header, isGood: true }
      const from = at + RECORD_HEADER_BYTES
      const digest = await sha256(window.subarray(from, from + header.length))
      const isGood = digest.every((byte, index) => byte === window[at + DIGEST_AT + index])
      return { at, header, isGood }
    })
  )
}

function addGood(
  index: SegmentIndex,
  found: readonly Found[],
  { window, position }: { readonly window: Uint8Array; readonly position: number }
): void {
  const id = new Uint8Array(BLOCK_ID_BYTES)
  for (const { at, header, isGood } of found) {
    if (!isGood) continue
    const offset = position + at
    if (offset > index.end) index.addDamaged(index.end, offset)
    fillId(id, header.kind, window, at + DIGEST_AT)
    const length = isRemovedKind(header.kind) ? header.target : header.length
    index.add(header.kind, id, { offset, length })
  }
}
