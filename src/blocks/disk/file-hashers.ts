/**
 * Reads ranges of files and hashes the blocks in them on threads of our own, so that importing uses
 * all cores and leaves this thread to others. See `docs/decisions/005-import-off-the-main-thread.md`.
 *
 * The bytes come to lie in memory that all threads share and that is used again and again: nothing
 * is copied between threads, nothing allocated for a block, and there is nothing to collect.
 */
import { read } from 'node:fs'
import { availableParallelism } from 'node:os'
import { BLOCK_BYTES_MAX } from '../block.ts'
import { createBlocksHasher } from './hash-blocks.ts'
import type { HashAnswer, HashTask } from './hash-blocks.ts'
import { HashingThread } from './hashing-thread.ts'
import { RangeMemory } from './range-memory.ts'

/** What more threads would hash a disk seldom delivers, and each takes some 10 MiB. */
export const HASHING_THREADS_MAX = 4

/** Bytes of a range at most: a trip to a thread costs little beside reading and hashing them. */
export const RANGE_BYTES_MAX: number = BLOCK_BYTES_MAX

/** One that is hashed, one that waits for that, and as many on their way to the disk. */
const RANGES_PER_THREAD = 4

/** So that a thread finds the next task when it has done one. */
const TASKS_PER_THREAD = 2

/** So much is hashed on this thread before others are started, which takes 40 ms of processor time each. */
const STARTING_BYTES: number = 16 * 1024 * 1024

/** After so many milliseconds with nothing to do threads and memory are let go of: they take 40 MiB. */
const IDLE_MS = 500

export interface FileHashersOptions {
  /** Threads at most; 0: everything is hashed on this one. Default one per core, at most 4. */
  readonly threads?: number
  /** Bytes hashed on this thread before others are started. Default 16 MiB. */
  readonly startingBytes?: number
  /** Milliseconds, default 500. */
  readonly idleMs?: number
}

export interface FileRange {
  /** Open until the range was read. */
  readonly descriptor: number
  readonly position: number
  /** At most `RANGE_BYTES_MAX`. */
  readonly length: number
  /** The range is cut at every multiple. */
  readonly blockBytes: number
}

export interface HashedRange {
  /** What was read: less than was asked for where the file ends. Lent until `release` is called. */
  readonly bytes: Uint8Array
  /** Of its blocks, one after the other; none when all bytes are zero. */
  readonly digests: Uint8Array
  readonly isZeros: boolean
  /** Call it once, when nobody looks at the bytes any more. */
  release(): void
}

interface Waiting extends PromiseWithResolvers<HashedRange> {
  readonly range: FileRange
}

export class FileHashers {
  readonly #threadsMax: number
  readonly #startingBytes: number
  readonly #idleMs: number
  readonly #hashHere = createBlocksHasher()
  readonly #threads = new Set<HashingThread>()
  /** What waits for a place in the memory, in order. */
  readonly #waiting: Waiting[] = []
  readonly #underWay = new Map<number, Waiting & { readonly at: number }>()
  #memory: RangeMemory | undefined
  #lastTask = 0
  /** What is done on this thread, one after the other. */
  #here: Promise<void> = Promise.resolve()
  /** Bytes given to somebody since the threads were let go of. */
  #givenBytes = 0
  #mayStart = true
  #idle: NodeJS.Timeout | undefined

  constructor(options: FileHashersOptions = {}) {
    this.#threadsMax = options.threads ?? Math.min(availableParallelism(), HASHING_THREADS_MAX)
    this.#startingBytes = options.startingBytes ?? STARTING_BYTES
    this.#idleMs = options.idleMs ?? IDLE_MS
  }

  /** Threads that run, for measuring. */
  get threads(): number {
    return this.#threads.size
  }

