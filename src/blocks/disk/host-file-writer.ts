/** Everything that changes the index of host files, one change at a time: first the log, then memory. */
import { dirname, isAbsolute } from 'node:path'
import { BLOCK_BYTES_MAX } from '../block.ts'
import type { BlockId } from '../block-id.ts'
import { blockIdFromBytes, blockIdToBytes } from '../block-id.ts'
import { WarrenError } from '../../errors.ts'
import { syncDirectory } from './durable-file.ts'
import { compactLog } from './host-file-compaction.ts'
import type { HostFileIndex } from './host-file-index.ts'
import type { HostFileLog } from './host-file-log.ts'
import type { Reference } from './host-file-records.ts'
import {
  decodeFrame,
  encodeDelete,
  encodeFile,
  encodeForget,
  encodeReferences,
  forEachReference,
  OFFSET_MAX,
  PATH_BYTES_MAX,
  RECORD_ITEMS_MAX,
  REFERENCE_BYTES
} from './host-file-records.ts'
import type { HostFile } from './host-file-state.ts'
import { isSameState } from './host-file-state.ts'

/** A range of a host file that is a block. */
export interface HostFileReference {
  readonly id: BlockId
  /** Absolute. */
  readonly path: string
  readonly offset: number
  readonly length: number
  readonly file: HostFile
}

/** A log shorter than this is not worth compacting. */
const COMPACTED_BYTES_MIN = 1024 * 1024
/** What a file's own record is taken to need: a frame, its head and a usual path. */
const FILE_RECORD_BYTES = 120

export class HostFileWriter {
  readonly #index: HostFileIndex
  #log: HostFileLog
  /** The end of the queue of changes. */
  #last: Promise<unknown> = Promise.resolve()
  /** The log's name is not known to be on the disk. */
  #nameUnsynced = true
  #compactedLength = 0

  constructor(index: HostFileIndex, log: HostFileLog) {
    this.#index = index
    this.#log = log
  }

  get log(): HostFileLog {
    return this.#log
  }

