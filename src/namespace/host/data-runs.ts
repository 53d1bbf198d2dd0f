/**
 * Reads a file as runs of data with holes between them. What reads as zeros, whether the host
 * keeps it as a hole or not, needs no blocks: gaps between extents read as zeros too.
 */
import type { OpenHostFile } from './read-host-file.ts'

/** One trip to the thread pool a mebibyte: more would only hold more memory. Holes are whole pieces. */
export const PIECE_BYTES: number = 1024 * 1024

/** A longer run is handed out in parts, so that what is on its way into the tree stays little. */
const RUN_BYTES_MAX = 512 * PIECE_BYTES

const ZEROS = Buffer.alloc(PIECE_BYTES)

export interface DataRunsOptions {
  readonly signal: AbortSignal | undefined
  /**
   * Whether pieces are only lent: until `release` says that nobody looks at them any more. Memory
   * that is used again costs half of what reading into new memory does (0.17 s against 0.54 s of
   * CPU a GiB, measured, and garbage collection beside that).
   */
  readonly lend: boolean
}

export class DataRuns {
  readonly #file: OpenHostFile
  readonly #options: DataRunsOptions
  /** Pieces lent, in order, and where in the file they end. */
  readonly #lent: { readonly bytes: Uint8Array; readonly end: number }[] = []
  readonly #free: Uint8Array[] = []
  #position = 0
  /** The piece at `#position`, read and found not to be zeros. */
  #next: Uint8Array | undefined

  constructor(file: OpenHostFile, options: DataRunsOptions) {
    this.#file = file
    this.#options = options
  }

  /** Nobody looks at what was read of the file before `position` any more. */
  release(position: number): void {
    while (this.#lent.length > 0 && this.#lent[0]!.end <= position) {
      this.#free.push(this.#lent.shift()!.bytes)
    }
  }

  /** Where the next run begins; undefined when there is none. Read the run before to its end first. */
  async begin(onHole: (bytes: number) => void): Promise<number | undefined> {
    while (this.#next === undefined && this.#position < this.#file.size) {
      const piece = await this.#read()
      if (isZeros(piece)) {
        this.#position += piece.length
        this.#takeBack()
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
      if (isZeros(next)) {
        this.#takeBack()
        return
      }
      this.#next = next
    }
  }

  async #read(): Promise<Uint8Array> {
    this.#options.signal?.throwIfAborted()
    const length = Math.min(PIECE_BYTES, this.#file.size - this.#position)
    const bytes = this.#free.pop() ?? newPiece()
    const piece = await this.#file.read(bytes.subarray(0, length), this.#position)
    if (this.#options.lend) this.#lent.push({ bytes, end: this.#position + length })
    return piece
  }

  /** The piece read last was of no use. */
  #takeBack(): void {
    const last = this.#lent.pop()
    if (last !== undefined) this.#free.push(last.bytes)
  }
}

/** Not zeroed, since every byte that is handed out has been read. */
function newPiece(): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(PIECE_BYTES).buffer)
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}
