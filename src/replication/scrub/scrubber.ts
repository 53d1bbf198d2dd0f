/**
 * Reads every block of this machine again, now and then and slowly, so that damage is found while
 * others still have a copy, and not when somebody needs the block. The store does the checking: it
 * hands out nothing that has not the hash of its name.
 *
 * A pass goes once over the store's own list, one id in memory at a time. A new one begins a period
 * after the last one began, or at once when that took longer.
 */
import type { BlockId, BlockStore } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import type { Clock, TypedEventTarget } from '../../peer/index.ts'
import { pause } from '../pause.ts'
import {
  SAVE_MS,
  SCRUB_BYTES_PER_SECOND,
  SCRUB_PERIOD_MS,
  SCRUB_READS_AT_ONCE,
  SCRUB_RETRY_MS,
  LISTED_PER_TURN,
  SLICE_BYTES,
  SMALL_BLOCK_BYTES,
  START_DELAY_MS
} from './scrub-limits.ts'
import type { ScrubRecord, ScrubStore } from './scrub-record.ts'

export interface ScrubberComponents {
  readonly store: Pick<BlockStore, 'ids' | 'has' | 'get'>
  readonly clock: Clock
  /** These are damaged here, or were removed at this very moment: who needs them gets them again. */
  readonly onDamaged: (ids: readonly BlockId[]) => void
  /** Where the place is kept. Default: nowhere, and each start begins a pass. */
  readonly scrubStore?: ScrubStore
}

export interface ScrubberOptions {
  /** The most that is read in a second. Default `SCRUB_BYTES_PER_SECOND`. */
  readonly bytesPerSecond?: number
  /** Milliseconds from the beginning of a pass to that of the next. Default `SCRUB_PERIOD_MS`. */
  readonly periodMs?: number
}

/** What a pass has seen so far, or saw; of one that began before the start, only since then. */
export interface ScrubPass {
  readonly beganMs: number
  readonly blocks: number
  readonly bytes: number
  readonly damaged: number
  /** Could not be read for another reason than damage: the next pass tries again. */
  readonly unreadable: number
}

export interface ScrubberEvents {
  damaged: CustomEvent<{ readonly ids: readonly BlockId[] }>
  /** A pass has ended. */
  pass: CustomEvent<ScrubPass>
}

export interface Scrubber {
  readonly events: TypedEventTarget<ScrubberEvents>
  /** Undefined while there is none under way. */
  readonly pass: ScrubPass | undefined
  readonly paused: boolean
  /** Goes on from where it was. Idempotent. */
  start(): void
  /** Reads nothing until `resume`. Idempotent, both. */
  pause(): void
  resume(): void
  /** Saves the place. Idempotent; it can be started again. */
  stop(): Promise<void>
}

/** Throws `TypeError` for a rate or a period that is not a number above zero. */
export function createScrubber(
  components: ScrubberComponents,
  options: ScrubberOptions = {}
): Scrubber {
  const { bytesPerSecond = SCRUB_BYTES_PER_SECOND, periodMs = SCRUB_PERIOD_MS } = options
  if (!(bytesPerSecond > 0 && periodMs > 0)) {
    throw new TypeError(`scrubbing ${bytesPerSecond} bytes a second every ${periodMs} ms`)
  }
  return new StoreScrubber(components, { bytesPerSecond, periodMs })
}

type Counts = { -readonly [Field in keyof ScrubPass]: ScrubPass[Field] }

class StoreScrubber implements Scrubber {
  readonly events: TypedEventTarget<ScrubberEvents>
  readonly #events = new EventTarget()
  readonly #components: ScrubberComponents
  readonly #options: Required<ScrubberOptions>
  #record: ScrubRecord | undefined
  #savedMs = 0
  #pass: Counts | undefined
  #running: { readonly ending: AbortController; readonly ended: Promise<void> } | undefined
  #resumed: PromiseWithResolvers<void> | undefined
  /** When the next slice may be read. */
  #dueMs = 0

  constructor(components: ScrubberComponents, options: Required<ScrubberOptions>) {
    this.events = this.#events as unknown as TypedEventTarget<ScrubberEvents>
    this.#components = components
    this.#options = options
  }

  get pass(): ScrubPass | undefined {
    return this.#pass && { ...this.#pass }
  }

  get paused(): boolean {
    return this.#resumed !== undefined
  }

