/** Numbers in rows, millions of them, without an object for any. */

/** Rows of a chunk: growing copies nothing that is there. */
const CHUNK_BITS = 14
const CHUNK_ROWS = 1 << CHUNK_BITS

type Numbers = Float64Array | Uint32Array | Uint8Array

/** One number a row, zero where none was set. */
export class Column<Array extends Numbers> {
  readonly #chunks: Array[] = []
  readonly #make: (rows: number) => Array

  /** `make` gives an array of so many zeros. */
  constructor(make: (rows: number) => Array) {
    this.#make = make
  }

  get(row: number): number {
    return this.#chunks[row >>> CHUNK_BITS]?.[row & (CHUNK_ROWS - 1)] ?? 0
  }

  set(row: number, value: number): void {
    const chunk = row >>> CHUNK_BITS
    while (this.#chunks.length <= chunk) this.#chunks.push(this.#make(CHUNK_ROWS))
    this.#chunks[chunk]![row & (CHUNK_ROWS - 1)] = value
  }

  add(row: number, value: number): void {
    this.set(row, this.get(row) + value)
  }
}

export const float64Column = (): Column<Float64Array> => new Column(rows => new Float64Array(rows))
export const uint32Column = (): Column<Uint32Array> => new Column(rows => new Uint32Array(rows))
export const uint8Column = (): Column<Uint8Array> => new Column(rows => new Uint8Array(rows))
