/** The answering half of `watch`: see `watch-messages.ts` for what is said. */
import { WarrenError } from '../../errors.ts'
import type { CallContext, Clock, OutgoingMessage, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { Bell } from './bell.ts'
import { TELL_BURST, TELL_GAP_MS, TELL_PER_SECOND } from './circle-limits.ts'
import { encodeWatchAnswer } from './watch-messages.ts'
import { Watcher } from './watcher.ts'
import type { ToldCircle } from './watcher.ts'

export interface WatchersComponents {
  readonly circle: ToldCircle
  readonly clock: Clock
  readonly random: () => number
  /** Aborted when the circle is closed: then every answer ends. */
  readonly stop: AbortSignal
}

export interface WatchersOptions {
  readonly signOfLifeMs: number
  readonly absentMs: number
}

interface Watching {
  readonly watcher: Watcher
  readonly bell: Bell
  readonly end: AbortController
}

export class Watchers {
  readonly #components: WatchersComponents
  readonly #options: WatchersOptions
  /** One a holder: it began a second watch because it lost the first. */
  readonly #watching = new Map<PeerId, Watching>()
  readonly #allowances: Allowances

  constructor(components: WatchersComponents, options: WatchersOptions) {
    this.#components = components
    this.#options = options
    this.#allowances = new Allowances(components.clock, {
      burst: TELL_BURST,
      perSecond: TELL_PER_SECOND
    })
  }

  get size(): number {
    return this.#watching.size
  }

  /** The list or our own report is another now. */
  changed(): void {
    for (const { bell } of this.#watching.values()) bell.ring()
  }

  /** A holder said something new, which those who do not hear it are to know. */
  said(holder: PeerId): void {
    for (const { watcher, bell } of this.#watching.values()) {
      if (watcher.said(holder)) bell.ring()
    }
  }

  /** Tells a listed holder what there is, until it is listed no more: then `EACCES`. */
  async *serve({ from, signal: callerSignal }: CallContext): AsyncGenerator<OutgoingMessage> {
    const { circle, clock, stop } = this.#components
    const watching = this.#add(from)
    const { watcher, bell, end } = watching
    const signal = AbortSignal.any([callerSignal, stop, end.signal])
    try {
      while (!signal.aborted) {
        yield { body: encodeWatchAnswer(watcher.next(clock.now())) }
        if (!circle.ring.has(from)) {
          throw new WarrenError('EACCES', { message: `${from} is no holder any more` })
        }
        while (!signal.aborted && !this.#allowances.take(from, 1))
          await bell.pause(TELL_GAP_MS, signal)
        await bell.wait(this.#options.signOfLifeMs, signal)
      }
    } finally {
      if (this.#watching.get(from) === watching) this.#watching.delete(from)
    }
  }

  #add(from: PeerId): Watching {
    const { circle, clock, random } = this.#components
    this.#watching.get(from)?.end.abort()
    const watching = {
      watcher: new Watcher(from, { circle, random, ...this.#options }),
      bell: new Bell(clock),
      end: new AbortController()
    }
    this.#watching.set(from, watching)
    return watching
  }
}
