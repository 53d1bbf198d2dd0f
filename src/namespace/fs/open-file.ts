/**
 * One file that is open in this process, shared by all its handles: what they have written and the
 * volume does not have yet. Everyone here reads through it, so a read after a write sees the write,
 * whichever handle wrote (UNIX semantics within a process).
 *
 * At any time there are at most two layers over the stored content: the one that is being stored,
 * and the one that is written to meanwhile. One store runs at a time. When it fails, its layer is
 * joined with the newer one and nothing is lost; the failure is told to the next write or sync.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { Clock } from '../../peer/index.ts'
import { FILE_BYTES_MAX } from '../volume/keys.ts'
import { Turns } from '../volume/turns.ts'
import type { Inode, InodeNumber, Snapshot, Volume } from '../volume/volume.ts'
import type { FileView, ViewLayer } from './file-view.ts'
import { createView } from './file-view.ts'
import { expectInode, storeLayer } from './store-layer.ts'
import { WriteBuffer } from './write-buffer.ts'

/** What all open files share. */
export interface WriteBudget {
  /** Bytes buffered in one file before they are stored. */
  readonly fileBytesMax: number
  /** Bytes buffered in all files together. */
  readonly totalBytesMax: number
  /** How long written bytes may stay in memory only, in milliseconds. */
  readonly delayMs: number
  /** Bytes buffered now. */
  totalBytes: number
  /** Stores what all files have buffered. */
  readonly relieve: () => Promise<void>
}

/** After failing, storing is tried again with pauses that double up to this. */
const RETRY_DELAY_MS_MAX = 30_000

interface Layer {
  limit: number
  size: number
  mtimeMs: number
  readonly buffer: WriteBuffer
}

export class OpenFile {
  readonly volume: Volume
  readonly number: InodeNumber
  readonly generation: number
  /** Handles that hold it. */
  references = 0
  /** Its last name was removed here; the inode goes when the last handle does. */
  orphaned = false

  readonly #clock: Clock
  readonly #budget: WriteBudget
  readonly #onStored: (file: OpenFile) => void
  readonly #writes = new Turns()
  #current: Layer | undefined
  #storing: Layer | undefined
  #running: Promise<void> | undefined
  /** Why storing failed, until someone was told. */
  #failure: unknown
  /** Storing failed last time. */
  #failing = false
  #delayMs: number
  #cancelTimer: (() => void) | undefined
  /** Counts stores, so that a view is never put together from both sides of one. */
  #stores = 0
  #base: { readonly snapshot: Snapshot; readonly inode: Inode } | undefined

  constructor(
    file: { readonly volume: Volume; readonly inode: Inode },
    components: {
      readonly clock: Clock
      readonly budget: WriteBudget
      /** Told when something was stored. */
      readonly onStored: (file: OpenFile) => void
    }
  ) {
    this.volume = file.volume
    this.number = file.inode.number
    this.generation = file.inode.generation
    this.#clock = components.clock
    this.#onStored = components.onStored
    this.#budget = components.budget
    this.#delayMs = components.budget.delayMs
  }

  /** True while there is something that the volume does not have. */
  get dirty(): boolean {
    return this.#current !== undefined || this.#storing !== undefined
  }

