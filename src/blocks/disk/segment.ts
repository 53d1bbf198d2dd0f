/**
 * One segment of the log as the store knows it: where it is, how much of it is alive, and its
 * file, opened when needed.
 */
import type { DiskFile } from './file-system.ts'
import type { Kind, SegmentHeader } from './segment-format.ts'
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, isRemovedKind } from './segment-format.ts'
import type { SegmentIndex } from './segment-index.ts'

export class Segment {
  readonly header: SegmentHeader
  readonly path: string
  /** Bytes of the file that are records, and the header. */
  size: number = SEGMENT_HEADER_BYTES
  /** Bytes of records of blocks that are there, headers included. */
  liveBytes = 0
  liveBlocks = 0
  /** How many removals are recorded here, by the segment that held what they removed. */
  readonly removals: Map<number, number> = new Map()
  /** The records, while the segment grows or its list has not been written to its file. */
  index: SegmentIndex | undefined
  /** How much of the segment the index file describes. */
  indexedSize = 0
  /** True when nothing is appended any more and all of it survives power loss. */
  isSealed = false
  /** Reads and writes under way: the file stays open while there are any. */
  users = 0
  /** Called when the last user is gone, once the segment is to be removed. */
  whenUnused: (() => void) | undefined
  file: Promise<DiskFile> | undefined

  constructor(header: SegmentHeader, path: string) {
    this.header = header
    this.path = path
  }

  get number(): number {
    return this.header.number
  }

  get indexPath(): string {
    return indexPathOf(this.path)
  }

  countRemoval(target: number): void {
    this.removals.set(target, (this.removals.get(target) ?? 0) + 1)
  }

  /** What compaction could not drop. `isHeld` says whether a segment still exists. */
  needed(isHeld: (number: number) => boolean): { bytes: number; records: number } {
    let removals = 0
    for (const [target, count] of this.removals) {
      if (target !== this.number && isHeld(target)) removals += count
    }
    return {
      bytes: this.liveBytes + removals * RECORD_HEADER_BYTES,
      records: this.liveBlocks + removals
    }
  }
}

const SEGMENT_SUFFIX = '.segment'
const NUMBER_DIGITS = 8

export function segmentName(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0') + SEGMENT_SUFFIX
}

export function isSegmentName(name: string): boolean {
  return /^\d{8,10}\.segment$/.test(name)
}

export function indexPathOf(segmentPath: string): string {
  return segmentPath.slice(0, -SEGMENT_SUFFIX.length) + '.index'
}

/** Counts the removals that an index lists. */
export function countRemovals(segment: Segment, index: SegmentIndex): void {
  for (let entry = 0; entry < index.count; entry++) {
    if (isRemovedKind(index.kindAt(entry) as Kind)) segment.countRemoval(index.lengthAt(entry))
  }
}
