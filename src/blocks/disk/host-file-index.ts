/**
 * What the log of host files says, in memory: which blocks are where, and for every file only where
 * in the log its records are. Paths stay in the log, since a million of them would not be small.
 */
import { hash } from 'node:crypto'
import { BLOCK_ID_BYTES } from '../block-id.ts'
import { WarrenError } from '../../errors.ts'
import { DigestTable } from './digest-table.ts'
import type { HostFileLog } from './host-file-log.ts'
import type { FileRecord, HostFileRecord, ReferencesRecord } from './host-file-records.ts'
import { forEachId, forEachReference } from './host-file-records.ts'
import { HostFileReferences } from './host-file-references.ts'

/** A log that says more is damaged: the tables below would take half a gigabyte. */
export const FILES_MAX: number = 2 ** 24
const FILES_MIN = 64

export class HostFileIndex {
  readonly references: HostFileReferences = new HostFileReferences()
  /** Hash of a path to the file's number. */
  readonly #numbers = new DigestTable()
  /** By file number: position of the `file` record, or 0 where there is no file. */
  #begins = new Float64Array(FILES_MIN)
  /** By file number: position of the last record, where a walk over the file's references begins. */
  #ends = new Float64Array(FILES_MIN)
  /** By file number: 1 when the file is not what it was when it was indexed. */
  #changed = new Uint8Array(FILES_MIN)
  /** Numbers ever given out are 1 to this. */
  #numbersBegun = 0
  #freeNumbers: number[] = []
  /** Numbers of files that have another number now, and whose old references are still to go. */
  readonly #superseded = new Set<number>()

  get files(): number {
    return this.#numbers.size
  }

  get memoryBytes(): number {
    const files = this.#begins.byteLength + this.#ends.byteLength + this.#changed.byteLength
    return this.references.memoryBytes + this.#numbers.memoryBytes + files
  }

  numberOf(path: string): number | undefined {
    return this.#numbers.get(keyOf(path))?.container
  }

  /** A number for a file that has none yet. Comes back with `giveBackIfFree`. */
  takeNumber(): number {
    const free = this.#freeNumbers.pop()
    if (free !== undefined) return free
    if (this.#numbersBegun === FILES_MAX) {
      throw new WarrenError('ENOSPC', { message: `more than ${FILES_MAX} host files` })
    }
    return ++this.#numbersBegun
  }

  giveBackIfFree(number: number): void {
    if (this.beginOf(number) === 0) this.#freeNumbers.push(number)
  }

  /** What a crash has kept from being forgotten. */
  get superseded(): readonly number[] {
    return [...this.#superseded]
  }

  /** After replaying a log, which takes numbers as it finds them. */
  findFreeNumbers(): void {
    for (let number = 1; number <= this.#numbersBegun; number++) {
      if (this.#begins[number] === 0) this.#freeNumbers.push(number)
    }
  }

  *filesByNumber(): Generator<number> {
    for (let number = 1; number <= this.#numbersBegun; number++) {
      if (this.beginOf(number) !== 0) yield number
    }
  }

  /** Where the file's own record is, or 0 when there is no such file. */
  beginOf(number: number): number {
    return this.#begins[number] ?? 0
  }

  /** Where the last record about the file is. */
  endOf(number: number): number {
    return this.#ends[number] ?? 0
  }

  isChanged(number: number): boolean {
    return this.#changed[number] === 1
  }

  /** Returns whether that was new. */
  markChanged(number: number): boolean {
    if (this.beginOf(number) === 0 || this.isChanged(number)) return false
    this.#changed[number] = 1
    return true
  }

  /** Takes in a record that stands in the log. Returns `false` for one that cannot be true. */
  async apply(record: HostFileRecord, position: number, log: HostFileLog): Promise<boolean> {
    switch (record.type) {
      case 'file':
        return this.#applyFile(record, position)
      case 'references':
        return this.#applyReferences(record, position)
      case 'forget':
        return this.#applyForget(record.number, log)
      case 'delete':
        forEachId(record.ids, id => this.references.remove(id))
        return true
    }
  }

  /** The file's references, from the last put to the first. Ends early where the log is damaged. */
  async *recordsOf(number: number, log: HostFileLog): AsyncGenerator<ReferencesRecord> {
    const begin = this.beginOf(number)
    let position = this.endOf(number)
    while (position > begin) {
      const record = await log.read(position)
      if (record?.type !== 'references' || record.number !== number) return
      yield record
      if (record.previous >= position) return
      position = record.previous
    }
  }

  /** The same files in a new log, at other positions. */
  moveTo(positions: Iterable<{ number: number; begin: number; end: number }>): void {
    for (const { number, begin, end } of positions) {
      this.#begins[number] = begin
      this.#ends[number] = end
    }
  }

  #applyFile(record: FileRecord, position: number): boolean {
    const { number } = record
    if (number > FILES_MAX || this.beginOf(number) !== 0) return false
    const superseded = this.numberOf(record.path)
    if (superseded !== undefined) this.#superseded.add(superseded)
    this.#numbers.set(keyOf(record.path), { container: number, offset: 0, length: 0 })
    this.#grow(number)
    this.#begins[number] = position
    this.#ends[number] = position
    this.#changed[number] = 0
    return true
  }

  #applyReferences({ number, previous, references }: ReferencesRecord, position: number): boolean {
    if (this.beginOf(number) === 0 || this.endOf(number) !== previous) return false
    forEachReference(references, (id, offset, length) => {
      this.references.add(id, { container: number, offset, length })
    })
    this.#ends[number] = position
    return true
  }

  async #applyForget(number: number, log: HostFileLog): Promise<boolean> {
    const begin = this.beginOf(number)
    if (begin === 0) return false
    const record = await log.read(begin)
    if (record?.type !== 'file') return false
    await this.#removeReferences(number, log)
    if (this.numberOf(record.path) === number) this.#numbers.delete(keyOf(record.path))
    this.#superseded.delete(number)
    this.#begins[number] = 0
    this.#ends[number] = 0
    this.#changed[number] = 0
    return true
  }

  async #removeReferences(number: number, log: HostFileLog): Promise<void> {
    for await (const { references } of this.recordsOf(number, log)) {
      forEachReference(references, id => this.references.removeIn(id, number))
    }
  }

  #grow(number: number): void {
    this.#numbersBegun = Math.max(this.#numbersBegun, number)
    if (number < this.#begins.length) return
    const length = Math.max(this.#begins.length * 2, number + 1)
    this.#begins = grown(this.#begins, new Float64Array(length))
    this.#ends = grown(this.#ends, new Float64Array(length))
    this.#changed = grown(this.#changed, new Uint8Array(length))
  }
}

function grown<Column extends Float64Array | Uint8Array>(from: Column, to: Column): Column {
  to.set(from)
  return to
}

/** Paths are looked up by their SHA-256 in the table made for blocks. */
function keyOf(path: string): Uint8Array {
  const digest = hash('sha256', path, 'buffer')
  const key = new Uint8Array(BLOCK_ID_BYTES)
  key.set(digest, BLOCK_ID_BYTES - digest.length)
  return key
}
