/**
 * Records gathered into one write. Headers and small blocks are copied next to each other into one
 * buffer, which is cheaper than handing the system two buffers a block; large blocks are written
 * from where they are.
 */
import type { Segment } from './segment.ts'
import type { Kind } from './segment-format.ts'
import { RECORD_HEADER_BYTES, writeRecordHeader } from './segment-format.ts'

/** Enough that the cost of a write call no longer shows; little enough to start reading soon. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024
/** Copying this much costs less than one more buffer in the call. */
const COPIED_BYTES_MAX = 32 * 1024

export interface BatchRecord {
  readonly id: Uint8Array
  readonly kind: Kind
  /** Of a removal: the segment that held what is removed. 0 for blocks. */
  readonly target: number
  readonly bytes: Uint8Array
}

export interface PlacedRecord extends BatchRecord {
  readonly offset: number
}

export class RecordBatch {
  readonly #copied: Uint8Array = new Uint8Array(BATCH_BYTES_MAX)
  readonly #view: DataView = new DataView(this.#copied.buffer)
  #copiedEnd = 0
  /** Where what is copied but in no buffer yet begins. */
  #copiedFrom = 0
  #buffers: Uint8Array[] = []
  #records: PlacedRecord[] = []
  #bytes = 0

  get records(): readonly PlacedRecord[] {
    return this.#records
  }

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#records.length
  }

  /** An empty batch takes any record. */
  hasRoomFor(record: BatchRecord): boolean {
    const copied = this.#copiedEnd + RECORD_HEADER_BYTES + copiedBytes(record)
    const bytes = this.#bytes + RECORD_HEADER_BYTES + record.bytes.length
    return copied <= BATCH_BYTES_MAX && bytes <= BATCH_BYTES_MAX
  }

  /** All records of a batch go to one segment, in the order they are added. */
  add(record: BatchRecord, segment: Segment): void {
    const { bytes } = record
    const offset = segment.size + this.#bytes
    const header = { ...record, length: bytes.length }
    writeRecordHeader(this.#view, this.#copiedEnd, segment.header, header)
    this.#copiedEnd += RECORD_HEADER_BYTES
    if (copiedBytes(record) > 0) {
      this.#copied.set(bytes, this.#copiedEnd)
      this.#copiedEnd += bytes.length
    } else if (bytes.length > 0) {
      this.#endCopied()
      this.#buffers.push(bytes)
    }
    this.#records.push({ ...record, offset })
    this.#bytes += RECORD_HEADER_BYTES + bytes.length
  }

  /** The bytes to write, valid until the batch is cleared. */
  buffers(): readonly Uint8Array[] {
    this.#endCopied()
    return this.#buffers
  }

  clear(): void {
    this.#copiedEnd = 0
    this.#copiedFrom = 0
    this.#buffers = []
    this.#records = []
    this.#bytes = 0
  }

  #endCopied(): void {
    if (this.#copiedEnd === this.#copiedFrom) return
    this.#buffers.push(this.#copied.subarray(this.#copiedFrom, this.#copiedEnd))
    this.#copiedFrom = this.#copiedEnd
  }
}

function copiedBytes({ bytes }: BatchRecord): number {
  return bytes.length <= COPIED_BYTES_MAX ? bytes.length : 0
}
