/** The answering half of a line: tells one peer what is new in the volumes that it watches us in. */
import type { Clock, OutgoingMessage } from '../../peer/index.ts'
import { Bell } from './bell.ts'
import { TELL_GAP_MS } from './circle-limits.ts'
import { SIGN_OF_LIFE, encodeNews } from './watch-messages.ts'
import type { Telling } from './watchers.ts'

export interface ToldLineComponents {
  readonly clock: Clock
  readonly signOfLifeMs: number
}

export class ToldLine {
  readonly #clock: Clock
  readonly #signOfLifeMs: number
  readonly #bell: Bell
  readonly #end = new AbortController()
  readonly #tellings = new Map<number, Telling>()
  /** Those of which there may be news, the one that waits longest first. */
  readonly #due = new Set<number>()
  #signMs = -Infinity

  constructor({ clock, signOfLifeMs }: ToldLineComponents) {
    this.#clock = clock
    this.#signOfLifeMs = signOfLifeMs
    this.#bell = new Bell(clock)
  }

  /** Tells what there is until the line is closed or the caller leaves. */
  async *serve(callerSignal: AbortSignal): AsyncGenerator<OutgoingMessage> {
    const signal = AbortSignal.any([callerSignal, this.#end.signal])
    try {
      while (!signal.aborted) {
        const body = this.#next()
        if (body !== undefined) yield { body }
        else await this.#bell.wait(this.#waitMs(), signal)
      }
    } finally {
      this.#end.abort()
      for (const watch of this.#tellings.keys()) this.unwatch(watch)
    }
  }

  /** Tells of one more volume, once it is begun with what to call when there is news of it. */
  watch(watch: number, begin: (due: () => void) => Telling): void {
    if (this.#end.signal.aborted) return
    this.unwatch(watch)
    const due = (): void => {
      this.#due.add(watch)
      this.#bell.ring()
    }
    this.#tellings.set(watch, begin(due))
    due()
  }

  unwatch(watch: number): void {
    this.#tellings.get(watch)?.end()
    this.#tellings.delete(watch)
    this.#due.delete(watch)
  }

  close(): void {
    this.#end.abort()
  }

  /** The next message; undefined: there is none now. */
  #next(): unknown {
    const nowMs = this.#clock.now()
    if (Math.abs(nowMs - this.#signMs) >= this.#signOfLifeMs) {
      this.#signMs = nowMs
      for (const watch of this.#tellings.keys()) this.#due.add(watch)
      return SIGN_OF_LIFE
    }
    for (const watch of this.#due) {
      const news = this.#tellings.get(watch)?.next()
      if (news === undefined) continue
      this.#due.delete(watch)
      if (news.ended) this.unwatch(watch)
      if (Object.keys(news).length > 0) return encodeNews({ ...news, watch })
    }
    return undefined
  }

  #waitMs(): number {
    if (this.#due.size > 0) return TELL_GAP_MS
    const leftMs = this.#signMs + this.#signOfLifeMs - this.#clock.now()
    return Math.min(Math.max(leftMs, 0), this.#signOfLifeMs)
  }
}
