/** The files that are open in this process, one `OpenFile` for each inode. */
import { isWarrenError } from '../../errors.ts'
import type { Clock } from '../../peer/index.ts'
import type { Inode, InodeNumber, Volume } from '../volume/volume.ts'
import type { WriteBudget } from './open-file.ts'
import { OpenFile } from './open-file.ts'

export interface BufferOptions {
  /** Bytes one file buffers before they are stored. Default `FILE_BUFFER_BYTES`. */
  readonly fileBufferBytes?: number
  /** Bytes all files together buffer. Default `TOTAL_BUFFER_BYTES`. */
  readonly totalBufferBytes?: number
  /** Milliseconds that written bytes may stay buffered. Default `BUFFER_DELAY_MS`. */
  readonly bufferDelayMs?: number
}

/** Enough that storing is a few large blocks, little enough to lose at a power cut. */
export const FILE_BUFFER_BYTES: number = 4 * 1024 * 1024

/** Bounds the memory of a program that writes many files at once. */
export const TOTAL_BUFFER_BYTES: number = 32 * 1024 * 1024

export const BUFFER_DELAY_MS: number = 1000

interface Removal {
  readonly volume: Volume
  readonly going: Set<InodeNumber>
  readonly done: Promise<unknown>
}

/** Says of an inode that loses its last name whether it has to stay for its handles. */
export type Keep = (inode: InodeNumber) => boolean

export class OpenFiles {
  readonly #clock: Clock
  readonly #budget: WriteBudget
  readonly #files = new Map<Volume, Map<InodeNumber, OpenFile>>()
  #relieving: Promise<void> | undefined
  readonly #removals = new Set<Removal>()

  constructor(clock: Clock, options: BufferOptions = {}) {
    this.#clock = clock
    this.#budget = {
      fileBytesMax: options.fileBufferBytes ?? FILE_BUFFER_BYTES,
      totalBytesMax: options.totalBufferBytes ?? TOTAL_BUFFER_BYTES,
      delayMs: options.bufferDelayMs ?? BUFFER_DELAY_MS,
      totalBytes: 0,
      relieve: () => this.#relieve()
    }
  }

  /** Bytes that were written and not stored yet. */
  get bufferedBytes(): number {
    return this.#budget.totalBytes
  }

  isAnyOpen(volume: Volume): boolean {
    return this.#files.has(volume)
  }

  isOpen(volume: Volume, inode: InodeNumber): boolean {
    return this.find(volume, inode) !== undefined
  }

  find(volume: Volume, inode: InodeNumber): OpenFile | undefined {
    return this.#files.get(volume)?.get(inode)
  }

  /**
   * The inode's open file, held until `release`. Undefined when the inode was removed meanwhile:
   * its path has to be looked up again.
   */
  async acquire(volume: Volume, inode: Inode): Promise<OpenFile | undefined> {
    const file = this.find(volume, inode.number) ?? this.#add(volume, inode)
    file.references++
    // A removal that began before this could not know that the file would be open.
    for (const removal of this.#removals) {
      if (removal.volume === volume && removal.going.has(inode.number)) {
        await removal.done.catch(() => {})
      }
    }
    const now = await (await volume.snapshot()).inode(inode.number)
    if (now !== undefined && now.generation === inode.generation) return file
    file.references--
    this.#forget(file)
    return undefined
  }

  /** Stores what was written and lets go; at the last handle, frees an inode without names. */
  async release(file: OpenFile): Promise<void> {
    file.references--
    try {
      if (file.references === 0 && file.orphaned && (await this.#free(file))) return
      await file.store()
    } finally {
      this.#forget(file)
    }
  }

  /** Runs work that removes names; it is told which inodes have to stay. */
  async removing<Result>(volume: Volume, work: (keep: Keep) => Promise<Result>): Promise<Result> {
    const going = new Set<InodeNumber>()
    const done = work(number => {
      const file = this.find(volume, number)
      if (file === undefined || file.references === 0) {
        going.add(number)
        return false
      }
      file.orphaned = true
      return true
    })
    const removal = { volume, going, done }
    this.#removals.add(removal)
    try {
      return await done
    } finally {
      this.#removals.delete(removal)
    }
  }

  /** Stores everything that any file has buffered. What a removed file had is nobody's any more. */
  async store(): Promise<void> {
    const files = [...this.#files.values()].flatMap(files => [...files.values()])
    const results = await Promise.allSettled(
      files.filter(file => file.dirty).map(file => file.store())
    )
    const failed = results.find(
      result => result.status === 'rejected' && !isWarrenError(result.reason, 'ESTALE')
    )
    if (failed?.status === 'rejected') throw failed.reason
  }

  /** All writers that find the buffers full wait for the same round. */
  #relieve(): Promise<void> {
    this.#relieving ??= this.store().finally(() => {
      this.#relieving = undefined
    })
    return this.#relieving
  }

  async #free(file: OpenFile): Promise<boolean> {
    const { volume, number } = file
    const inode = await (await volume.snapshot()).inode(number)
    if (file.references > 0 || (inode !== undefined && inode.links > 0)) return false
    await file.replaceContent(async () => {
      if (inode !== undefined) await volume.update(transaction => transaction.release(number))
    })
    return true
  }

  #add(volume: Volume, inode: Inode): OpenFile {
    const file = new OpenFile(
      { volume, inode },
      { clock: this.#clock, budget: this.#budget, onStored: file => this.#forget(file) }
    )
    const files = this.#files.get(volume) ?? new Map<InodeNumber, OpenFile>()
    this.#files.set(volume, files.set(inode.number, file))
    return file
  }

  /** A file whose bytes could not be stored stays until they can be. */
  #forget(file: OpenFile): void {
    if (file.references > 0 || file.dirty) return
    const files = this.#files.get(file.volume)
    if (files?.get(file.number) !== file) return
    files.delete(file.number)
    if (files.size === 0) this.#files.delete(file.volume)
  }
}