  /** The file as it is now. Throws `ESTALE` when its inode is gone. */
  async view(options?: StoreOptions): Promise<FileView> {
    for (;;) {
      const stores = this.#stores
      const { snapshot, inode } = await this.#stored(options)
      if (stores === this.#stores) return createView(snapshot, inode, this.#layers())
    }
  }

  /** Writes at an offset or at the end; gives where the bytes went. */
  write(bytes: Uint8Array, offset: number | 'end'): Promise<number> {
    return this.#writes.take(async () => {
      await this.#makeRoom()
      // What would fill the buffer at once is stored before the write is over and needs no copy.
      const isLong = bytes.length >= this.#budget.fileBytesMax
      const at = await this.#change(layer => {
        const from = offset === 'end' ? layer.size : offset
        if (from + bytes.length > FILE_BYTES_MAX) throw new WarrenError('EFBIG')
        if (isLong) layer.buffer.borrow(from, bytes)
        else layer.buffer.write(from, bytes)
        layer.size = Math.max(layer.size, from + bytes.length)
        return from
      })
      if (isLong) await this.store()
      return at
    })
  }

  truncate(size: number): Promise<void> {
    return this.#writes.take(async () => {
      if (size > FILE_BYTES_MAX) throw new WarrenError('EFBIG')
      await this.#change(layer => {
        layer.buffer.truncate(size)
        if (size < layer.size) layer.limit = Math.min(layer.limit, size)
        layer.size = size
      })
    })
  }

  /** Stores everything written before the call. Throws what kept it from being stored. */
  async store(): Promise<void> {
    const before = this.#running
    if (before !== undefined) await before.catch(() => {})
    // What failed before is tried again now, unless its bytes are lost.
    if (this.dirty) this.#failure = undefined
    this.#raise()
    await this.#run()
  }

  /** Runs work that replaces the whole content; what was written before it is dropped. */
  replaceContent<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#writes.take(async () => {
      while (this.#running !== undefined) await this.#running.catch(() => {})
      const done = work()
      this.#running = done.then(
        () => {},
        () => {}
      )
      try {
        const result = await done
        this.discard()
        return result
      } finally {
        this.#running = undefined
        this.#stores++
      }
    })
  }

  /** Drops what was not stored: for a file that nobody can reach any more. */
  discard(): void {
    this.#budget.totalBytes -= this.#current?.buffer.bytes ?? 0
    this.#current = undefined
    this.#failure = undefined
    this.#stopTimer()
  }

  #layers(): ViewLayer[] {
    return [this.#storing, this.#current].flatMap(layer =>
      layer === undefined ? [] : freeze(layer)
    )
  }

  async #stored(options?: StoreOptions): Promise<{ snapshot: Snapshot; inode: Inode }> {
    const snapshot = await this.volume.snapshot(options)
    if (this.#base?.snapshot.tree === snapshot.tree) return this.#base
    const inode = await expectInode(snapshot, this, options)
    this.#base = { snapshot, inode }
    return this.#base
  }

  /** Waits until the buffer may grow, and tells a failure to the first who comes after it. */
  async #makeRoom(): Promise<void> {
    this.#raise()
    const { fileBytesMax, totalBytesMax, totalBytes } = this.#budget
    if (totalBytes >= totalBytesMax) return await this.#budget.relieve()
    if ((this.#current?.buffer.bytes ?? 0) < fileBytesMax) return
    // While storing fails the buffer does not grow: the write is refused.
    if (this.#failing) return await this.store()
    // The next layer fills while this one is stored, and no faster.
    await this.#running?.catch(() => {})
    this.#raise()
    this.#run().catch(error => this.#fail(error))
  }

  #raise(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** Changes the layer that is written to at the very moment when it is found: a store may take it. */
  async #change<Result>(change: (layer: Layer) => Result): Promise<Result> {
    while (this.#current === undefined) {
      const stores = this.#stores
      const { inode } = await this.#stored()
      // What a store that ended meanwhile has made of the size, the inode does not say yet; of one
      // that began, its layer does.
      if (this.#current !== undefined || stores !== this.#stores) continue
      const size = this.#storing?.size ?? inode.size
      this.#current = { limit: Infinity, size, mtimeMs: 0, buffer: new WriteBuffer() }
      this.#startTimer()
    }
    this.#current.mtimeMs = this.#clock.now()
    return this.#account(this.#current, change)
  }

  #account<Result>(layer: Layer, change: (layer: Layer) => Result): Result {
    const before = layer.buffer.bytes
    try {
      return change(layer)
    } finally {
      this.#budget.totalBytes += layer.buffer.bytes - before
    }
  }

  #run(): Promise<void> {
    if (this.#running !== undefined) return this.#running
    if (this.#current === undefined) return Promise.resolve()
    this.#running = this.#storeCurrent(this.#current).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #storeCurrent(layer: Layer): Promise<void> {
    this.#storing = layer
    this.#current = undefined
    this.#stopTimer()
    try {
      await storeLayer(this, freeze(layer))
      this.#dropStoring(layer)
      this.#delayMs = this.#budget.delayMs
      this.#failing = false
    } catch (error) {
      if (isFinal(error)) this.#dropStoring(layer)
      else this.#putBack(layer)
      throw error
    } finally {
      this.#stores++
      this.#onStored(this)
    }
  }

  #dropStoring(layer: Layer): void {
    this.#budget.totalBytes -= layer.buffer.bytes
    this.#storing = undefined
  }

  /** A layer that could not be stored goes below what was written meanwhile. */
  #putBack(layer: Layer): void {
    const newer = this.#current
    layer.buffer.own()
    if (newer !== undefined) {
      if (newer.limit < layer.size) layer.buffer.truncate(newer.limit)
      layer.limit = Math.min(layer.limit, newer.limit)
      layer.size = newer.size
      layer.mtimeMs = newer.mtimeMs
      this.#budget.totalBytes -= newer.buffer.bytes
      this.#account(layer, ({ buffer }) => buffer.putAll(newer.buffer.pieces()))
    }
    this.#storing = undefined
    this.#current = layer
    this.#failing = true
    this.#delayMs = Math.min(RETRY_DELAY_MS_MAX, this.#delayMs * 2)
    this.#stopTimer()
    this.#startTimer()
  }

  #fail(error: unknown): void {
    this.#failure = error
  }

  #startTimer(): void {
    this.#cancelTimer ??= this.#clock.after(this.#delayMs, () => {
      this.#cancelTimer = undefined
      this.store().catch(error => this.#fail(error))
    })
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}

function freeze({ limit, size, mtimeMs, buffer }: Layer): ViewLayer {
  return { limit, size, mtimeMs, pieces: buffer.pieces() }
}

/** True when trying again can not help: the file is gone, or its volume is closed. */
function isFinal(error: unknown): boolean {
  return isWarrenError(error, 'ESTALE') || isWarrenError(error, 'EBADF')
}
