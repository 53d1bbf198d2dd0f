/**
 * Gets wanted blocks from sources: keeps the wants of one session, spreads them over the sources,
 * and moves them when a source proves slow, silent, absent or wrong.
 *
 * Nothing here depends on the goodwill of a source: one that breaks the protocol loses all its
 * wants at once, one that is silent loses them after `stallMs` if another may have them, and when
 * there is nothing left to do an idle source is asked for what a slower one still owes.
 */
import type { BlockId } from '../block-id.ts'
import { isWarrenError } from '../../errors.ts'
import type { Clock, Peer } from '../../peer/index.ts'
import { Want } from './ask.ts'
import type { Ask, Waiter } from './ask.ts'
import { fetchBlocks } from './fetch-blocks.ts'
import type { Lacks } from './lacks.ts'
import { ASKS_PER_WANT_MAX, BLOCK_BYTES_GUESS, LATE_MS, TICK_MS } from './limits.ts'
import { planAsks, planRescue } from './plan-asks.ts'
import type { SourceChoice } from './source-choice.ts'
import type { Source } from './source.ts'
import type { Transfers } from './transfers.ts'
import type { WriteBehind } from './write-behind.ts'

export interface WantSchedulerComponents {
  readonly peer: Pick<Peer, 'call'>
  readonly clock: Clock
  readonly choice: SourceChoice
  readonly lacks: Lacks
  readonly writeBehind: WriteBehind
  readonly transfers: Transfers
  /** Told when the first want comes and when the last one has gone. */
  readonly onActive: (active: boolean) => void
}

export interface WantSchedulerOptions {
  readonly deadlineMs: number
  readonly stallMs: number
  readonly patienceMs: number
  /** Nobody waits for what is wanted. */
  readonly background: boolean
}

export class WantScheduler {
  readonly #components: WantSchedulerComponents
  readonly #options: WantSchedulerOptions
  readonly #wants = new Map<BlockId, Want>()
  readonly #asks = new Set<Ask>()
  /** Wants that were asked for in vain go before new ones: somebody waits for them longest. */
  #urgent: Want[] = []
  #queue: Want[] = []
  #dispatchIsDue = false
  #cancelTick: (() => void) | undefined
  #tickDueAt = 0
  /** When we were last found to have slept: no silence is counted from before. */
  #resumedAt: number = -Infinity
  #blockBytes: number = BLOCK_BYTES_GUESS

  constructor(components: WantSchedulerComponents, options: WantSchedulerOptions) {
    this.#components = components
    this.#options = options
  }

  /** What a block of this session is expected to have, from those that came before. */
  get blockBytes(): number {
    return this.#blockBytes
  }

  observe(bytes: number): void {
    this.#blockBytes += (Math.max(bytes, 256) - this.#blockBytes) / 16
  }

