/**
 * Collects garbage by itself: when so much was written since the last time that some of it has
 * probably replaced something, now and then when there may be any, and at once when the disk is
 * full. In the background it works a small part of the time only.
 */
import type { BlockStoreUsage, CollectOptions } from './blocks/index.ts'
import type { Clock } from './peer/index.ts'

/** How often it is looked whether a run is due, in milliseconds. */
const LOOK_MS = 10_000

/** A run looks at all that is stored: it is not worth it for fewer new bytes than these, or this share. */
const WRITTEN_BYTES_MIN = 64 * 1024 * 1024
const WRITTEN_SHARE_MIN = 0.1

/** An hour, in milliseconds. */
const INTERVAL_MS = 3_600_000

/** Who goes on writing to a disk that stays full does not start a run with each write, in milliseconds. */
const FULL_PAUSE_MS = 10_000

/** Rest after every slice of work in the background, in milliseconds: a third of the time is worked. */
const REST_MS = 16

export interface AutomaticCollectionComponents {
  readonly collect: (options: CollectOptions) => Promise<BlockStoreUsage>
  readonly store: { readonly writtenBytes: number; usage(): BlockStoreUsage }
  /** Whether time alone makes garbage, as it does of old versions. */
  readonly expires: () => boolean
  readonly clock: Clock
}

export interface AutomaticCollectionOptions {
  /** How long garbage may stay, in milliseconds. Default an hour; 0: until somebody asks for a run. */
  readonly intervalMs?: number | undefined
}

interface Run {
  readonly ended: Promise<BlockStoreUsage>
  readonly ending: AbortController
}

export class AutomaticCollection {
  readonly #components: AutomaticCollectionComponents
  readonly #intervalMs: number
  #isStopped = false
  #cancelTimer: (() => void) | undefined
  #background: Run | undefined
  #makingRoom: Promise<boolean> | undefined
  /** When the last run began, and what had been written by then. */
  #lastMs: number
  #lastWrittenBytes: number
  /** There may be garbage though nothing was written: what the process before left, to begin with. */
  #mayBeMore = true
  #fullUntilMs = -Infinity

  constructor(components: AutomaticCollectionComponents, options: AutomaticCollectionOptions = {}) {
    this.#components = components
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS
    this.#lastMs = components.clock.now()
    this.#lastWrittenBytes = components.store.writtenBytes
  }

  start(): void {
    if (this.#intervalMs > 0) this.#lookLater()
  }

  /** Ends what runs in the background. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer?.()
    await this.#endBackground()
  }

  /** Something has become garbage though nothing was written. */
  expect(): void {
    this.#mayBeMore = true
  }

  /** Who asks for a run goes before what runs in the background. Throws as `components.collect` does. */
  async collect(options: CollectOptions): Promise<BlockStoreUsage> {
    await this.#endBackground()
    return this.#collect(options)
  }

  /**
   * For who finds the disk full: whether there is more room now. Must not be awaited by what a run
   * waits for, an update of the own volume. Never rejects.
   */
  async makeRoom(): Promise<boolean> {
    const { clock } = this.#components
    if (this.#isStopped || this.#intervalMs === 0 || clock.now() < this.#fullUntilMs) return false
    this.#makingRoom ??= this.#makeRoom().finally(() => (this.#makingRoom = undefined))
    return this.#makingRoom
  }

  async #makeRoom(): Promise<boolean> {
    // Whoever wanted to write is told that the disk is full, and needs no other reason.
    const freed = await this.collect({}).catch(() => undefined)
    if (freed !== undefined && freed.bytes > 0) return true
    this.#fullUntilMs = this.#components.clock.now() + FULL_PAUSE_MS
    return false
  }

  #lookLater(): void {
    this.#cancelTimer = this.#components.clock.after(LOOK_MS, () => {
      if (this.#isStopped) return
      if (this.#isDue()) this.#collectInBackground()
      this.#lookLater()
    })
  }

  #isDue(): boolean {
    if (this.#background !== undefined) return false
    const { store, clock } = this.#components
    const bytes = store.writtenBytes - this.#lastWrittenBytes
    const bytesMin = Math.max(WRITTEN_BYTES_MIN, store.usage().bytes * WRITTEN_SHARE_MIN)
    if (bytes > bytesMin) return true
    return (bytes > 0 || this.#mayBeMore) && clock.now() - this.#lastMs >= this.#intervalMs
  }

  #collectInBackground(): void {
    const ending = new AbortController()
    const ended = this.#collect({ signal: ending.signal, restMs: REST_MS })
    this.#background = { ended, ending }
    // What fails is tried again when the next run is due; who wants to know why asks for a run.
    ended.catch(() => {}).finally(() => (this.#background = undefined))
  }

  async #collect(options: CollectOptions): Promise<BlockStoreUsage> {
    const { collect, store, clock, expires } = this.#components
    this.#lastMs = clock.now()
    const writtenBytes = store.writtenBytes - this.#lastWrittenBytes
    this.#lastWrittenBytes += writtenBytes
    this.#mayBeMore = true
    const freed = await collect(options)
    // What was replaced a moment ago may have to be kept until the next run.
    this.#mayBeMore = writtenBytes > 0 || freed.blocks > 0 || expires()
    return freed
  }

  async #endBackground(): Promise<void> {
    this.#background?.ending.abort(new Error('another run is wanted, or none'))
    await this.#background?.ended.catch(() => {})
  }
}
