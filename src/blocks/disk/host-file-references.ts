/**
 * Which ranges of which host files hold a block, in typed arrays: 55 bytes a block, and 16 to 70
 * more for every further file that has the same block, since copies of files are common and
 * losing one of them must not lose its blocks.
 *
 * The first range of a block stands in a digest table. Further ones are rows of a chain, whose head
 * stands in a second digest table.
 */
import type { Place } from './digest-table.ts'
import { DigestTable } from './digest-table.ts'

/** Words of a row: file number, low offset, high offset and length as one, next row + 1. */
const FILE = 0
const OFFSET = 1
const PACKED = 2
const NEXT = 3
const WORDS = 4
const LENGTH_BITS = 21
const ROWS_MIN = 256

export class HostFileReferences {
  readonly #first = new DigestTable()
  /** The container of a place is the number of a row + 1. */
  readonly #further = new DigestTable()
  #rows = new Uint32Array(ROWS_MIN * WORDS)
  #rowsBegun = 0
  /** Row number + 1 of the first free row. */
  #freeRow = 0
  #furtherCount = 0
  #bytes = 0

  /** Different blocks. */
  get blocks(): number {
    return this.#first.size
  }

  /** Bytes of different blocks. */
  get bytes(): number {
    return this.#bytes
  }

  /** Ranges, of the same block or not. */
  get references(): number {
    return this.#first.size + this.#furtherCount
  }

  get memoryBytes(): number {
    return this.#first.memoryBytes + this.#further.memoryBytes + this.#rows.byteLength
  }

  has(id: Uint8Array): boolean {
    return this.#first.has(id)
  }

  /** Up to `max` ranges that hold the block. The container of each is its file's number. */
  placesOf(id: Uint8Array, max: number): Place[] {
    const first = this.#first.get(id)
    if (first === undefined) return []
    const places = [first]
    for (let row = this.#headOf(id); row !== 0 && places.length < max; row = this.#next(row)) {
      places.push(this.#placeAt(row))
    }
    return places
  }

  /** Whether one of up to `max` files that hold the block is such a file. */
  isInSome(id: Uint8Array, max: number, isSuch: (file: number) => boolean): boolean {
    const first = this.#first.get(id)
    if (first === undefined) return false
    if (isSuch(first.container)) return true
    let tried = 1
    for (let row = this.#headOf(id); row !== 0 && tried < max; row = this.#next(row)) {
      if (isSuch(this.#rows[(row - 1) * WORDS + FILE]!)) return true
      tried++
    }
    return false
  }

  /** Whether the file holds the block. */
  hasIn(id: Uint8Array, file: number): boolean {
    return this.isInSome(id, Infinity, other => other === file)
  }

  /**
   * Adds a range. One range of a file is enough for a block that the file repeats: that is looked
   * for where the file's other ranges have just been added, and not along the whole chain.
   */
  add(id: Uint8Array, place: Place): void {
    const first = this.#first.get(id)
    if (first === undefined) {
      this.#first.set(id, place)
      this.#bytes += place.length
      return
    }
    if (first.container === place.container) return
    const head = this.#headOf(id)
    if (head !== 0 && this.#rows[(head - 1) * WORDS + FILE] === place.container) return
    this.#setHead(id, this.#addRow(place, head))
  }

  /** Removes the file's ranges of a block. */
  removeIn(id: Uint8Array, file: number): void {
    const first = this.#first.get(id)
    if (first === undefined) return
    this.#removeFurther(id, file)
    if (first.container === file) this.#replaceFirst(id, first)
  }

  /** Removes every range of a block. */
  remove(id: Uint8Array): void {
    const first = this.#first.get(id)
    if (first === undefined) return
    for (let row = this.#headOf(id); row !== 0; row = this.#freeAndNext(row)) continue
    this.#further.delete(id)
    this.#first.delete(id)
    this.#bytes -= first.length
  }

  /** Every block with its first range. Blocks may come and go while it runs. */
  entries(): Generator<{ readonly id: Uint8Array; readonly place: Place }> {
    return this.#first.entries()
  }

  /** Puts the head of the chain, if there is one, in the place of the first range. */
  #replaceFirst(id: Uint8Array, first: Place): void {
    this.#bytes -= first.length
    const head = this.#headOf(id)
    if (head === 0) {
      this.#first.delete(id)
      return
    }
    const place = this.#placeAt(head)
    this.#first.set(id, place)
    this.#bytes += place.length
    this.#setHead(id, this.#freeAndNext(head))
  }

  #removeFurther(id: Uint8Array, file: number): void {
    let previous = 0
    for (let row = this.#headOf(id); row !== 0;) {
      if (this.#rows[(row - 1) * WORDS + FILE] !== file) {
        previous = row
        row = this.#next(row)
        continue
      }
      row = this.#freeAndNext(row)
      if (previous === 0) this.#setHead(id, row)
      else this.#rows[(previous - 1) * WORDS + NEXT] = row
    }
  }

  #headOf(id: Uint8Array): number {
    return this.#further.size === 0 ? 0 : (this.#further.get(id)?.container ?? 0)
  }

  #setHead(id: Uint8Array, row: number): void {
    if (row === 0) this.#further.delete(id)
    else this.#further.set(id, { container: row, offset: 0, length: 0 })
  }

  #next(row: number): number {
    return this.#rows[(row - 1) * WORDS + NEXT]!
  }

  #placeAt(row: number): Place {
    const at = (row - 1) * WORDS
    const packed = this.#rows[at + PACKED]!
    return {
      container: this.#rows[at + FILE]!,
      offset: (packed >>> LENGTH_BITS) * 2 ** 32 + this.#rows[at + OFFSET]!,
      length: packed & (2 ** LENGTH_BITS - 1)
    }
  }

  #addRow({ container, offset, length }: Place, next: number): number {
    const row = this.#takeRow()
    const at = (row - 1) * WORDS
    this.#rows[at + FILE] = container
    this.#rows[at + OFFSET] = offset % 2 ** 32
    this.#rows[at + PACKED] = (Math.floor(offset / 2 ** 32) << LENGTH_BITS) | length
    this.#rows[at + NEXT] = next
    this.#furtherCount++
    return row
  }

  #takeRow(): number {
    const free = this.#freeRow
    if (free !== 0) {
      this.#freeRow = this.#next(free)
      return free
    }
    if (++this.#rowsBegun * WORDS > this.#rows.length) {
      const larger = new Uint32Array(this.#rows.length * 2)
      larger.set(this.#rows)
      this.#rows = larger
    }
    return this.#rowsBegun
  }

  #freeAndNext(row: number): number {
    const next = this.#next(row)
    this.#rows[(row - 1) * WORDS + NEXT] = this.#freeRow
    this.#freeRow = row
    this.#furtherCount--
    return next
  }
}
