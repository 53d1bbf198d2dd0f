/** Who watches us in one circle, and what each of them was told. */
import type { Clock, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { TELL_BURST, TELL_PER_SECOND } from './circle-limits.ts'
import type { WatchNews } from './watch-messages.ts'
import { Watcher } from './watcher.ts'
import type { ToldCircle, WatcherOptions } from './watcher.ts'

export interface WatchersComponents {
  readonly circle: ToldCircle
  readonly clock: Clock
  readonly random: () => number
}

/** What the line to a peer that watches us tells of this circle. */
export interface Telling {
  /** What changed since this was asked before; undefined: it was told so much that it has to wait. */
  next(): WatchNews | undefined
  /** It watches no more. */
  end(): void
}

interface Watching {
  readonly watcher: Watcher
  readonly due: () => void
}

export class Watchers {
  readonly #components: WatchersComponents
  readonly #options: WatcherOptions
  /** One a holder: it began a second watch because it lost the first. */
  readonly #watching = new Map<PeerId, Watching>()
  readonly #allowances: Allowances

  constructor(components: WatchersComponents, options: WatcherOptions) {
    this.#components = components
    this.#options = options
    this.#allowances = new Allowances(components.clock, {
      burst: TELL_BURST,
      perSecond: TELL_PER_SECOND
    })
  }

  /** A listed holder watches us until it is listed no more. `due` is called when there is news. */
  add(from: PeerId, due: () => void): Telling {
    const { circle, random } = this.#components
    const watcher = new Watcher(from, { circle, random, ...this.#options })
    const watching = { watcher, due }
    const before = this.#watching.get(from)
    this.#watching.set(from, watching)
    before?.due()
    return {
      next: () => this.#next(from, watching),
      end: () => this.#remove(from, watching)
    }
  }

  /** The list or our own report is another now. */
  changed(): void {
    for (const { due } of this.#watching.values()) due()
  }

  /** A holder said something new, which those who do not hear it are to know. */
  said(holder: PeerId): void {
    for (const { watcher, due } of this.#watching.values()) if (watcher.said(holder)) due()
  }

  /** Everybody is told that this was all. */
  close(): void {
    const all = [...this.#watching.values()]
    this.#watching.clear()
    for (const { due } of all) due()
  }

  #next(from: PeerId, watching: Watching): WatchNews | undefined {
    const { circle, clock } = this.#components
    if (this.#watching.get(from) !== watching) return { ended: true }
    if (!this.#allowances.take(from, 1)) return undefined
    const news = watching.watcher.next(clock.now())
    if (circle.ring.has(from)) return news
    this.#remove(from, watching)
    // The list that names it no more is the last thing it is told.
    return { ...(news.list && { list: news.list }), ended: true }
  }

  #remove(from: PeerId, watching: Watching): void {
    if (this.#watching.get(from) === watching) this.#watching.delete(from)
  }
}
