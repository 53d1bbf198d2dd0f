/**
 * Ending a segment: what is full is forced to disk and gets its index file, while appending goes on
 * in the next one.
 */
import type { BlockLog } from './block-log.ts'
import { syncSegment } from './durability.ts'
import { writeFileDurably } from './durable-file.ts'
import type { Segment } from './segment.ts'
import { toWarrenError } from './system-error.ts'

export class SegmentSealer {
  readonly #log: BlockLog
  readonly #onSealed: () => void
  #sealing: Promise<void> = Promise.resolve()

  constructor(log: BlockLog, onSealed: () => void) {
    this.#log = log
    this.#onSealed = onSealed
  }

  /**
   * Resolves when no segment waits to be sealed, which bounds what a crash leaves to be scanned.
   * Never rejects: what failed stands in `log.failure`.
   */
  settled(): Promise<void> {
    return this.#sealing
  }

  /** Nothing may be appended to the segment afterwards. */
  seal(segment: Segment): Promise<void> {
    this.#sealing = this.#sealing.then(() => this.#seal(segment))
    return this.#sealing
  }

  async #seal(segment: Segment): Promise<void> {
    const log = this.#log
    try {
      await syncSegment(log, segment)
    } catch (cause) {
      log.failure ??= toWarrenError(cause, { syscall: 'fdatasync', path: segment.path })
      return
    }
    // An index that cannot be written, on a full disk say, is made by a scan when it is needed.
    await this.#writeIndex(segment).catch(() => {})
    segment.index = undefined
    segment.isSealed = true
    this.#onSealed()
  }

  async #writeIndex(segment: Segment): Promise<void> {
    if (segment.index === undefined || segment.indexedSize === segment.size) return
    const bytes = segment.index.encode(segment.header)
    await writeFileDurably(segment.indexPath, bytes, this.#log.fileSystem)
    segment.indexedSize = segment.size
  }
}
