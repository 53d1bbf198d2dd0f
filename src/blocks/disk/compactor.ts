/** Giving the space of removed blocks back to the disk, a few segments at a time. */
import type { BlockLog } from './block-log.ts'
import type { CompactionLimits } from './compaction-plan.ts'
import { leastNeeded, planCompaction } from './compaction-plan.ts'
import { checkFailure } from './durability.ts'
import { writeFileDurably } from './durable-file.ts'
import type { DiskFile } from './file-system.ts'
import { readWhole } from './read-whole.ts'
import type { NeededRecord } from './segment-copy.ts'
import { SegmentCopy } from './segment-copy.ts'
import type { Kind } from './segment-format.ts'
import { RECORD_HEADER_BYTES, isBlockKind, isRemovedKind } from './segment-format.ts'
import type { SegmentIndex } from './segment-index.ts'
import { decodeSegmentIndex } from './segment-index.ts'
import { scanSegment } from './segment-scan.ts'
import type { Segment } from './segment.ts'
import { isFullDisk, isMissingFile, toWarrenError } from './system-error.ts'
import { BLOCK_ID_BYTES } from '../block-id.ts'

/** Read at once. A stretch with larger holes is read in parts. */
const STRETCH_BYTES_MAX = 2 * 1024 * 1024
const HOLE_BYTES_MAX = 64 * 1024

export interface CompactorOptions extends CompactionLimits {
  /** Runs work while nothing changes the log. */
  readonly alone: (work: () => Promise<void>) => Promise<void>
  readonly onDamaged: (id: Uint8Array) => void
  /** Makes room of what is kept for a full disk; false when nothing is left of that. */
  readonly makeRoom: (bytes: number) => Promise<boolean>
}

