/**
 * Where the content decides where a file is cut, or the store keeps what it is given: reads the file
 * as runs of data with holes between them. What reads as zeros, whether the host
 * keeps it as a hole or not, needs no blocks: gaps between extents read as zeros too.
 */
import { newBytes } from './read-host-file.ts'
import type { OpenHostFile } from './read-host-file.ts'

/** One trip to the thread pool a mebibyte: more would only hold more memory. Holes are whole pieces. */
export const PIECE_BYTES: number = 1024 * 1024

/** A longer run is handed out in parts, so that what is on its way into the tree stays little. */
const RUN_BYTES_MAX = 512 * PIECE_BYTES

const ZEROS = Buffer.alloc(PIECE_BYTES)

export class DataRuns {
  readonly #file: OpenHostFile
  readonly #signal: AbortSignal | undefined
  #position = 0
  /** The piece at `#position`, read and found not to be zeros. */
  #next: Uint8Array | undefined

  constructor(file: OpenHostFile, signal: AbortSignal | undefined) {
    this.#file = file
    this.#signal = signal
  }

  /** Where the next run begins; undefined when there is none. Read the run before to its end first. */
  async begin(onHole: (bytes: number) => void): Promise<number | undefined> {
    while (this.#next === undefined && this.#position < this.#file.size) {
      const piece = await this.#read()
      if (isZeros(piece)) {
        this.#position += piece.length
        onHole(piece.length)
      } else this.#next = piece
    }
    return this.#next === undefined ? undefined : this.#position
  }

  /** The pieces of a run, which belong to the reader. */
  async *run(): AsyncGenerator<Uint8Array> {
    const end = this.#position + RUN_BYTES_MAX
    for (let piece = this.#next; piece !== undefined; piece = this.#next) {
      this.#position += piece.length
      this.#next = undefined
      yield piece
      if (this.#position === this.#file.size || this.#position >= end) return
      const next = await this.#read()
      if (isZeros(next)) return
      this.#next = next
    }
  }

  async #read(): Promise<Uint8Array> {
    this.#signal?.throwIfAborted()
    const length = Math.min(PIECE_BYTES, this.#file.size - this.#position)
    return this.#file.read(newBytes(length), this.#position)
  }
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}
