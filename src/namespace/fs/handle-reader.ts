/**
 * How a handle reads: ranges as they are asked for, and with read-ahead once one begins where the
 * last one ended.
 */
import { WarrenError } from '../../errors.ts'
import type { FileView } from './file-view.ts'
import { readInto } from './file-view.ts'
import { SequentialReader } from './sequential-reader.ts'

export class HandleReader {
  #ahead: SequentialReader | undefined
  /** Someone is reading ahead; who reads at the same time does so without. */
  #isBusy = false
  /** Where the last read ended. */
  #end = -1

  /** Fills the target as far as the file goes. Throws `EISDIR`. */
  async read(view: FileView, target: Uint8Array, position: number): Promise<number> {
    if (view.inode.type === 'directory') throw new WarrenError('EISDIR')
    const isSequential = position === this.#end && view.layers.length === 0 && !this.#isBusy
    const read = isSequential
      ? await this.#readAhead(view, target, position)
      : await readInto(view, target, position)
    this.#end = position + read
    return read
  }

  async close(): Promise<void> {
    const reader = this.#ahead
    this.#ahead = undefined
    await reader?.close()
  }

  async #readAhead(view: FileView, target: Uint8Array, position: number): Promise<number> {
    this.#isBusy = true
    try {
      let reader = this.#ahead
      // A reader that fails is not used again.
      this.#ahead = undefined
      if (reader?.continues(view, position) !== true) {
        await reader?.close()
        reader = new SequentialReader(view, position)
      }
      let filled = 0
      while (filled < target.length) {
        if (reader.ended) reader = reader.next(view)
        const read = await reader.read(target.subarray(filled))
        if (read === 0) break
        filled += read
      }
      this.#ahead = reader
      return filled
    } finally {
      this.#isBusy = false
    }
  }
}