export class Compactor {
  readonly #log: BlockLog
  readonly #options: CompactorOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  constructor(log: BlockLog, options: CompactorOptions) {
    this.#log = log
    this.#options = options
  }

  /** Resolves when nothing is left to gain. Calls during a run share it. */
  run(): Promise<void> {
    this.#running ??= this.#compactAll().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Gives up at the next stretch; what was copied so far is thrown away. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running?.catch(() => {})
  }

  async #compactAll(): Promise<void> {
    try {
      // Once it is stopped another process may have the directory: not even empty segments are removed.
      while (!this.#stopping.signal.aborted) {
        checkFailure(this.#log)
        if (await this.#removeEmpty()) continue
        const inputs = planCompaction(this.#log, this.#options)
        if (inputs === undefined || this.#stopping.signal.aborted) return
        await this.#compact(inputs).catch(error => this.#compactLeast(error))
      }
    } catch (cause) {
      if (this.#stopping.signal.aborted) return
      throw toWarrenError(cause, { syscall: 'compact', path: this.#log.directory })
    }
  }

  /**
   * What nothing is needed of goes without a copy: on a disk that is full to the last byte this is
   * where room comes from. It counts as gone only when that survives power loss, since
   * removals recorded elsewhere may be dropped from then on. True when there was anything.
   */
  async #removeEmpty(): Promise<boolean> {
    const log = this.#log
    const isHeld = (number: number): boolean => log.segments.has(number)
    const isEmpty = (segment: Segment): boolean =>
      segment.isSealed && segment.needed(isHeld).records === 0
    const empty = [...log.segments.values()].filter(isEmpty)
    if (empty.length === 0) return false
    for (const segment of empty) await removeFiles(log, segment)
    await log.fileSystem.syncDirectory(log.directory)
    for (const segment of empty) log.segments.delete(segment.number)
    return true
  }

  /** On a full disk: the segment of which the least has to be copied makes room for others. */
  async #compactLeast(cause: unknown): Promise<void> {
    if (!isFullDisk(cause)) throw cause
    const least = leastNeeded(this.#log, this.#options.liveRatioMin)
    if (least === undefined || !(await this.#options.makeRoom(least.bytes))) throw cause
    await this.#compact([least.segment])
  }

  async #compact(inputs: readonly Segment[]): Promise<void> {
    const copy = await SegmentCopy.create(this.#log, inputs)
    const damaged: NeededRecord[] = []
    let replaced: Segment | undefined
    try {
      for (const input of inputs) damaged.push(...(await this.#copyNeeded(input, inputs, copy)))
      await copy.sync()
      await this.#options.alone(async () => {
        replaced = await this.#replace(copy, inputs, damaged)
      })
    } catch (error) {
      if (replaced === undefined) await copy.discard()
      throw error
    }
    await this.#finish(replaced!, inputs)
  }

  async #replace(
    copy: SegmentCopy,
    inputs: readonly Segment[],
    damaged: readonly NeededRecord[]
  ): Promise<Segment> {
    checkFailure(this.#log)
    this.#stopping.signal.throwIfAborted()
    try {
      const segment = await copy.replace(inputs)
      for (const { id, input, offset } of damaged) {
        if (this.#log.isAt(id, input, offset)) this.#log.removePlace(id)
      }
      return segment
    } catch (cause) {
      // Whether the new segment has taken the place on disk is known only after looking again.
      this.#log.failure ??= toWarrenError(cause, { syscall: 'rename', path: this.#log.directory })
      throw cause
    }
  }

  /** A crash here leaves files that the new segment outdates: they go when the log is opened. */
  async #finish(segment: Segment, inputs: readonly Segment[]): Promise<void> {
    const index = segment.index!.encode(segment.header)
    await writeFileDurably(segment.indexPath, index, this.#log.fileSystem).catch(() => {})
    segment.index = undefined
    for (const input of inputs) await removeFiles(this.#log, input)
  }

  async #copyNeeded(
    input: Segment,
    inputs: readonly Segment[],
    copy: SegmentCopy
  ): Promise<NeededRecord[]> {
    const log = this.#log
    return log.files.use(input, async file => {
      const index = await readIndex(log, input, file)
      const damaged: NeededRecord[] = []
      for (const records of stretches(neededRecords(log, input, { index, inputs }))) {
        this.#stopping.signal.throwIfAborted()
        const stretch = new Uint8Array(endOf(records.at(-1)!) - records[0]!.offset)
        const length = await file.read(stretch, records[0]!.offset)
        damaged.push(...(await copy.add(records, stretch.subarray(0, length))))
      }
      for (const { id } of damaged) this.#options.onDamaged(id)
      return damaged
    })
  }
}

async function removeFiles({ files, fileSystem }: BlockLog, segment: Segment): Promise<void> {
  await files.retire(segment)
  await fileSystem.remove(segment.path).catch(error => {
    // An earlier try may have got this far.
    if (!isMissingFile(error)) throw error
  })
  await fileSystem.remove(segment.indexPath).catch(() => {})
}

async function readIndex(log: BlockLog, segment: Segment, file: DiskFile): Promise<SegmentIndex> {
  const bytes = await readWhole(log.fileSystem, segment.indexPath)
  const index = bytes && decodeSegmentIndex(bytes, segment.header, segment.size)
  return index?.end === segment.size ? index : scanSegment(file, segment.header)
}

/** The blocks that are there, and the removals of what is still in a segment that stays. */
function* neededRecords(
  log: BlockLog,
  input: Segment,
  { index, inputs }: { readonly index: SegmentIndex; readonly inputs: readonly Segment[] }
): Generator<NeededRecord> {
  const going = new Set(inputs.map(segment => segment.number))
  const id = new Uint8Array(BLOCK_ID_BYTES)
  for (let entry = 0; entry < index.count; entry++) {
    const kind = index.kindAt(entry) as Kind
    const offset = index.offsetAt(entry)
    const length = index.lengthAt(entry)
    if (isBlockKind(kind)) {
      index.fillIdAt(entry, id)
      if (log.isAt(id, input, offset)) {
        yield { input, kind, id: id.slice(), offset, length, target: 0 }
      }
    } else if (isRemovedKind(kind) && log.segments.has(length) && !going.has(length)) {
      index.fillIdAt(entry, id)
      yield { input, kind, id: id.slice(), offset, length: 0, target: length }
    }
  }
}

/** Groups records that one read should fetch. */
function* stretches(records: Iterable<NeededRecord>): Generator<NeededRecord[]> {
  let group: NeededRecord[] = []
  for (const record of records) {
    const isFar =
      group.length > 0 &&
      (record.offset - endOf(group.at(-1)!) > HOLE_BYTES_MAX ||
        endOf(record) - group[0]!.offset > STRETCH_BYTES_MAX)
    if (isFar) {
      yield group
      group = []
    }
    group.push(record)
  }
  if (group.length > 0) yield group
}

function endOf({ offset, length }: NeededRecord): number {
  return offset + RECORD_HEADER_BYTES + length
}
