/**
 * Room that is kept on the disk for when it is full. Whoever deletes something has to write before
 * there is room: tree nodes that name less, a segment without the garbage. Without a reserve a disk
 * that is full to the last byte would stay full.
 *
 * It is a file of that size, `RESERVE`, made smaller when the room is needed. Content is written only
 * while the reserve is whole, so nothing else takes what was given up.
 */
import { join } from 'node:path'
import type { DiskFile, FileSystem } from './file-system.ts'

/** Part of what is stored: there are about as many tree nodes for it, and it is not missed. */
const STORED_DIVISOR = 16
/** For the first nodes; more than the nodes that change at once, and the removals, of a usual peer. */
const RESERVE_BYTES_MIN = 256 * 1024
const RESERVE_BYTES_MAX = 8 * 1024 * 1024

const PIECE_BYTES = 64 * 1024
/** How long nobody tries again to make it whole, in milliseconds: a try fills the disk to the brim. */
const RETRY_PAUSE_MS = 500

export class DiskReserve {
  readonly #path: string
  readonly #fileSystem: FileSystem
  #bytes: number
  /** Nothing was given up since it was last made whole. */
  #isWhole = true
  #changing: Promise<unknown> = Promise.resolve()
  #failedMs = -Infinity

  private constructor(path: string, fileSystem: FileSystem, bytes: number) {
    this.#path = path
    this.#fileSystem = fileSystem
    this.#bytes = bytes
  }

  /** With what the process before has left of it. */
  static async open(directory: string, fileSystem: FileSystem): Promise<DiskReserve> {
    const path = join(directory, 'RESERVE')
    const bytes = await sizeOf(path, fileSystem).catch(() => 0)
    return new DiskReserve(path, fileSystem, bytes)
  }

  /** False while some of it is given up, or it could not be made as large as it should be. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Makes it as large as it should be with so many bytes stored. True when it is whole. Never rejects. */
  async fill(storedBytes: number): Promise<boolean> {
    const target = targetFor(storedBytes)
    if (this.#fits(target)) return true
    if (!this.#isWhole && performance.now() - this.#failedMs < RETRY_PAUSE_MS) return false
    return this.#inTurn(async () => {
      if (this.#fits(target)) return true
      const resized = this.#bytes > target ? this.#shrink(target) : this.#grow(target)
      this.#isWhole = await resized.then(
        () => true,
        () => false
      )
      if (!this.#isWhole) this.#failedMs = performance.now()
      return this.#isWhole
    })
  }

  /** Resolves when its file is not touched any more by what was called before. */
  async settled(): Promise<void> {
    await this.#changing
  }

  /** Gives up so many bytes, and whether there were any left to give. Never rejects. */
  async release(bytes: number): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#bytes === 0) return false
      this.#isWhole = false
      const left = Math.max(0, this.#bytes - Math.ceil(bytes / PIECE_BYTES) * PIECE_BYTES)
      return this.#shrink(left).then(
        () => true,
        () => false
      )
    })
  }

  /** Not to be changed for every few bytes that were stored or removed. */
  #fits(target: number): boolean {
    return this.#isWhole && this.#bytes >= target / 2 && this.#bytes <= target * 2
  }

  async #grow(target: number): Promise<void> {
    const file = await this.#open()
    try {
      let size = this.#bytes
      // Random bytes, because some disks keep zeros in no room at all.
      const piece = new Uint8Array(PIECE_BYTES)
      crypto.getRandomValues(piece)
      for (; size < target; size += PIECE_BYTES) {
        await file.write([piece], size)
        this.#bytes = size + PIECE_BYTES
      }
    } catch (error) {
      // What was torn off is room for others.
      await file.truncate(this.#bytes).catch(() => {})
      throw error
    } finally {
      await file.close()
    }
  }

  async #shrink(size: number): Promise<void> {
    const file = await this.#open()
    try {
      await file.truncate(size)
      this.#bytes = size
    } finally {
      await file.close()
    }
  }

  #open(): Promise<DiskFile> {
    return this.#fileSystem.open(this.#path, this.#bytes === 0 ? 'create' : 'write')
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#changing.then(work)
    this.#changing = done.catch(() => {})
    return done
  }
}

async function sizeOf(path: string, fileSystem: FileSystem): Promise<number> {
  const file = await fileSystem.open(path, 'read')
  try {
    return await file.size()
  } finally {
    await file.close()
  }
}

function targetFor(storedBytes: number): number {
  const part = Math.ceil(storedBytes / STORED_DIVISOR / PIECE_BYTES) * PIECE_BYTES
  return Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, part))
}
