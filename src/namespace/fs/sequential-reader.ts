/**
 * Read-ahead for a handle that is read from front to back: one range read, opened further than what
 * is asked for, whose blocks are fetched together and verified once, however small the reads are.
 */
import type { FileView } from './file-view.ts'
import { isSameContent, streamView } from './file-view.ts'

/** How far the first range goes, in bytes; each one after it goes twice as far. */
export const READ_AHEAD_BYTES_MIN: number = 512 * 1024

/** How far a range goes at most: what a jump away from it can have fetched in vain. */
export const READ_AHEAD_BYTES_MAX: number = 8 * 1024 * 1024

export class SequentialReader {
  readonly #view: FileView
  readonly #end: number
  readonly #windowBytes: number
  readonly #pieces: AsyncGenerator<Uint8Array>
  #position: number
  /** Read and not handed out yet. */
  #rest: Uint8Array = new Uint8Array(0)

  constructor(view: FileView, position: number, windowBytes: number = READ_AHEAD_BYTES_MIN) {
    this.#view = view
    this.#position = position
    this.#windowBytes = windowBytes
    this.#end = Math.min(view.inode.size, position + windowBytes)
    this.#pieces = streamView(view, position, this.#end)
  }

  /** True when it would go on exactly here, with what the file still is. */
  continues(view: FileView, position: number): boolean {
    return this.#position === position && isSameContent(view, this.#view)
  }

  /** The reader for what comes after this one's range. */
  next(view: FileView): SequentialReader {
    const windowBytes = Math.min(READ_AHEAD_BYTES_MAX, this.#windowBytes * 2)
    return new SequentialReader(view, this.#position, windowBytes)
  }

  get ended(): boolean {
    return this.#position >= this.#end
  }

  /** Fills the target as far as the range goes. */
  async read(target: Uint8Array): Promise<number> {
    let filled = 0
    while (filled < target.length && !this.ended) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next()
        if (next.done === true) break
        this.#rest = next.value
      }
      const part = this.#rest.subarray(0, target.length - filled)
      target.set(part, filled)
      this.#rest = this.#rest.subarray(part.length)
      this.#position += part.length
      filled += part.length
    }
    return filled
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined)
  }
}