  /** How many ranges of a file it pays to ask for at once. */
  get rangesAtOnce(): number {
    return Math.max(1, this.#threadsMax) * TASKS_PER_THREAD
  }

  /**
   * Ranges get memory in the order they are asked for, so who asks for several at once must be able
   * to go on as soon as the first is there. Throws what the host throws.
   */
  hash(range: FileRange): Promise<HashedRange> {
    clearTimeout(this.#idle)
    const waiting = { range, ...Promise.withResolvers<HashedRange>() }
    this.#waiting.push(waiting)
    this.#begin()
    return waiting.promise
  }

  /** Ends the threads at once. Whoever still needs a range gets it hashed on this thread. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    this.#mayStart = false
    const threads = [...this.#threads]
    this.#threads.clear()
    for (const tasks of await Promise.all(threads.map(thread => thread.end()))) {
      for (const task of tasks) this.#doHere(task)
    }
  }

  #begin(): void {
    const count = Math.max(1, this.#threadsMax) * RANGES_PER_THREAD
    this.#memory ??= new RangeMemory(count, RANGE_BYTES_MAX)
    while (this.#waiting.length > 0) {
      const at = this.#memory.take()
      if (at === undefined) return
      const waiting = this.#waiting.shift()!
      const task = { ...waiting.range, task: ++this.#lastTask, at }
      this.#underWay.set(task.task, { ...waiting, at })
      this.#give(task)
    }
  }

  #give(task: HashTask): void {
    this.#givenBytes += task.length
    const isEnough = this.#givenBytes >= this.#startingBytes
    if (isEnough && this.#mayStart && this.#threads.size < this.#threadsMax) this.#start()
    const thread = this.#leastBusy()
    // Until a thread answers, nobody waits for it.
    if (thread === undefined) this.#doHere(task)
    else thread.ask(task)
  }

  #start(): void {
    try {
      const thread: HashingThread = new HashingThread(this.#memory!.buffer, {
        onAnswer: answer => this.#answer(answer),
        onEnd: unanswered => {
          // Whatever ended it would end the next one too.
          this.#mayStart = false
          this.#threads.delete(thread)
          for (const task of unanswered) this.#doHere(task)
        }
      })
      this.#threads.add(thread)
    } catch {
      this.#mayStart = false
    }
  }

  #leastBusy(): HashingThread | undefined {
    let found: HashingThread | undefined
    for (const thread of this.#threads) {
      if (thread.isReady && (found === undefined || thread.load < found.load)) found = thread
    }
    return found
  }

  #doHere(task: HashTask): void {
    this.#here = this.#here.then(async () => {
      try {
        const bytes = await readHere(
          task,
          new Uint8Array(this.#memory!.buffer, task.at, task.length)
        )
        const hashed = this.#hashHere(bytes, task.blockBytes)
        this.#answer({ task: task.task, length: bytes.length, ...hashed })
      } catch (error) {
        this.#settle(task.task, ({ at, reject }) => {
          this.#release(at)
          reject(error)
        })
      }
    })
  }

  #answer({ task, length, digests, isZeros, error }: HashAnswer): void {
    this.#settle(task, ({ at, resolve, reject }) => {
      if (error === undefined) {
        const bytes = new Uint8Array(this.#memory!.buffer, at, length)
        resolve({ bytes, digests, isZeros, release: () => this.#release(at) })
      } else {
        this.#release(at)
        reject(Object.assign(new Error(error.message), error))
      }
    })
  }

  #settle(task: number, how: (waiting: Waiting & { readonly at: number }) => void): void {
    const waiting = this.#underWay.get(task)
    if (!this.#underWay.delete(task)) return
    how(waiting!)
  }

  #release(at: number): void {
    const memory = this.#memory!
    memory.release(at)
    this.#begin()
    if (!memory.isFree) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#letGo(), this.#idleMs).unref()
  }

  #letGo(): void {
    for (const thread of this.#threads) void thread.end()
    this.#threads.clear()
    this.#memory = undefined
    this.#givenBytes = 0
  }
}

/** Fills the bytes, or what of them the file has. */
async function readHere(
  { descriptor, position }: HashTask,
  bytes: Uint8Array
): Promise<Uint8Array> {
  let filled = 0
  while (filled < bytes.length) {
    const at = filled
    const count = await new Promise<number>((resolve, reject) => {
      read(descriptor, bytes, at, bytes.length - at, position + at, (error, bytesRead) => {
        if (error === null) resolve(bytesRead)
        else reject(error)
      })
    })
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}
