/**
 * Where every block is: a hash table in typed arrays, because a `Map` of objects costs 300 bytes and
 * a good deal of garbage collection a block, and this costs 44 bytes and 4 to 8 for its slot.
 *
 * Entries stand in chunks of fixed size, in the order they came; slots are an open-addressing table
 * of entry numbers, probed linearly, doubled when three quarters full. Growing moves slots only
 * and never an entry, so it doubles nothing but the slots, and an entry keeps its number for life:
 * iteration is safe while entries come and go. The whole digest is kept, not a fingerprint, so that
 * `has` and duplicates need no disk and nobody can make two blocks that look alike.
 */
import { BLOCK_ID_BYTES } from '../block-id.ts'

export interface Place {
  /** Which file: a number of the caller's, 1 to 2^32 - 1. */
  readonly container: number
  /** Byte offset in the file, below `OFFSET_LIMIT`. */
  readonly offset: number
  /** Bytes, below `LENGTH_LIMIT`. */
  readonly length: number
}

/** 21 bits, since a block of exactly 1 MiB must fit. */
export const LENGTH_LIMIT: number = 2 ** 21
const OFFSET_HIGH_LIMIT = 2 ** 10
/** 42 bits: 4 TiB, for blocks that are ranges of large host files. */
export const OFFSET_LIMIT: number = OFFSET_HIGH_LIMIT * 2 ** 32

/** Words of an entry: the digest, then container, low offset, and high offset | codec | length. */
const DIGEST_WORDS = 8
const CONTAINER = 8
const OFFSET = 9
const PACKED = 10
const WORDS = 11

const CODEC_BIT = 1 << 21
const OFFSET_HIGH_SHIFT = 22

const CHUNK_BITS = 13
const CHUNK_ENTRIES = 1 << CHUNK_BITS
const SLOTS_MIN = 1024

const ID_HEADS = {
  raw: Uint8Array.of(1, 0x55, 0x12, 32),
  node: Uint8Array.of(1, 0x71, 0x12, 32)
} as const
const NODE_CODEC = ID_HEADS.node[1]!

export class DigestTable {
  #chunks: Uint32Array[] = []
  /** Entry number + 1; 0 is an empty slot. */
  #slots: Uint32Array = new Uint32Array(SLOTS_MIN)
  /** Entries ever begun, in use or free. */
  #begun = 0
  #size = 0
  /** Entry number + 1 of the first free entry; each free one holds the next in its offset word. */
  #free = 0
  /** The digest being looked for, so that words can be compared at any alignment. */
  readonly #wantedBytes: Uint8Array = new Uint8Array(32)
  readonly #wanted: Uint32Array = new Uint32Array(this.#wantedBytes.buffer)
  /** Secret, so that nobody can make blocks whose digests all want the same slot. */
  readonly #seed: Uint32Array = crypto.getRandomValues(new Uint32Array(2))
  #wantedCodec = 0

  get size(): number {
    return this.#size
  }

  /** Bytes of memory held. */
  get memoryBytes(): number {
    return this.#chunks.length * CHUNK_ENTRIES * WORDS * 4 + this.#slots.byteLength
  }

  /** `id` is the 36 bytes of a block id, here and below. */
  has(id: Uint8Array): boolean {
    return this.#find(id) !== -1
  }

  get(id: Uint8Array): Place | undefined {
    const slot = this.#find(id)
    if (slot === -1) return undefined
    return this.#placeOf(this.#slots[slot]! - 1)
  }

  /** Adds the block or moves it to another place. */
  set(id: Uint8Array, place: Place): void {
    checkPlace(place)
    const slot = this.#find(id)
    const entry = slot === -1 ? this.#add() : this.#slots[slot]! - 1
    const chunk = this.#chunks[entry >>> CHUNK_BITS]!
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    chunk[at + CONTAINER] = place.container
    chunk[at + OFFSET] = place.offset
    const offsetHigh = Math.floor(place.offset / 2 ** 32)
    chunk[at + PACKED] = (offsetHigh << OFFSET_HIGH_SHIFT) | this.#wantedCodec | place.length
  }

  delete(id: Uint8Array): boolean {
    const slot = this.#find(id)
    if (slot === -1) return false
    const entry = this.#slots[slot]! - 1
    const chunk = this.#chunks[entry >>> CHUNK_BITS]!
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    chunk[at + CONTAINER] = 0
    chunk[at + OFFSET] = this.#free
    this.#free = entry + 1
    this.#size--
    this.#emptySlot(slot)
    return true
  }