  start(): void {
    if (this.#running !== undefined) return
    const ending = new AbortController()
    this.#running = { ending, ended: this.#run(ending.signal) }
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers()
  }

  resume(): void {
    this.#resumed?.resolve()
    this.#resumed = undefined
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.ending.abort()
    await running.ended
    if (this.#running === running) this.#running = undefined
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    const { clock, scrubStore } = this.#components
    await this.#wait(START_DELAY_MS, signal)
    // Without a place every block is looked at, which only costs time.
    this.#record ??= await scrubStore?.load().catch(() => undefined)
    while (!signal.aborted) {
      const record = this.#record
      if (record?.finished === true) {
        const nextMs = record.beganMs + this.#options.periodMs
        // A clock that was set back must not put it off for ever.
        const waitMs = Math.min(nextMs - clock.now(), this.#options.periodMs)
        if (waitMs > 0) await this.#wait(waitMs, signal)
        if (signal.aborted) break
      }
      if (record === undefined || record.finished) {
        this.#record = { beganMs: clock.now(), listed: 0, finished: false }
      }
      await this.#goOn(signal)
    }
    this.#pass = undefined
    if (this.#record !== undefined) await this.#save()
  }

  /** The rest of a pass. A list that cannot be read is begun again after a while. */
  async #goOn(signal: AbortSignal): Promise<void> {
    const { beganMs } = this.#record!
    this.#pass = { beganMs, blocks: 0, bytes: 0, damaged: 0, unreadable: 0 }
    try {
      await this.#readAll(this.#pass, signal)
    } catch {
      await this.#wait(SCRUB_RETRY_MS, signal)
      return
    }
    if (signal.aborted) return
    this.#record = { ...this.#record!, finished: true }
    await this.#save()
    this.#events.dispatchEvent(new CustomEvent('pass', { detail: { ...this.#pass } }))
    this.#pass = undefined
  }

  async #readAll(pass: Counts, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#components
    const { bytesPerSecond } = this.#options
    const sliceBytes = Math.min(SLICE_BYTES, bytesPerSecond / 2)
    const skip = this.#record!.listed
    let ids: BlockId[] = []
    let listed = 0
    let spent = 0
    for await (const id of store.ids()) {
      if (signal.aborted) break
      if (++listed % LISTED_PER_TURN === 0) await shareEventLoop()
      if (listed <= skip || ids.push(id) < SCRUB_READS_AT_ONCE) continue
      spent += await this.#lookAt(ids, pass)
      ids = []
      this.#record = { ...this.#record!, listed }
      if (spent < sliceBytes) continue
      this.#dueMs = Math.max(this.#dueMs, clock.now()) + (spent / bytesPerSecond) * 1000
      spent = 0
      await this.#untilDue(signal)
    }
    if (signal.aborted) return
    await this.#lookAt(ids, pass)
    this.#record = { ...this.#record!, listed }
  }

  /** Resolves to what looking at them counts as, in bytes. */
  async #lookAt(ids: readonly BlockId[], pass: Counts): Promise<number> {
    const found = await Promise.all(ids.map(id => this.#read(id)))
    const damaged: BlockId[] = []
    let spent = 0
    for (const [index, state] of found.entries()) {
      if (state === 'gone') continue
      pass.blocks++
      if (state === 'damaged') damaged.push(ids[index]!)
      else if (state === 'unreadable') pass.unreadable++
      else pass.bytes += state
      spent += Math.max(SMALL_BLOCK_BYTES, typeof state === 'number' ? state : 0)
    }
    pass.damaged += damaged.length
    this.#tell(damaged)
    return spent
  }

  /** The bytes of a block that is well. */
  async #read(id: BlockId): Promise<number | 'gone' | 'damaged' | 'unreadable'> {
    const { store } = this.#components
    // What collection removed since it was listed is not damaged.
    if (!(await store.has(id))) return 'gone'
    try {
      return (await store.get(id))?.length ?? 'damaged'
    } catch (error) {
      if (isWarrenError(error, 'EBADF')) throw error
      return 'unreadable'
    }
  }

  #tell(ids: readonly BlockId[]): void {
    if (ids.length === 0) return
    this.#components.onDamaged(ids)
    this.#events.dispatchEvent(new CustomEvent('damaged', { detail: { ids } }))
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#components
    await this.#wait(this.#dueMs - clock.now(), signal)
    // After a sleep of the machine nothing is made up for.
    this.#dueMs = Math.max(this.#dueMs, clock.now())
    if (clock.now() - this.#savedMs >= SAVE_MS) await this.#save()
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#components
    await pause(clock, ms, signal)
    while (this.#resumed !== undefined && !signal.aborted) {
      const ended = Promise.withResolvers<void>()
      const end = (): void => ended.resolve()
      signal.addEventListener('abort', end)
      await Promise.race([this.#resumed.promise, ended.promise])
      signal.removeEventListener('abort', end)
    }
  }

  async #save(): Promise<void> {
    this.#savedMs = this.#components.clock.now()
    // A place that could not be saved only costs time after the next start.
    await this.#components.scrubStore?.save(this.#record!).catch(() => {})
  }
}
