/** The open files of a store's segments, bounded, since a large store has more than a process may open. */
import type { DiskFile, FileSystem } from './file-system.ts'
import type { Segment } from './segment.ts'

/**
 * How many segments are kept open. Enough for 32 GiB without reopening anything; few enough to
 * leave the usual limit of 1,024 files to the application.
 */
export const OPEN_FILES_MAX = 128

/**
 * Opens the files of segments, closes the longest unused when there are too many, and makes callers
 * wait while all are in use.
 */
export class SegmentFiles {
  readonly #fileSystem: FileSystem
  readonly #openFilesMax: number
  /** In the order of last use. */
  readonly #open = new Set<Segment>()
  readonly #waiting: (() => void)[] = []
  #uses = 0
  #whenIdle: (() => void) | undefined

  constructor(fileSystem: FileSystem, openFilesMax: number = OPEN_FILES_MAX) {
    this.#fileSystem = fileSystem
    this.#openFilesMax = openFilesMax
  }

  /**
   * Calls `work` with the open file, which stays open until the work has ended. The segment counts
   * as used from the very call on: whoever has just looked up a place in it still finds it there.
   * The work must not use another segment, or both could wait for each other.
   */
  async use<Value>(segment: Segment, work: (file: DiskFile) => Promise<Value>): Promise<Value> {
    segment.users++
    this.#uses++
    try {
      while (!this.#isReady(segment)) await new Promise<void>(go => this.#waiting.push(go))
      return await work(await this.#openFile(segment))
    } finally {
      segment.users--
      this.#uses--
      if (segment.users === 0) segment.whenUnused?.()
      this.#waiting.shift()?.()
      if (this.#uses === 0) this.#whenIdle?.()
    }
  }

  /** Hands over a file that is open already. */
  adopt(segment: Segment, file: DiskFile): void {
    segment.file = Promise.resolve(file)
    this.#open.add(segment)
    if (this.#open.size > this.#openFilesMax) this.#closeUnused()
  }

  /** Resolves when nobody uses the segment and its file is closed. */
  async retire(segment: Segment): Promise<void> {
    if (segment.users > 0) await new Promise<void>(resolve => (segment.whenUnused = resolve))
    await this.#close(segment)
  }

  /** Resolves when all work has ended and all files are closed. No work may begin meanwhile. */
  async closeAll(): Promise<void> {
    if (this.#uses > 0) await new Promise<void>(resolve => (this.#whenIdle = resolve))
    await Promise.all([...this.#open].map(segment => this.retire(segment)))
  }

  #isReady(segment: Segment): boolean {
    if (segment.file !== undefined) return true
    if (this.#open.size >= this.#openFilesMax) this.#closeUnused()
    return this.#open.size < this.#openFilesMax
  }

  #openFile(segment: Segment): Promise<DiskFile> {
    this.#open.delete(segment)
    this.#open.add(segment)
    if (segment.file !== undefined) return segment.file
    const file = this.#fileSystem.open(segment.path, 'write')
    segment.file = file
    file.catch(() => {
      if (segment.file === file) this.#forget(segment)
    })
    return file
  }

  #forget(segment: Segment): void {
    segment.file = undefined
    this.#open.delete(segment)
  }

  #closeUnused(): void {
    for (const segment of this.#open) {
      if (segment.users > 0) continue
      // A reader of a file that could not be closed loses nothing; there is nobody to tell.
      this.#close(segment).catch(() => {})
      return
    }
  }

  async #close(segment: Segment): Promise<void> {
    const { file } = segment
    // At once, so that whoever comes next opens it anew and gets no file that is being closed.
    this.#forget(segment)
    await (await file?.catch(() => undefined))?.close()
  }
}
