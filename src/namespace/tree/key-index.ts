/**
 * Finds keys among the ascending keys of a block, where they stand.
 *
 * Keys of one node begin alike, so the four bytes after what they share tell most of them apart.
 * Those stand side by side as numbers: a search touches a few cache lines instead of jumping
 * through 64 KiB, and ends with a comparison or two of whole keys.
 */
export class KeyIndex {
  readonly count: number
  readonly #block: Uint8Array
  /** Key `n` begins at `bounds[n * stride]` and ends at the next number. */
  readonly #bounds: Uint32Array
  readonly #stride: number
  /** Bytes that all keys begin with. */
  #shared = 0
  /** The four bytes after the shared ones; made at the first search, as a scan needs none. */
  #words: Uint32Array | undefined

  constructor(block: Uint8Array, bounds: Uint32Array, stride: number) {
    this.#block = block
    this.#bounds = bounds
    this.#stride = stride
    this.count = bounds.length / stride
  }

  /** Bytes of memory, about, with the numbers not made yet. */
  get memoryBytes(): number {
    return this.#bounds.byteLength + 4 * this.count + 256
  }

  /** The first key that is not before `key`; `count` when all are. */
  position(key: Uint8Array): number {
    if (this.count === 0) return 0
    const words = (this.#words ??= this.#makeWords())
    const order = this.#compareShared(key)
    if (order !== 0) return order > 0 ? 0 : this.count
    const word = wordAt(key, this.#shared, key.length)
    let low = firstFrom(words, 0, word)
    let high = firstFrom(words, low, word + 1)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(middle, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Negative, zero or positive as key `index` sorts before, with or after `key`. */
  compare(index: number, key: Uint8Array): number {
    const block = this.#block
    const from = this.#bounds[index * this.#stride] as number
    const ownLength = (this.#bounds[index * this.#stride + 1] as number) - from
    const length = ownLength < key.length ? ownLength : key.length
    for (let offset = 0; offset < length; offset++) {
      const difference = (block[from + offset] as number) - (key[offset] as number)
      if (difference !== 0) return difference
    }
    return ownLength - key.length
  }

  key(index: number): Uint8Array {
    const from = this.#bounds[index * this.#stride] as number
    const length = (this.#bounds[index * this.#stride + 1] as number) - from
    return new Uint8Array(this.#block.buffer, this.#block.byteOffset + from, length)
  }

  /** How what all keys begin with sorts against `key`. Zero when `key` begins with it too. */
  #compareShared(key: Uint8Array): number {
    const block = this.#block
    const from = this.#bounds[0] as number
    const shared = this.#shared
    for (let offset = 0; offset < shared; offset++) {
      // A key that ends here is before all.
      const difference = (block[from + offset] as number) - (key[offset] ?? -1)
      if (difference !== 0) return difference
    }
    return 0
  }

  #makeWords(): Uint32Array {
    const bounds = this.#bounds
    const stride = this.#stride
    const first = this.key(0)
    const last = this.key(this.count - 1)
    // What the first and the last of ascending keys share, all share.
    let shared = 0
    while (shared < first.length && shared < last.length && first[shared] === last[shared]) shared++
    this.#shared = shared
    const words = new Uint32Array(this.count)
    for (let index = 0; index < this.count; index++) {
      const from = bounds[index * stride] as number
      words[index] = wordAt(this.#block, from + shared, bounds[index * stride + 1] as number)
    }
    return words
  }
}

/** Four bytes as a number, zeros for those beyond the end: sorts as the bytes do, or equal. */
function wordAt(bytes: Uint8Array, from: number, end: number): number {
  let word = 0
  for (let at = from; at < from + 4; at++) {
    word = word * 0x100 + (at < end ? (bytes[at] as number) : 0)
  }
  return word
}

/** The first index from `from` on whose word is at least `word`. */
function firstFrom(words: Uint32Array, from: number, word: number): number {
  let low = from
  let high = words.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((words[middle] as number) < word) low = middle + 1
    else high = middle
  }
  return low
}
