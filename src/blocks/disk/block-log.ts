/**
 * The log as a whole, in memory: its segments, which block is where, and what of it all is alive.
 * Nothing here waits: every change is whole for whoever looks next.
 */
import { join } from 'node:path'
import type { Place } from './digest-table.ts'
import { DigestTable } from './digest-table.ts'
import type { FileSystem } from './file-system.ts'
import { SegmentFiles } from './segment-files.ts'
import type { SegmentHeader } from './segment-format.ts'
import { RECORD_HEADER_BYTES } from './segment-format.ts'
import { Segment, segmentName } from './segment.ts'
import type { BlockStoreUsage } from '../block-store.ts'
import type { WarrenError } from '../../errors.ts'

export class BlockLog {
  readonly directory: string
  readonly fileSystem: FileSystem
  readonly files: SegmentFiles
  readonly table: DigestTable = new DigestTable()
  readonly segments: Map<number, Segment> = new Map()
  /** Segments with bytes that may not survive power loss. */
  readonly dirty: Set<Segment> = new Set()
  /** True when a segment was made whose name may not survive power loss. */
  isDirectoryDirty = false
  /**
   * What a write to disk that failed after it had been taken leaves behind: nobody can say any more
   * what is on disk, so nothing is promised until the log is opened again.
   */
  failure: WarrenError | undefined
  /** Blocks whose bytes were found damaged, at the place where they were. They count as missing. */
  readonly #damaged = new DigestTable()
  #contentBytes = 0
  #damagedBytes = 0
  #lastNumber = 0

  constructor(directory: string, fileSystem: FileSystem) {
    this.directory = directory
    this.fileSystem = fileSystem
    this.files = new SegmentFiles(fileSystem)
  }

  /** Never given out before, not even for a file that is gone. */
  takeNumber(): number {
    return ++this.#lastNumber
  }

  skipNumbers(last: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, last)
  }

  createSegment(header: SegmentHeader): Segment {
    return new Segment(header, join(this.directory, segmentName(header.number)))
  }

  addSegment(segment: Segment): void {
    this.segments.set(segment.number, segment)
  }

  /** The block as far as anyone outside is concerned. */
  has(id: Uint8Array): boolean {
    return this.table.has(id) && !this.isDamaged(id)
  }

  isDamaged(id: Uint8Array): boolean {
    return this.#damaged.size > 0 && this.#damaged.has(id)
  }

  usage(): BlockStoreUsage {
    return {
      blocks: this.table.size - this.#damaged.size,
      bytes: this.#contentBytes - this.#damagedBytes
    }
  }

  markDamaged(id: Uint8Array, place: Place): void {
    if (this.#damaged.has(id)) return
    this.#damaged.set(id, place)
    this.#damagedBytes += place.length
  }

  /** The damage was in the reading, or the block is gone or elsewhere now. */
  unmarkDamaged(id: Uint8Array): void {
    if (this.#damaged.size === 0) return
    const place = this.#damaged.get(id)
    if (place === undefined) return
    this.#damaged.delete(id)
    this.#damagedBytes -= place.length
  }

  /** The block is at this place now, whether or not it was anywhere before. */
  setPlace(id: Uint8Array, place: Place): void {
    const before = this.table.get(id)
    if (before === undefined) this.#contentBytes += place.length
    else this.#countLive(before, -1)
    this.unmarkDamaged(id)
    this.table.set(id, place)
    this.#countLive(place, 1)
  }

  /** The place the block had. */
  removePlace(id: Uint8Array): Place | undefined {
    const place = this.table.get(id)
    if (place === undefined) return undefined
    this.table.delete(id)
    this.unmarkDamaged(id)
    this.#contentBytes -= place.length
    this.#countLive(place, -1)
    return place
  }

  isAt(id: Uint8Array, segment: Segment, offset: number): boolean {
    const place = this.table.get(id)
    return place?.container === segment.number && place.offset === offset
  }

  /** In the order in which their records count. */
  segmentsInOrder(): Segment[] {
    return [...this.segments.values()].sort((a, b) => a.header.first - b.header.first)
  }

  #countLive(place: Place, sign: 1 | -1): void {
    const segment = this.segments.get(place.container)
    if (segment === undefined) return
    segment.liveBytes += sign * (RECORD_HEADER_BYTES + place.length)
    segment.liveBlocks += sign
  }
}