  /** Resolves to the numbers of the files that have begun anew. */
  async put(references: readonly HostFileReference[]): Promise<number[]> {
    const byPath = groupByPath(references)
    if (byPath.size === 0) return []
    return this.#change(async () => {
      const batch = new FrameBatch(this.#log.length)
      const begun: number[] = []
      const taken: number[] = []
      try {
        for (const [path, group] of byPath) {
          let number = this.#index.numberOf(path)
          let end = number === undefined ? undefined : await this.#endIfSame(number, group.file)
          if (number === undefined) taken.push((number = this.#index.takeNumber()))
          if (end === undefined) {
            begun.push(number)
            end = batch.add(encodeFile(number, path, group.file))
          } else {
            this.#dropKnown(group, number)
          }
          batch.addReferences({ number, previous: end, references: [...group.byId.values()] })
        }
        await this.#appendAndApply(batch.frames)
      } catch (error) {
        for (const number of taken) this.#index.giveBackNumber(number)
        throw error
      }
      return begun
    })
  }

  /** Resolves to the number the file had, if it was known. */
  async forget(path: string): Promise<number | undefined> {
    return this.#change(async () => {
      const number = this.#index.numberOf(path)
      if (number === undefined) return undefined
      await this.#appendAndApply([encodeForget(number)])
      this.#index.giveBackNumber(number)
      return number
    })
  }

  async delete(ids: readonly Uint8Array[]): Promise<void> {
    await this.#change(async () => {
      const known = ids.filter(id => this.#index.references.has(id))
      const frames: Uint8Array[] = []
      for (let from = 0; from < known.length; from += RECORD_ITEMS_MAX) {
        frames.push(encodeDelete(known.slice(from, from + RECORD_ITEMS_MAX)))
      }
      if (frames.length > 0) await this.#appendAndApply(frames)
    })
  }

  /** From the first put to the last. Read in one go, because a change could move them. */
  async *referencesOf(path: string): AsyncGenerator<HostFileReference> {
    const found = await this.#inTurn(() => this.#readReferences(path))
    if (found === undefined) return
    for (const packed of found.records.reverse()) {
      const references: HostFileReference[] = []
      forEachReference(packed, (id, offset, length) => {
        if (!this.#index.references.hasIn(id, found.number)) return
        references.push({ id: blockIdFromBytes(id), path, offset, length, file: found.file })
      })
      yield* references
    }
  }

  async sync(): Promise<void> {
    await this.#inTurn(() => this.#sync())
  }

  /** Waits for changes under way, and syncs. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      try {
        await this.#sync()
      } finally {
        await this.#log.close()
      }
    })
  }

  async #sync(): Promise<void> {
    await this.#log.sync()
    if (!this.#nameUnsynced) return
    await syncDirectory(dirname(this.#log.path))
    this.#nameUnsynced = false
  }

  /** Where the file's records end, when it is indexed in this state; otherwise it has to begin anew. */
  async #endIfSame(number: number, file: HostFile): Promise<number | undefined> {
    if (this.#index.isChanged(number)) return undefined
    const indexed = await this.#log.read(this.#index.beginOf(number))
    return indexed?.type === 'file' && isSameState(indexed, file)
      ? this.#index.endOf(number)
      : undefined
  }

  #dropKnown(group: FileGroup, number: number): void {
    for (const [id, reference] of group.byId) {
      if (this.#index.references.hasIn(reference.id, number)) group.byId.delete(id)
    }
  }

  async #readReferences(
    path: string
  ): Promise<{ number: number; file: HostFile; records: Uint8Array[] } | undefined> {
    const number = this.#index.numberOf(path)
    if (number === undefined) return undefined
    const record = await this.#log.read(this.#index.beginOf(number))
    if (record?.type !== 'file') return undefined
    const { size, mtimeMs, inode } = record
    const records: Uint8Array[] = []
    for await (const { references } of this.#index.recordsOf(number, this.#log)) {
      records.push(references)
    }
    return { number, file: { size, mtimeMs, inode }, records }
  }

  /** Memory takes the records just as it would take them from the log after a crash. */
  async #appendAndApply(frames: readonly Uint8Array[]): Promise<void> {
    let position = await this.#log.append(frames)
    for (const frame of frames) {
      const record = decodeFrame(frame)
      const applied = record && (await this.#index.apply(record, position, this.#log))
      if (applied !== true) {
        throw new WarrenError('EIO', { message: 'a record was refused', path: this.#log.path })
      }
      position += frame.length
    }
  }

  async #change<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = await this.#inTurn(work)
    // In the background: a compaction that fails costs only space, and is tried again.
    if (this.#isMostlyDead()) void this.#inTurn(() => this.#compact()).catch(() => {})
    return result
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  #isMostlyDead(): boolean {
    const { files, references } = this.#index
    const live = files * FILE_RECORD_BYTES + references.references * REFERENCE_BYTES
    // The second keeps a wrong guess of what is live from compacting again and again.
    return this.#log.length > COMPACTED_BYTES_MIN + 2 * Math.max(live, this.#compactedLength)
  }

  async #compact(): Promise<void> {
    if (!this.#isMostlyDead()) return
    const old = this.#log
    const { log, positions } = await compactLog(this.#index, old)
    this.#log = log
    this.#index.moveTo(positions)
    this.#compactedLength = log.length
    this.#nameUnsynced = true
    await old.close()
  }
}

/** Frames that will stand in the log one after the other, and where. */
class FrameBatch {
  readonly frames: Uint8Array[] = []
  #position: number

  constructor(position: number) {
    this.#position = position
  }

  add(frame: Uint8Array): number {
    const at = this.#position
    this.frames.push(frame)
    this.#position += frame.length
    return at
  }

  addReferences({
    number,
    previous,
    references
  }: {
    readonly number: number
    readonly previous: number
    readonly references: readonly Reference[]
  }): void {
    let end = previous
    for (let from = 0; from < references.length; from += RECORD_ITEMS_MAX) {
      const items = references.slice(from, from + RECORD_ITEMS_MAX)
      end = this.add(encodeReferences(number, end, items))
    }
  }
}

interface FileGroup {
  readonly file: HostFile
  readonly byId: Map<BlockId, Reference>
}

function groupByPath(references: readonly HostFileReference[]): Map<string, FileGroup> {
  const byPath = new Map<string, FileGroup>()
  for (const reference of references) {
    const { id, path, offset, length, file } = reference
    let group = byPath.get(path)
    if (group === undefined) {
      checkFile(path, file)
      group = { file, byId: new Map() }
      byPath.set(path, group)
    } else if (!isSameState(group.file, file)) {
      throw new TypeError(`references of '${path}' in two states`)
    }
    checkRange(offset, length)
    if (!group.byId.has(id)) group.byId.set(id, { id: blockIdToBytes(id), offset, length })
  }
  return byPath
}

function checkFile(path: string, { size, mtimeMs, inode }: HostFile): void {
  const usable = isAbsolute(path) && !path.includes('\0') && path.isWellFormed()
  if (!usable || new TextEncoder().encode(path).length > PATH_BYTES_MAX) {
    throw new TypeError(`'${path.slice(0, 200)}' is not an absolute path of a host file`)
  }
  if (![size, mtimeMs, inode].every(Number.isFinite)) {
    throw new TypeError(`the state of '${path}' is not known`)
  }
}

function checkRange(offset: number, length: number): void {
  const possible =
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    offset >= 0 &&
    offset <= OFFSET_MAX &&
    length >= 0 &&
    length <= BLOCK_BYTES_MAX
  if (!possible) throw new TypeError(`no block is ${length} bytes at ${offset} of a file`)
}
