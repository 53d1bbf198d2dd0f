/**
 * Wants and asks: a want is a block that somebody waits for, an ask is a call to one source for a
 * run of wants. A want may be in several asks, and is done with the first good answer.
 */
import type { BlockId } from '../block-id.ts'
import type { Source } from './source.ts'

/** Somebody who waits for a block. Exactly one of the two calls is made, once. */
export interface Waiter {
  /** Whether the block has to be kept in the local store. */
  readonly keep: boolean
  take(bytes: Uint8Array): void
  fail(error: unknown): void
}

export class Want {
  readonly id: BlockId
  readonly madeAt: number
  readonly waiters: Waiter[] = []
  /** The calls under way that may bring it. */
  readonly asks: Ask[] = []
  /** It waits to be asked of a source, or of one more. */
  queued = false
  done = false
  /** How many times a source was asked for it. */
  askCount = 0

  constructor(id: BlockId, now: number) {
    this.id = id
    this.madeAt = now
  }

  /** One who wants it kept is enough. */
  get keep(): boolean {
    return this.waiters.some(({ keep }) => keep)
  }

  /** When something last happened that gives hope, in the time of the clock. */
  get progressAt(): number {
    let at = this.madeAt
    for (const ask of this.asks) {
      const { deliveredAt } = ask.source
      if (deliveredAt >= ask.startedAt) at = Math.max(at, deliveredAt)
    }
    return at
  }
}

export class Ask {
  readonly source: Source
  readonly wants: Want[] = []
  readonly startedAt: number
  /** What each block is expected to have. */
  readonly bytesEach: number
  readonly controller: AbortController = new AbortController()
  /** How many of the wants were answered, in order. */
  answered = 0
  /** How many of the wants that were not answered somebody still waits for. */
  live = 0
  /** Its source has fallen silent, and others were asked. */
  stalled = false
  /** We are not listening, because the local store does not keep up. */
  paused = false

  constructor(source: Source, options: { readonly now: number; readonly bytesEach: number }) {
    this.source = source
    this.startedAt = options.now
    this.bytesEach = options.bytesEach
  }

  add(want: Want): void {
    this.wants.push(want)
    this.live++
    this.source.expectedBytes += this.bytesEach
    want.asks.push(this)
    want.askCount++
  }

  /** The next want was answered, whatever the answer. */
  answer(): Want {
    const want = this.wants[this.answered++]!
    this.source.expectedBytes -= this.bytesEach
    if (!want.done) {
      this.live--
      want.asks.splice(want.asks.indexOf(this), 1)
    }
    return want
  }

  /** One of the wants is done without us. A call nobody waits for ends. */
  drop(): void {
    this.live--
    if (this.live === 0) this.controller.abort()
  }

  /** Nothing more will come. Returns the wants that lost their ask. */
  end(): Want[] {
    const left: Want[] = []
    for (; this.answered < this.wants.length;) {
      const live = !this.wants[this.answered]!.done
      const want = this.answer()
      if (live) left.push(want)
    }
    return left
  }
}
