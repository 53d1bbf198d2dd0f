/**
 * Which reads are made at once, on this thread, instead of on the thread pool.
 *
 * A small block that is in the system's cache is read in 2 µs; the trip to the pool and back costs
 * the main thread alone 20 to 60. But a read that has to wait for the disk would hold up everything
 * else, and nobody can ask the cache beforehand. So small reads are made here as long as they prove
 * quick: after a slow one the pool takes over for a while, and in one turn of the event loop only so
 * many are made, because awaiting what is already there never lets anything else run.
 */
import type { DiskFile } from './file-system.ts'

/** Reading more takes as long as the trip. */
export const READ_HERE_BYTES_MAX: number = 32 * 1024
/** Clearly more than a copy out of the cache. */
const SLOW_MS = 0.5
/** For how many times as long the pool takes over: slow reads get a twentieth of the time at most. */
const PAUSE_FACTOR = 20
/** About a millisecond, with the hashing. */
const READS_IN_A_TURN_MAX = 128

export class ReadTurn {
  readonly #now: () => number
  #readsLeft = READS_IN_A_TURN_MAX
  #pausedUntil = 0

  /** `now` in milliseconds, from any beginning. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The bytes read, or `undefined` when the read belongs on the pool. */
  readHere(file: DiskFile, target: Uint8Array, position: number): number | undefined {
    if (target.length > READ_HERE_BYTES_MAX || this.#readsLeft === 0) return undefined
    const begin = this.#now()
    if (begin < this.#pausedUntil) return undefined
    if (this.#readsLeft === READS_IN_A_TURN_MAX) {
      setImmediate(() => (this.#readsLeft = READS_IN_A_TURN_MAX)).unref()
    }
    this.#readsLeft--
    const count = file.readHere(target, position)
    const end = this.#now()
    if (end - begin > SLOW_MS) this.#pausedUntil = end + (end - begin) * PAUSE_FACTOR
    return count
  }
}
