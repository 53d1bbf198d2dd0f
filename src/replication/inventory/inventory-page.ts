/**
 * The two kinds of node in the tree of an inventory: pages of sorted ids in typed arrays, because
 * objects would cost several times what an id does, and branches over them. Both remember, for each
 * view, how many of the ids below belong to it and the exclusive or of their keyed hashes.
 */
import { DIGEST_WORDS, KEY_WORDS } from './inventory-key.ts'
import type { Key } from './inventory-key.ts'

/** Ids of a page. Counting a page again after a change takes some 15 µs at this size. */
export const PAGE_IDS = 128
/** Children of a branch: three levels hold a million ids. */
export const BRANCH_CHILDREN = 64
/** A node that is less full than a quarter joins a neighbour, unless both would be nearly full again. */
const SPARSE = 1 / 4
const JOINED = 3 / 4

/** Views that an inventory remembers totals for: a bit each in a byte of every row. */
export const VIEWS_MAX = 8
const ALL_VIEWS: number = 2 ** VIEWS_MAX - 1

/** Of one view: count, then the two words of the fingerprint. */
export const TOTAL_WORDS = 3
const NO_TOTALS = new Uint32Array(0)

/** What an object or the head of a typed array takes, about. */
const OBJECT_BYTES = 100

export type InventoryNode = Page | Branch

/** What both kinds have: totals by view, those that hold now marked by a bit in `counted`. */
class Totals {
  totals: Uint32Array = NO_TOTALS
  counted = 0

  /** Somebody begins to count: there must be room for the result. */
  ensureTotals(): Uint32Array {
    if (this.totals.length === 0) this.totals = new Uint32Array(VIEWS_MAX * TOTAL_WORDS)
    return this.totals
  }
}

/** Columns of one byte: the codec, and for each view whether it was asked and whether it said yes. */
const CODEC = 0
const ASKED = 1
const INSIDE = 2
const COLUMNS = 3

/** Pages grow by so many rows, because they are two thirds full on average and ids are many. */
const ROOM = 16

export class Page extends Totals {
  words: Uint32Array = new Uint32Array(ROOM * DIGEST_WORDS)
  #bytes: Uint8Array = new Uint8Array(COLUMNS * ROOM)
  /** Rows that there is room for. */
  #room = ROOM
  count = 0

  get isFull(): boolean {
    return this.count === PAGE_IDS
  }

  /** Bytes of memory held, about. */
  get memoryBytes(): number {
    const arrays = this.words.byteLength + this.#bytes.byteLength + this.totals.byteLength
    return arrays + 4 * OBJECT_BYTES
  }

  get isSparse(): boolean {
    return this.count < PAGE_IDS * SPARSE
  }

  codecAt(row: number): number {
    return this.#bytes[row]!
  }

