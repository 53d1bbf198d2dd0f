/**
 * The writing end of the log: takes records, writes them in batches, and enters them in the table
 * when their bytes are written, so that nobody ever looks for bytes that are not there. A write
 * that fails is taken back, and everything before it stays as it was.
 *
 * Not for several callers at once: `write-queue.ts` stands in front.
 */
import type { BlockLog } from './block-log.ts'
import { checkFailure } from './durability.ts'
import type { DiskFile } from './file-system.ts'
import type { BatchRecord, PlacedRecord } from './record-batch.ts'
import { RecordBatch } from './record-batch.ts'
import {
  RECORD_HEADER_BYTES,
  createSegmentHeader,
  encodeSegmentHeader,
  isRemovedKind
} from './segment-format.ts'
import { SegmentIndex } from './segment-index.ts'
import type { SegmentSealer } from './segment-sealer.ts'
import type { Segment } from './segment.ts'
import { toWarrenError } from './system-error.ts'

/** Bounds the index that is in memory while a segment of tiny blocks grows: 44 bytes each. */
export const SEGMENT_RECORDS_MAX: number = 128 * 1024

export class Appender {
  readonly #log: BlockLog
  readonly #sealer: SegmentSealer
  readonly #segmentBytesMax: number
  readonly #batch = new RecordBatch()
  #active: Segment | undefined

  constructor(
    log: BlockLog,
    sealer: SegmentSealer,
    options: { readonly active: Segment | undefined; readonly segmentBytesMax: number }
  ) {
    this.#log = log
    this.#sealer = sealer
    this.#active = options.active
    this.#segmentBytesMax = options.segmentBytesMax
  }

  /** The segment that grows, if there is one yet. */
  get active(): Segment | undefined {
    return this.#active
  }

  /** False when `makeRoom` must be awaited before the record can be added. */
  hasRoomFor(record: BatchRecord): boolean {
    const segment = this.#active
    if (segment === undefined) return false
    return this.#fits(segment, record) && this.#batch.hasRoomFor(record)
  }

  /** Writes what has been added, and begins a segment when the record does not fit the present one. */
  async makeRoom(record: BatchRecord): Promise<void> {
    await this.flush()
    if (this.#active !== undefined && this.#fits(this.#active, record)) return
    await this.endSegment()
    this.#active = await this.#createSegment()
  }

  add(record: BatchRecord): void {
    this.#batch.add(record, this.#active!)
  }

  /** Writes what has been added. When it fails, nothing that was added has happened. */
  async flush(): Promise<void> {
    const segment = this.#active
    if (segment === undefined || this.#batch.count === 0) return
    try {
      checkFailure(this.#log)
      await this.#log.files.use(segment, file => this.#write(file, segment))
      this.#apply(segment)
    } catch (cause) {
      throw toWarrenError(cause, { syscall: 'write', path: segment.path })
    } finally {
      this.#batch.clear()
    }
  }

  /** Forgets what has been added. */
  abandon(): void {
    this.#batch.clear()
  }

  /** What is appended next begins a new segment. At most one segment waits to be sealed. */
  async endSegment(): Promise<void> {
    const segment = this.#active
    await this.#sealer.settled()
    checkFailure(this.#log)
    this.#active = undefined
    if (segment !== undefined) void this.#sealer.seal(segment)
  }

  #fits(segment: Segment, { bytes }: BatchRecord): boolean {
    const count = segment.index!.count + this.#batch.count
    const size = segment.size + this.#batch.bytes + RECORD_HEADER_BYTES + bytes.length
    return count === 0 || (count < SEGMENT_RECORDS_MAX && size <= this.#segmentBytesMax)
  }

  async #write(file: DiskFile, segment: Segment): Promise<void> {
    this.#log.dirty.add(segment)
    try {
      await file.write(this.#batch.buffers(), segment.size)
    } catch (cause) {
      await file.truncate(segment.size).catch(() => {
        // What cannot be cut off is left behind, in a segment that gets nothing more.
        this.#active = undefined
        void this.#sealer.seal(segment)
      })
      throw cause
    }
  }

  #apply(segment: Segment): void {
    for (const record of this.#batch.records) applyRecord(this.#log, segment, record)
    segment.size += this.#batch.bytes
  }

  async #createSegment(): Promise<Segment> {
    const log = this.#log
    const header = createSegmentHeader(log.takeNumber())
    const segment = log.createSegment(header)
    try {
      const file = await log.fileSystem.open(segment.path, 'create')
      await file.write([encodeSegmentHeader(header)], 0).catch(async cause => {
        await file.close()
        throw cause
      })
      log.files.adopt(segment, file)
    } catch (cause) {
      await log.fileSystem.remove(segment.path).catch(() => {})
      throw toWarrenError(cause, { syscall: 'open', path: segment.path })
    }
    segment.index = new SegmentIndex()
    log.isDirectoryDirty = true
    log.dirty.add(segment)
    log.addSegment(segment)
    return segment
  }
}

function applyRecord(log: BlockLog, segment: Segment, record: PlacedRecord): void {
  const { id, kind, offset, target, bytes } = record
  const isRemoval = isRemovedKind(kind)
  segment.index!.add(kind, id, { offset, length: isRemoval ? target : bytes.length })
  if (isRemoval) {
    log.removePlace(id)
    segment.countRemoval(target)
  } else {
    log.setPlace(id, { container: segment.number, offset, length: bytes.length })
  }
}
