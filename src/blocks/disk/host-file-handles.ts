/**
 * The host files that are open for reading: few, because a process may open only so many, and not
 * for long, because an open file cannot be seen to be replaced, keeps its disk space when it is
 * deleted, and on Windows cannot be deleted or renamed by its owner.
 */
import type { FileHandle } from 'node:fs/promises'

export interface HostFileHandlesOptions {
  readonly filesOpenMax: number
  readonly fileOpenMs: number
}

export interface OpenHostFile {
  readonly path: string
  readonly file: FileHandle
  /** Where in the log the file was begun that this is: elsewhere, once it has been indexed anew. */
  readonly begin: number
}

interface Opened {
  readonly opening: Promise<OpenHostFile | undefined>
  readonly openedAt: number
  users: number
  /** Taken out of the table: closed as soon as nobody uses it. */
  dropped: boolean
}

export class HostFileHandles {
  readonly #options: HostFileHandlesOptions
  readonly #open: (number: number) => Promise<OpenHostFile | undefined>
  /** By file number, the least recently used first. */
  readonly #opened = new Map<number, Opened>()
  readonly #waiting: (() => void)[] = []
  #users = 0
  #closed = false
  #whenUnused = (): void => {}
  #sweep: ReturnType<typeof setTimeout> | undefined
  readonly #closing = new Set<Promise<void>>()

  constructor(
    open: (number: number) => Promise<OpenHostFile | undefined>,
    options: HostFileHandlesOptions
  ) {
    this.#open = open
    this.#options = options
  }

  /** Works with the open file, or with `undefined` when it could not be opened. Waits while too many are in use. */
  async use<Result>(
    number: number,
    work: (opened: OpenHostFile | undefined) => Promise<Result>
  ): Promise<Result> {
    if (this.#closed) return work(undefined)
    if (this.#users >= this.#options.filesOpenMax) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else {
      this.#users++
    }
    const opened = this.#acquire(number)
    try {
      return await work(await this.#fileOf(number, opened))
    } finally {
      this.#release(opened)
    }
  }

  /** Makes the next use open the file again. */
  drop(number: number): void {
    const opened = this.#opened.get(number)
    if (opened !== undefined) this.#drop(number, opened)
  }

  /** Closes every file, those in use when their users are done, and waits for that. */
  async close(): Promise<void> {
    this.#closed = true
    for (const [number, opened] of this.#opened) this.#drop(number, opened)
    if (this.#users > 0) await new Promise<void>(resolve => (this.#whenUnused = resolve))
    for (const [number, opened] of this.#opened) this.#drop(number, opened)
    clearTimeout(this.#sweep)
    await Promise.all(this.#closing)
  }

  #acquire(number: number): Opened {
    let opened = this.#opened.get(number)
    if (opened !== undefined && this.#isOld(opened)) {
      this.#drop(number, opened)
      opened = undefined
    }
    if (opened === undefined) {
      if (this.#opened.size >= this.#options.filesOpenMax) this.#dropLeastRecent()
      const opening = this.#open(number)
      opened = { opening, openedAt: performance.now(), users: 0, dropped: false }
      this.#sweepLater()
    } else {
      this.#opened.delete(number)
    }
    this.#opened.set(number, opened)
    opened.users++
    return opened
  }

  #release(opened: Opened): void {
    opened.users--
    if (opened.dropped && opened.users === 0) this.#close(opened)
    const next = this.#waiting.shift()
    if (next !== undefined) return next()
    if (--this.#users === 0) this.#whenUnused()
  }

  /** A file that could not be opened is tried again by the next user. */
  async #fileOf(number: number, opened: Opened): Promise<OpenHostFile | undefined> {
    try {
      const file = await opened.opening
      if (file === undefined) this.#drop(number, opened)
      return file
    } catch (error) {
      this.#drop(number, opened)
      throw error
    }
  }

  /** Prefers one that nobody uses, whose descriptor is free at once. */
  #dropLeastRecent(): void {
    for (const [number, opened] of this.#opened) {
      if (opened.users > 0) continue
      this.#drop(number, opened)
      return
    }
  }

  #drop(number: number, opened: Opened): void {
    if (opened.dropped) return
    opened.dropped = true
    this.#opened.delete(number)
    if (opened.users === 0) this.#close(opened)
  }

  #close({ opening }: Opened): void {
    const closing = opening
      .then(file => file?.file.close())
      // Opened only to be read: there is nothing that closing could lose.
      .catch(() => {})
      .then(() => void this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  #isOld(opened: Opened): boolean {
    return performance.now() - opened.openedAt >= this.#options.fileOpenMs
  }

  #sweepLater(): void {
    if (this.#sweep !== undefined) return
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined
      for (const [number, opened] of this.#opened) {
        if (opened.users === 0 && this.#isOld(opened)) this.#drop(number, opened)
      }
      if (this.#opened.size > 0) this.#sweepLater()
    }, this.#options.fileOpenMs)
    this.#sweep.unref()
  }
}