  /** `undefined`: nobody has asked this view about this id. */
  isInside(row: number, bit: number): boolean | undefined {
    const room = this.#room
    if ((this.#bytes[ASKED * room + row]! & bit) === 0) return undefined
    return (this.#bytes[INSIDE * room + row]! & bit) !== 0
  }

  setInside(row: number, bit: number, inside: boolean): void {
    const room = this.#room
    this.#bytes[ASKED * room + row]! |= bit
    if (inside) this.#bytes[INSIDE * room + row]! |= bit
    else this.#bytes[INSIDE * room + row]! &= ALL_VIEWS ^ bit
  }

  /** Another view takes the place of one. */
  forget(bit: number): void {
    this.counted &= ALL_VIEWS ^ bit
    const first = ASKED * this.#room
    for (let at = first; at < first + this.count; at++) this.#bytes[at]! &= ALL_VIEWS ^ bit
  }

  keyAt(row: number): Key {
    const key = new Uint32Array(KEY_WORDS)
    const at = row * DIGEST_WORDS
    for (let i = 0; i < DIGEST_WORDS; i++) key[i] = this.words[at + i]!
    key[DIGEST_WORDS] = this.codecAt(row)
    return key
  }

  /** The first row whose key is not below this one. */
  rowFrom(key: Key): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(middle, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  compare(row: number, key: Key): number {
    const { words } = this
    for (let i = 0, at = row * DIGEST_WORDS; i < DIGEST_WORDS; i++, at++) {
      const word = words[at]!
      if (word !== key[i]) return word < key[i]! ? -1 : 1
    }
    return this.codecAt(row) - key[DIGEST_WORDS]!
  }

  insert(row: number, key: Key): void {
    this.#makeRoom(this.count + 1)
    this.#move(row, row + 1)
    this.count++
    const at = row * DIGEST_WORDS
    for (let i = 0; i < DIGEST_WORDS; i++) this.words[at + i] = key[i]!
    this.#bytes[CODEC * this.#room + row] = key[DIGEST_WORDS]!
    this.#bytes[ASKED * this.#room + row] = 0
  }

  remove(row: number): void {
    this.#move(row + 1, row)
    this.count--
  }

  /** Moves the upper half to a page of its own. */
  split(): Page {
    const other = new Page()
    const start = this.count >>> 1
    other.#take(this, start)
    this.count = start
    this.counted = 0
    this.#resize(start)
    return other
  }

  /** Takes everything of the page after this one, if that is little enough. */
  join(next: Page): boolean {
    const isFree = this.count === 0 || next.count === 0
    if (!isFree && this.count + next.count > PAGE_IDS * JOINED) return false
    this.#take(next, 0)
    this.counted = 0
    return true
  }

  #take(from: Page, start: number): void {
    this.#makeRoom(this.count + from.count - start)
    const rows = from.words.subarray(start * DIGEST_WORDS, from.count * DIGEST_WORDS)
    this.words.set(rows, this.count * DIGEST_WORDS)
    for (let column = 0; column < COLUMNS; column++) {
      const first = column * from.#room
      const bytes = from.#bytes.subarray(first + start, first + from.count)
      this.#bytes.set(bytes, column * this.#room + this.count)
    }
    this.count += from.count - start
  }

  #move(from: number, to: number): void {
    this.words.copyWithin(to * DIGEST_WORDS, from * DIGEST_WORDS, this.count * DIGEST_WORDS)
    for (let column = 0; column < COLUMNS; column++) {
      const first = column * this.#room
      this.#bytes.copyWithin(first + to, first + from, first + this.count)
    }
  }

  #makeRoom(rows: number): void {
    if (rows > this.#room) this.#resize(rows)
  }

  #resize(rows: number): void {
    const room = Math.ceil(rows / ROOM) * ROOM
    const words = new Uint32Array(room * DIGEST_WORDS)
    words.set(this.words.subarray(0, this.count * DIGEST_WORDS))
    const bytes = new Uint8Array(COLUMNS * room)
    for (let column = 0; column < COLUMNS; column++) {
      const first = column * this.#room
      bytes.set(this.#bytes.subarray(first, first + this.count), column * room)
    }
    this.words = words
    this.#bytes = bytes
    this.#room = room
  }
}

export class Branch extends Totals {
  children: InventoryNode[] = []
  /** A bound at or below all of each child, and above all of the one before it. The first is not read. */
  lows: Key[] = []

  get isFull(): boolean {
    return this.children.length === BRANCH_CHILDREN
  }

  get isSparse(): boolean {
    return this.children.length < BRANCH_CHILDREN * SPARSE
  }

  get memoryBytes(): number {
    const bounds = this.children.length * (KEY_WORDS * 4 + OBJECT_BYTES)
    const below = this.children.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
    return OBJECT_BYTES + this.totals.byteLength + bounds + below
  }

  forget(bit: number): void {
    this.counted &= ALL_VIEWS ^ bit
    for (const child of this.children) child.forget(bit)
  }

  /** Which child a key belongs to. */
  indexOf(key: Key): number {
    let low = 0
    let high = this.children.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (isBelow(key, this.lows[middle]!)) high = middle - 1
      else low = middle
    }
    return low
  }

  insert(index: number, child: InventoryNode, low: Key): void {
    this.children.splice(index, 0, child)
    this.lows.splice(index, 0, low)
  }

  remove(index: number): void {
    this.children.splice(index, 1)
    this.lows.splice(index, 1)
  }

  split(): Branch {
    const other = new Branch()
    const start = this.children.length >>> 1
    other.children = this.children.splice(start)
    other.lows = this.lows.splice(start)
    this.counted = 0
    return other
  }

  join(next: Branch, low: Key): boolean {
    if (this.children.length + next.children.length > BRANCH_CHILDREN * JOINED) return false
    this.children.push(...next.children)
    this.lows.push(low, ...next.lows.slice(1))
    this.counted = 0
    return true
  }
}

function isBelow(one: Key, other: Key): boolean {
  for (let i = 0; i < KEY_WORDS; i++) {
    if (one[i] !== other[i]) return one[i]! < other[i]!
  }
  return false
}
