/** The open files of a store's segments, bounded, since a large store has more than a process may open. */
import type { DiskFile, FileSystem } from './file-system.ts'
import type { Segment } from './segment.ts'

/**
 * How many segments are kept open. Enough for 32 GiB without reopening anything; few enough to
 * leave the usual limit of 1,024 files to the application.
 */
export const OPEN_FILES_MAX = 128

/** Opens the files of segments, and closes the longest unused when there are too many. */
export class SegmentFiles {
  readonly #fileSystem: FileSystem
  readonly #openFilesMax: number
  /** In the order of last use. */
  readonly #open = new Set<Segment>()

  constructor(fileSystem: FileSystem, openFilesMax: number = OPEN_FILES_MAX) {
    this.#fileSystem = fileSystem
    this.#openFilesMax = openFilesMax
  }

  /**
   * Calls `work` with the open file, which stays open until the work has ended. The segment counts
   * as used from the very call on: whoever has just looked up a place in it still finds it there.
   */
  async use<Value>(segment: Segment, work: (file: DiskFile) => Promise<Value>): Promise<Value> {
    segment.users++
    try {
      return await work(await this.#openFile(segment))
    } finally {
      segment.users--
      if (segment.users === 0) segment.whenUnused?.()
    }
  }

  /** Hands over a file that is open already. */
  adopt(segment: Segment, file: DiskFile): void {
    segment.file = Promise.resolve(file)
    this.#open.add(segment)
    this.#closeSurplus()
  }

  /** Resolves when nobody uses the segment and its file is closed. */
  async retire(segment: Segment): Promise<void> {
    if (segment.users > 0) await new Promise<void>(resolve => (segment.whenUnused = resolve))
    await this.#close(segment)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map(segment => this.retire(segment)))
  }

  #openFile(segment: Segment): Promise<DiskFile> {
    this.#open.delete(segment)
    this.#open.add(segment)
    if (segment.file === undefined) {
      segment.file = this.#fileSystem.open(segment.path, 'write')
      segment.file.catch(() => this.#forget(segment))
      this.#closeSurplus()
    }
    return segment.file
  }

  #forget(segment: Segment): void {
    segment.file = undefined
    this.#open.delete(segment)
  }

  #closeSurplus(): void {
    if (this.#open.size <= this.#openFilesMax) return
    for (const segment of this.#open) {
      if (segment.users > 0) continue
      // A reader of a file that could not be closed loses nothing; there is nobody to tell.
      this.#close(segment).catch(() => {})
      return
    }
  }

  async #close(segment: Segment): Promise<void> {
    this.#open.delete(segment)
    const file = await segment.file?.catch(() => undefined)
    segment.file = undefined
    await file?.close()
  }
}
