/**
 * Writing several segments anew as one, with only what is needed. The copy is made beside them while
 * everything goes on; then, while nothing changes the log, one rename puts it in their place.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BlockLog } from './block-log.ts'
import { TEMPORARY_SUFFIX } from './durable-file.ts'
import type { DiskFile } from './file-system.ts'
import { RecordBatch } from './record-batch.ts'
import type { Kind } from './segment-format.ts'
import {
  KIND,
  RECORD_HEADER_BYTES,
  createSegmentHeader,
  encodeSegmentHeader,
  isBlockKind,
  isRemovedKind,
  writeRecordHeader
} from './segment-format.ts'
import { SegmentIndex } from './segment-index.ts'
import type { Segment } from './segment.ts'
import { BLOCK_ID_BYTES, DIGEST_BYTES } from '../block-id.ts'
import { sha256 } from '../sha256.ts'

/** Blocks are entered at their new places in turns of this many, so that nothing waits for long. */
const ENTERED_IN_A_TURN = 4096

/** A record of an old segment that is needed. */
export interface NeededRecord {
  readonly input: Segment
  readonly kind: Kind
  readonly id: Uint8Array
  readonly offset: number
  /** Of content, in blocks. */
  readonly length: number
  /** In removals. */
  readonly target: number
}

export class SegmentCopy {
  readonly #log: BlockLog
  readonly #file: DiskFile
  readonly #segment: Segment
  readonly #index = new SegmentIndex()
  readonly #batch = new RecordBatch()
  /** Where each entry of the index was copied from. */
  readonly #sources: { readonly input: Segment; readonly offset: number }[] = []

  private constructor(log: BlockLog, segment: Segment, file: DiskFile) {
    this.#log = log
    this.#segment = segment
    this.#file = file
  }

  static async create(log: BlockLog, inputs: readonly Segment[]): Promise<SegmentCopy> {
    const first = inputs[0]!.header.first
    const last = inputs.at(-1)!.header.last
    const header = createSegmentHeader(log.takeNumber(), { first, last })
    const segment = log.createSegment(header)
    const file = await log.fileSystem.open(segment.path + TEMPORARY_SUFFIX, 'create')
    const copy = new SegmentCopy(log, segment, file)
    try {
      await file.write([encodeSegmentHeader(header)], 0)
      return copy
    } catch (cause) {
      await copy.discard()
      throw cause
    }
  }

  /** Copies records out of a stretch of their segment; returns those whose bytes are damaged. */
  async add(records: readonly NeededRecord[], stretch: Uint8Array): Promise<NeededRecord[]> {
    const start = records[0]!.offset
    const damaged: NeededRecord[] = []
    const contents = await Promise.all(records.map(record => readContent(record, stretch, start)))
    for (const [position, record] of records.entries()) {
      const bytes = contents[position]
      if (bytes === undefined) damaged.push(record)
      else await this.#addRecord(record, bytes)
    }
    await this.#flush()
    return damaged
  }

  /** Forces what was copied to disk, so that little is left to do while nothing else may happen. */
  sync(): Promise<void> {
    return this.#file.sync()
  }

  /** Takes the place of the inputs. Nothing may change the log meanwhile. */
  async replace(inputs: readonly Segment[]): Promise<Segment> {
    const log = this.#log
    const segment = this.#segment
    await this.#forgetRemoved()
    await log.fileSystem.rename(segment.path + TEMPORARY_SUFFIX, segment.path)
    await log.fileSystem.syncDirectory(log.directory)
    log.files.adopt(segment, this.#file)
    log.addSegment(segment)
    await this.#enterPlaces()
    for (const input of inputs) log.segments.delete(input.number)
    segment.index = this.#index
    segment.isSealed = true
    return segment
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => {})
    await this.#log.fileSystem.remove(this.#segment.path + TEMPORARY_SUFFIX).catch(() => {})
  }

  async #addRecord(record: NeededRecord, bytes: Uint8Array): Promise<void> {
    const { kind, id, target, input } = record
    const copied = { kind, id, target, bytes }
    if (!this.#batch.hasRoomFor(copied)) await this.#flush()
    const offset = this.#segment.size + this.#batch.bytes
    this.#batch.add(copied, this.#segment)
    this.#index.add(kind, id, { offset, length: isRemovedKind(kind) ? target : bytes.length })
    this.#sources.push({ input, offset: record.offset })
  }

  async #flush(): Promise<void> {
    if (this.#batch.count === 0) return
    await this.#file.write(this.#batch.buffers(), this.#segment.size)
    this.#segment.size += this.#batch.bytes
    this.#batch.clear()
  }

  /** What was removed since it was copied has a removal that says it was in an input: it must not be here. */
  async #forgetRemoved(): Promise<void> {
    const id = new Uint8Array(BLOCK_ID_BYTES)
    const bytes = new Uint8Array(RECORD_HEADER_BYTES)
    const view = new DataView(bytes.buffer)
    let forgotten = 0
    for (const [entry, { input, offset }] of this.#sources.entries()) {
      if (!isBlockKind(this.#index.kindAt(entry) as Kind)) continue
      this.#index.fillIdAt(entry, id)
      if (this.#log.isAt(id, input, offset)) continue
      const length = this.#index.lengthAt(entry)
      const nothing = { kind: KIND.nothing, id, length, target: 0 }
      writeRecordHeader(view, 0, this.#segment.header, nothing)
      await this.#file.write([bytes], this.#index.offsetAt(entry))
      this.#index.forget(entry)
      forgotten++
    }
    if (forgotten > 0) await this.#file.sync()
  }

  /** Readers may look up either place meanwhile: both hold the block. */
  async #enterPlaces(): Promise<void> {
    const index = this.#index
    const id = new Uint8Array(BLOCK_ID_BYTES)
    const container = this.#segment.number
    for (let entry = 0; entry < index.count; entry++) {
      const kind = index.kindAt(entry) as Kind
      const length = index.lengthAt(entry)
      if (isRemovedKind(kind)) this.#segment.countRemoval(length)
      if (isBlockKind(kind)) {
        index.fillIdAt(entry, id)
        this.#log.setPlace(id, { container, offset: index.offsetAt(entry), length })
      }
      if (entry % ENTERED_IN_A_TURN === ENTERED_IN_A_TURN - 1) await nextTurn()
    }
  }
}

const NO_BYTES = new Uint8Array(0)

/** The bytes of a block, `undefined` when they are not what the id says. */
async function readContent(
  { id, kind, offset, length }: NeededRecord,
  stretch: Uint8Array,
  start: number
): Promise<Uint8Array | undefined> {
  if (!isBlockKind(kind)) return NO_BYTES
  const from = offset - start + RECORD_HEADER_BYTES
  const bytes = stretch.subarray(from, from + length)
  if (bytes.length < length) return undefined
  const digest = await sha256(bytes)
  const head = BLOCK_ID_BYTES - DIGEST_BYTES
  return digest.every((byte, index) => byte === id[head + index]) ? bytes : undefined
}
