/** The head of one volume in its file: reads it once, changes it in turn, never loses the last good one. */
import { constants } from 'node:fs'
import { open, readFile, unlink } from 'node:fs/promises'
import { writeFileDurably } from '../../blocks/disk/index.ts'
import { WarrenError, isErrorCode } from '../../errors.ts'
import { requireNewer } from '../heads/head-order.ts'
import type { SignedHead, VolumeId } from '../heads/head.ts'
import { SLOTS, SLOT_BYTES, encodeSlot, findNewestSlot } from './head-slots.ts'
import type { Slot } from './head-slots.ts'

/**
 * On Linux the write itself can wait for the disk, which saves a call. Elsewhere only an explicit
 * sync is sure to reach it: macOS flushes the cache of the disk for nothing less.
 */
const WRITE_IS_DURABLE: boolean = process.platform === 'linux'
const WRITE_FLAGS: number = constants.O_RDWR | (WRITE_IS_DURABLE ? constants.O_DSYNC : 0)

export class HeadFile {
  readonly #path: string
  readonly #volume: VolumeId
  #exists: boolean
  /** Where the current head is, once it was read. */
  #slot: Slot | undefined
  #lastTask: Promise<unknown> = Promise.resolve()

  constructor(path: string, volume: VolumeId, exists: boolean) {
    this.#path = path
    this.#volume = volume
    this.#exists = exists
  }

  get exists(): boolean {
    return this.#exists
  }

  async get(): Promise<SignedHead | undefined> {
    if (this.#slot === undefined && this.#exists) await this.#inTurn(() => this.#load())
    return this.#slot?.head
  }

  compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean> {
    return this.#inTurn(async () => {
      const current = await this.#load()
      if (current?.head.sequence !== expected) return false
      requireNewer(next, current?.head)
      const index = current === undefined ? 0 : (current.index + 1) % SLOTS
      await (current === undefined ? this.#create(next) : this.#overwrite(index, next))
      this.#slot = { index, head: next }
      this.#exists = true
      return true
    })
  }

  delete(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#exists) return
      await unlink(this.#path).catch(ignoreMissing)
      this.#exists = false
      this.#slot = undefined
    })
  }

  /** Resolves when nothing is under way. */
  async settle(): Promise<void> {
    await this.#lastTask.catch(() => undefined)
  }

  async #load(): Promise<Slot | undefined> {
    if (this.#slot !== undefined || !this.#exists) return this.#slot
    const bytes = await readFile(this.#path).catch(ignoreMissing)
    this.#exists = bytes !== undefined
    if (bytes === undefined) return undefined
    this.#slot = findNewestSlot(bytes, this.#volume)
    if (this.#slot === undefined) {
      throw new WarrenError('EIO', {
        message: 'both copies of a head are damaged',
        path: this.#path
      })
    }
    return this.#slot
  }

  /** Allocates both slots at once, so that no later change needs space. */
  async #create(head: SignedHead): Promise<void> {
    const bytes = new Uint8Array(SLOTS * SLOT_BYTES)
    bytes.set(encodeSlot(head))
    await writeFileDurably(this.#path, bytes)
  }

  async #overwrite(index: number, head: SignedHead): Promise<void> {
    const bytes = encodeSlot(head)
    const file = await open(this.#path, WRITE_FLAGS)
    try {
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, index * SLOT_BYTES)
      if (bytesWritten !== bytes.length) throw new Error(`${bytesWritten} bytes were written`)
      if (!WRITE_IS_DURABLE) await file.datasync()
    } finally {
      await file.close()
    }
  }

  async #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTask.then(task, task)
    this.#lastTask = turn.catch(() => undefined)
    try {
      return await turn
    } catch (cause) {
      throw asDiskError(cause, this.#path)
    }
  }
}

/** Codes a caller can act on pass; that the file is missing under our feet is damage to it. */
function asDiskError(cause: unknown, path: string): WarrenError {
  if (cause instanceof WarrenError) return cause
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const known = isErrorCode(code) && code !== 'ENOENT' ? code : 'EIO'
  return new WarrenError(known, { message: 'the head of a volume', path, cause })
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
  throw error
}
