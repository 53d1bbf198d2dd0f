/**
 * A table from block ids to small numbers, for millions of blocks: a map of texts would take four
 * times as much. Each number is an entry with a few columns, which `HeldBlocks` gives a meaning.
 *
 * An entry takes 45 bytes in columns and 4 to 12 in the index. Columns grow by a half, so that
 * at most a third of them is empty.
 */
import type { BlockId } from '../../blocks/index.ts'
import { DIGEST_WORDS, idOf, keyOf } from '../inventory/inventory-key.ts'
import type { Key } from '../inventory/inventory-key.ts'
import { NO_POLICY } from './part.ts'

const ENTRIES_MIN = 64
/** The index has room for twice as many as there are, so that a search ends after a step or two. */
const INDEX_ROOM = 2

const EMPTY = 0
const NONE = -1

export class BlockTable {
  /** Of entries: digest, size in bytes, references. */
  #words = new Uint32Array(ENTRIES_MIN * DIGEST_WORDS)
  sizes: Uint32Array = new Uint32Array(ENTRIES_MIN)
  references: Uint32Array = new Uint32Array(ENTRIES_MIN)
  /** Bits; the lowest is the codec. */
  states: Uint8Array = new Uint8Array(ENTRIES_MIN)
  policies: Uint32Array = new Uint32Array(ENTRIES_MIN)
  /** By hash: 1 + the number of an entry. */
  #index = new Uint32Array(INDEX_ROOM * ENTRIES_MIN)
  /** Numbers given back, to be used again. */
  readonly #free: number[] = []
  /** All numbers ever given are below. */
  end = 0
  /** Nobody who makes up blocks can know which of them share a place in the index. */
  readonly #salts: readonly [number, number]

  /** `random` gives 0 up to 1. */
  constructor(random: () => number) {
    const salt = (): number => Math.floor(random() * 2 ** 32) | 1
    this.#salts = [salt(), salt()]
  }

  get count(): number {
    return this.end - this.#free.length
  }

  /** Bytes of memory taken, about. */
  get memoryBytes(): number {
    return this.sizes.length * (4 * DIGEST_WORDS + 13) + this.#index.byteLength
  }

  /** The number of a block; -1: it has none. */
  find(id: BlockId): number {
    return this.findKey(keyOf(id))
  }

  findKey(key: Key): number {
    return this.#index[this.#placeOf(key)]! - 1
  }

  /** The number of a block, a new one with empty columns when it had none. */
  add(id: BlockId): number {
    return this.addKey(keyOf(id))
  }

  addKey(key: Key): number {
    const place = this.#placeOf(key)
    if (this.#index[place] !== EMPTY) return this.#index[place]! - 1
    const number = this.#free.pop() ?? this.#grow()
    this.#words.set(key.subarray(0, DIGEST_WORDS), number * DIGEST_WORDS)
    this.sizes[number] = 0
    this.references[number] = 0
    this.policies[number] = NO_POLICY
    this.states[number] = key[DIGEST_WORDS]!
    if (INDEX_ROOM * this.count > this.#index.length) this.#indexAgain()
    else this.#index[place] = number + 1
    return number
  }

  /** Gives the number back. */
  remove(number: number): void {
    this.#unindex(this.#placeOf(this.#keyOf(number)))
    this.references[number] = 0
    this.states[number] = 0
    this.#free.push(number)
  }

  idOf(number: number): BlockId {
    return idOf(this.#words, number * DIGEST_WORDS, this.states[number]! & 1)
  }

  #keyOf(number: number): Key {
    const key = new Uint32Array(DIGEST_WORDS + 1)
    key.set(this.#words.subarray(number * DIGEST_WORDS, (number + 1) * DIGEST_WORDS))
    key[DIGEST_WORDS] = this.states[number]! & 1
    return key
  }

  #grow(): number {
    if (this.end === this.sizes.length) {
      const room = Math.ceil(this.end * 1.5)
      this.#words = grown(this.#words, room * DIGEST_WORDS)
      this.sizes = grown(this.sizes, room)
      this.references = grown(this.references, room)
      this.policies = grown(this.policies, room)
      const states = new Uint8Array(room)
      states.set(this.states)
      this.states = states
    }
    return this.end++
  }

  /** Where the block is in the index, or the empty place where it would be. */
  #placeOf(key: Key): number {
    const mask = this.#index.length - 1
    for (let place = this.#hash(key, 0) & mask; ; place = (place + 1) & mask) {
      const number = this.#index[place]! - 1
      if (number === NONE || this.#isAt(number, key)) return place
    }
  }

  #isAt(number: number, key: Key): boolean {
    if ((this.states[number]! & 1) !== key[DIGEST_WORDS]) return false
    const from = number * DIGEST_WORDS
    for (let i = 0; i < DIGEST_WORDS; i++) if (this.#words[from + i] !== key[i]) return false
    return true
  }

  /** Multiply-shift of two words of the digest, with salts. */
  #hash(words: Uint32Array, from: number): number {
    const [one, other] = this.#salts
    const mixed = Math.imul(words[from]!, one) ^ Math.imul(words[from + 3]!, other)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  #indexAgain(): void {
    const length = 2 * this.#index.length
    this.#index = new Uint32Array(length)
    const free = new Set(this.#free)
    for (let number = 0; number < this.end; number++) {
      if (free.has(number)) continue
      let place = this.#hash(this.#words, number * DIGEST_WORDS) & (length - 1)
      while (this.#index[place] !== EMPTY) place = (place + 1) & (length - 1)
      this.#index[place] = number + 1
    }
  }

  /** Moves those behind a hole up to where a search finds them (Knuth, TAOCP 3, 6.4, algorithm R). */
  #unindex(hole: number): void {
    const index = this.#index
    const mask = index.length - 1
    let empty = hole
    for (let place = (hole + 1) & mask; index[place] !== EMPTY; place = (place + 1) & mask) {
      const home = this.#hash(this.#words, (index[place]! - 1) * DIGEST_WORDS) & mask
      const steps = (place - home) & mask
      if (steps < ((place - empty) & mask)) continue
      index[empty] = index[place]!
      empty = place
    }
    index[empty] = EMPTY
  }
}

function grown(before: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const after = new Uint32Array(length)
  after.set(before)
  return after
}
