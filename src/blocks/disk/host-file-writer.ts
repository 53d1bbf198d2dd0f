/** Everything that changes the index of host files, one change at a time: first the log, then memory. */
import { dirname } from 'node:path'
import { blockIdFromBytes } from '../block-id.ts'
import { WarrenError } from '../../errors.ts'
import { syncDirectory } from './durable-file.ts'
import type { FileGroup, HostFileReference } from './host-file-batch.ts'
import { FrameBatch, groupByPath, mergeGroups } from './host-file-batch.ts'
import { compactLog } from './host-file-compaction.ts'
import type { HostFileIndex } from './host-file-index.ts'
import type { HostFileLog } from './host-file-log.ts'
import type { Reference } from './host-file-records.ts'
import {
  decodeFrame,
  encodeDelete,
  encodeFile,
  encodeForget,
  forEachReference,
  RECORD_ITEMS_MAX,
  REFERENCE_BYTES
} from './host-file-records.ts'
import type { HostFile } from './host-file-state.ts'
import { isSameState } from './host-file-state.ts'

/** A log shorter than this is not worth compacting. */
const COMPACTED_BYTES_MIN = 1024 * 1024
/** What a file's own record is taken to need: a frame, its head and a usual path. */
const FILE_RECORD_BYTES = 120

interface WaitingPut {
  readonly groups: Map<string, FileGroup>
  readonly done: Promise<readonly number[]>
}

export class HostFileWriter {
  readonly #index: HostFileIndex
  #log: HostFileLog
  /** The end of the queue of changes. */
  #last: Promise<unknown> = Promise.resolve()
  /** The log's name is not known to be on the disk. */
  #nameUnsynced = true
  #compactedLength = 0
  /** The put at the end of the queue, while it can still be joined. */
  #waitingPut: WaitingPut | undefined

  constructor(index: HostFileIndex, log: HostFileLog) {
    this.#index = index
    this.#log = log
  }

  get log(): HostFileLog {
    return this.#log
  }

  /** Finishes what a crash has cut short. To be called once, after the log was replayed. */
  async recover(): Promise<void> {
    await this.#appendAndApply(this.#index.superseded.map(encodeForget))
    this.#index.findFreeNumbers()
  }

  /**
   * Resolves to the numbers that were forgotten. Puts that wait for their turn together share one
   * write, which is what makes many small files at once fast.
   */
  async put(references: readonly HostFileReference[]): Promise<readonly number[]> {
    const groups = groupByPath(references)
    if (groups.size === 0) return []
    const waiting = this.#waitingPut
    if (waiting !== undefined && mergeGroups(waiting.groups, groups)) return waiting.done
    const done = this.#change(() => {
      if (this.#waitingPut?.groups === groups) this.#waitingPut = undefined
      return this.#put(groups)
    })
    this.#waitingPut = { groups, done }
    return done
  }

  /** Resolves to the number the file had, if it was known. */
  async forget(path: string): Promise<number | undefined> {
    return this.#change(async () => {
      const number = this.#index.numberOf(path)
      if (number === undefined) return undefined
      await this.#appendAndApply([encodeForget(number)])
      this.#index.giveBackIfFree(number)
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
      await this.#appendAndApply(frames)
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

  /**
   * A file in a new state gets a new number, and the old one is forgotten last: so a block that is
   * in both states is never missing in between.
   */
  async #put(groups: ReadonlyMap<string, FileGroup>): Promise<readonly number[]> {
    const batch = new FrameBatch(this.#log.length)
    const taken: number[] = []
    const forgotten: number[] = []
    try {
      for (const [path, { file, byId }] of groups) {
        const known = this.#index.numberOf(path)
        const end = known === undefined ? undefined : await this.#endIfSame(known, file)
        if (known !== undefined && end !== undefined) {
          const added = this.#withoutKnown(byId, known)
          batch.addReferences({ number: known, previous: end, references: added })
          continue
        }
        const number = this.#index.takeNumber()
        taken.push(number)
        const previous = batch.add(encodeFile(number, path, file))
        batch.addReferences({ number, previous, references: [...byId.values()] })
        if (known === undefined) continue
        forgotten.push(known)
        batch.add(encodeForget(known))
      }
      await this.#appendAndApply(batch.frames)
    } finally {
      for (const number of [...taken, ...forgotten]) this.#index.giveBackIfFree(number)
    }
    return forgotten
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

  #withoutKnown(byId: FileGroup['byId'], number: number): Reference[] {
    return [...byId.values()].filter(({ id }) => !this.#index.references.hasIn(id, number))
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
    if (frames.length === 0) return
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
    // What comes after this must not join what goes before it.
    this.#waitingPut = undefined
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