  /** The source that a block would be asked of now. */
  bestSource(id: BlockId): Source | undefined {
    const { choice, clock } = this.#components
    const now = clock.now()
    choice.refresh(now)
    return choice.choose(new Want(id, now), this.#blockBytes)
  }

  add(id: BlockId, waiter: Waiter): void {
    let want = this.#wants.get(id)
    if (want === undefined) {
      want = new Want(id, this.#components.clock.now())
      this.#wants.set(id, want)
      if (this.#wants.size === 1) this.#components.onActive(true)
      this.#enqueue(want, this.#queue)
      this.#tickSoon()
    }
    want.waiters.push(waiter)
  }

  /** The waiter does not wait any more. */
  remove(id: BlockId, waiter: Waiter): void {
    const want = this.#wants.get(id)
    const index = want?.waiters.indexOf(waiter) ?? -1
    if (want === undefined || index < 0) return
    want.waiters.splice(index, 1)
    if (want.waiters.length === 0) this.#finish(want)
  }

  /** Sources have come or changed. */
  poke(): void {
    if (this.#dispatchIsDue || this.#wants.size === 0) return
    this.#dispatchIsDue = true
    queueMicrotask(() => {
      this.#dispatchIsDue = false
      this.#dispatch()
    })
  }

  /** Ends everything that is under way. */
  stop(reason: unknown): void {
    for (const want of this.#wants.values()) this.#fail(want, reason)
  }

  #enqueue(want: Want, queue: Want[]): void {
    if (want.queued || want.done) return
    want.queued = true
    queue.push(want)
    this.poke()
  }

  /**
   * Takes the want out of everything: its block is here, or nobody waits for it. Its waiters leave it
   * with what they get: a busy map's old tables keep wants for a while, and would keep their bytes.
   */
  #finish(want: Want): void {
    want.done = true
    this.#wants.delete(want.id)
    for (const ask of want.asks.splice(0)) ask.drop()
    if (this.#wants.size > 0) return
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#urgent = []
    this.#queue = []
    this.#components.onActive(false)
  }

  #fail(want: Want, error: unknown): void {
    this.#finish(want)
    for (const waiter of want.waiters.splice(0)) waiter.fail(error)
  }

  #dispatch(): void {
    const { choice, clock } = this.#components
    const queue = [...this.#urgent, ...this.#queue]
    if (queue.length === 0) return
    const now = clock.now()
    choice.refresh(now)
    this.#urgent = []
    this.#queue = []
    const { asks, waiting } = planAsks(queue, choice, { now, blockBytes: this.#blockBytes })
    for (const ask of asks) this.#start(ask)
    for (const want of waiting) this.#keepWaiting(want)
  }

  #keepWaiting(want: Want): void {
    const { choice } = this.#components
    if (want.asks.length === 0 && choice.isHopeless(want.id, this.#options.patienceMs)) {
      want.queued = false
      this.#fail(want, choice.unreachable(want, 'nobody has it'))
      return
    }
    this.#queue.push(want)
  }

  #start(ask: Ask): void {
    this.#asks.add(ask)
    ask.source.began(ask.startedAt)
    void this.#run(ask)
  }

  /** Never rejects. */
  async #run(ask: Ask): Promise<void> {
    const { peer, clock, writeBehind } = this.#components
    const ids = ask.wants.map(want => want.id)
    const { signal } = ask.controller
    const { deadlineMs: silenceMs, background } = this.#options
    const options = { signal, silenceMs }
    const want = { kind: 'blocks', ids, background } as const
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      ask.source.ended()
    }
    try {
      const batches = fetchBlocks(peer, ask.source.id, want, options)
      for await (const batch of batches) {
        this.#receive(ask, batch)
        // The source may be given more before it has said that this was all.
        if (ask.answered === ids.length) release()
        if (!writeBehind.isFull) continue
        ask.paused = true
        await writeBehind.untilRoom()
        ask.paused = false
        ask.source.heardAt = clock.now()
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(ask.source, error)
    }
    release()
    this.#asks.delete(ask)
    for (const want of ask.end()) {
      if (want.asks.length === 0) this.#enqueue(want, this.#urgent)
    }
    this.poke()
  }

  #receive(ask: Ask, batch: readonly { bytes: Uint8Array | undefined }[]): void {
    const { clock, choice, lacks, writeBehind, transfers } = this.#components
    const { source } = ask
    const now = clock.now()
    let received = 0
    let blocks = 0
    for (const { bytes } of batch) {
      const want = ask.answer()
      if (bytes === undefined) {
        lacks.add(source.id, want.id, now)
        if (want.asks.length === 0) this.#enqueue(want, this.#urgent)
        continue
      }
      blocks++
      received += bytes.length
      if (want.done) continue
      this.observe(bytes.length)
      if (want.keep) writeBehind.put({ id: want.id, bytes })
      this.#finish(want)
      for (const waiter of want.waiters.splice(0)) waiter.take(bytes)
    }
    if (ask.stalled) this.#recovered(ask)
    source.heard(received, now)
    if (blocks === 0) return
    source.deliveredAt = now
    choice.delivered(source.id)
    transfers.received(source.id, { blocks, bytes: received })
  }

  #failed(source: Source, error: unknown): void {
    source.failed(error, this.#components.clock.now())
    if (!isWarrenError(error, 'EPROTO') && !isWarrenError(error, 'EBADMSG')) return
    for (const ask of this.#asks) if (ask.source === source) ask.controller.abort()
  }

  #tick(): void {
    const { clock, choice } = this.#components
    const { deadlineMs } = this.#options
    const now = clock.now()
    this.#cancelTick = undefined
    if (now >= this.#tickDueAt + LATE_MS) this.#resumedAt = now
    for (const ask of this.#asks) this.#checkStall(ask, now)
    choice.refresh(now)
    for (const want of this.#wants.values()) {
      const progressAt = Math.max(want.progressAt, this.#resumedAt)
      if (now - progressAt < deadlineMs) continue
      this.#fail(want, choice.unreachable(want, `nobody sent it in ${deadlineMs} ms`))
    }
    this.#dispatch()
    if (this.#urgent.length + this.#queue.length === 0) this.#rescue(now)
    if (this.#wants.size === 0) return
    this.#tickSoon()
  }

  #tickSoon(): void {
    if (this.#cancelTick !== undefined) return
    const { clock } = this.#components
    this.#tickDueAt = clock.now() + TICK_MS
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick())
  }

  #checkStall(ask: Ask, now: number): void {
    const { source } = ask
    if (ask.stalled || ask.paused || ask.answered === ask.wants.length) return
    const silentMs = now - Math.max(source.heardAt, ask.startedAt, this.#resumedAt)
    if (silentMs < source.silenceMs(this.#options.stallMs, this.#blockBytes)) return
    ask.stalled = true
    source.stalled = true
    for (let i = ask.answered; i < ask.wants.length; i++) {
      const want = ask.wants[i]!
      if (want.asks.length < ASKS_PER_WANT_MAX) this.#enqueue(want, this.#urgent)
    }
  }

  /** It was only slow: what others have not been asked for yet they need not send. */
  #recovered(ask: Ask): void {
    ask.stalled = false
    for (let i = ask.answered; i < ask.wants.length; i++) ask.wants[i]!.queued = false
  }

  #rescue(now: number): void {
    const { choice } = this.#components
    choice.refresh(now)
    const options = { now, blockBytes: this.#blockBytes }
    for (const ask of planRescue(this.#asks, choice, options)) this.#start(ask)
  }
}