  /** Everything that was there before and is still there is seen exactly once. */
  *entries(): Generator<{ readonly id: Uint8Array; readonly place: Place }> {
    for (let entry = 0; entry < this.#begun; entry++) {
      const place = this.#placeOf(entry)
      if (place.container !== 0) yield { id: this.#idOf(entry), place }
    }
  }

  #placeOf(entry: number): Place {
    const chunk = this.#chunks[entry >>> CHUNK_BITS]!
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    const packed = chunk[at + PACKED]!
    return {
      container: chunk[at + CONTAINER]!,
      offset: (packed >>> OFFSET_HIGH_SHIFT) * 2 ** 32 + chunk[at + OFFSET]!,
      length: packed & (LENGTH_LIMIT - 1)
    }
  }

  #idOf(entry: number): Uint8Array {
    const chunk = this.#chunks[entry >>> CHUNK_BITS]!
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    const isNode = (chunk[at + PACKED]! & CODEC_BIT) !== 0
    const id = new Uint8Array(BLOCK_ID_BYTES)
    id.set(isNode ? ID_HEADS.node : ID_HEADS.raw)
    id.set(new Uint8Array(chunk.buffer, at * 4, DIGEST_WORDS * 4), 4)
    return id
  }

  /** The slot of the id, or -1; leaves what was looked for in `#wanted`. */
  #find(id: Uint8Array): number {
    if (id.length !== BLOCK_ID_BYTES) throw new TypeError(`a block id has ${BLOCK_ID_BYTES} bytes`)
    for (let index = 0; index < 32; index++) this.#wantedBytes[index] = id[index + 4]!
    this.#wantedCodec = id[1] === NODE_CODEC ? CODEC_BIT : 0
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(this.#wanted, 0) & mask; ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot]!
      if (held === 0) return -1
      if (this.#isWanted(held - 1)) return slot
    }
  }

  #isWanted(entry: number): boolean {
    const chunk = this.#chunks[entry >>> CHUNK_BITS]!
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    for (let word = 0; word < DIGEST_WORDS; word++) {
      if (chunk[at + word] !== this.#wanted[word]) return false
    }
    return (chunk[at + PACKED]! & CODEC_BIT) === this.#wantedCodec
  }

  /** Begins an entry for what is in `#wanted`. */
  #add(): number {
    const entry = this.#takeEntry()
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    this.#chunks[entry >>> CHUNK_BITS]!.set(this.#wanted, at)
    this.#size++
    if (this.#size * 4 > this.#slots.length * 3) this.#grow()
    this.#fillSlot(entry, this.#hash(this.#wanted, 0))
    return entry
  }

  #takeEntry(): number {
    if (this.#free !== 0) {
      const entry = this.#free - 1
      const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
      this.#free = this.#chunks[entry >>> CHUNK_BITS]![at + OFFSET]!
      return entry
    }
    const entry = this.#begun++
    if ((entry & (CHUNK_ENTRIES - 1)) === 0) {
      this.#chunks.push(new Uint32Array(CHUNK_ENTRIES * WORDS))
    }
    return entry
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    for (const held of old) if (held !== 0) this.#fillSlot(held - 1, this.#hashOf(held - 1))
  }

  #fillSlot(entry: number, hash: number): void {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = entry + 1
  }

  /** Moves back whatever a probe would no longer reach past the emptied slot. */
  #emptySlot(emptied: number): void {
    const mask = this.#slots.length - 1
    let hole = emptied
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashOf(this.#slots[slot]! - 1) & mask
      const distanceFromHome = (slot - home) & mask
      const distanceFromHole = (slot - hole) & mask
      if (distanceFromHome < distanceFromHole) continue
      this.#slots[hole] = this.#slots[slot]!
      hole = slot
    }
    this.#slots[hole] = 0
  }

  #hashOf(entry: number): number {
    const at = (entry & (CHUNK_ENTRIES - 1)) * WORDS
    return this.#hash(this.#chunks[entry >>> CHUNK_BITS]!, at)
  }

  #hash(words: Uint32Array, at: number): number {
    const low = Math.imul(words[at]! ^ this.#seed[0]!, 0x9e3779b1)
    const hash = low ^ Math.imul(words[at + 1]! ^ this.#seed[1]!, 0x85ebca6b)
    return hash ^ (hash >>> 15)
  }
}

function checkPlace({ container, offset, length }: Place): void {
  const fits =
    container > 0 && container < 2 ** 32 && offset < OFFSET_LIMIT && length < LENGTH_LIMIT
  if (!fits) throw new RangeError(`no room for offset ${offset}, length ${length} in ${container}`)
}
