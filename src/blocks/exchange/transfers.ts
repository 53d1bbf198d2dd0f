/** Counts what goes to and comes from each peer, and tells about it now and then. */
import type { Clock, PeerId } from '../../peer/index.ts'
import { PROGRESS_MS, SOURCES_MAX } from './limits.ts'

/** What was exchanged with one peer since the exchange was created. */
export interface Transfer {
  readonly peer: PeerId
  readonly blocksIn: number
  readonly bytesIn: number
  readonly blocksOut: number
  readonly bytesOut: number
}

export interface Amount {
  readonly blocks: number
  readonly bytes: number
}

type Counters = { -readonly [Name in keyof Transfer]: Transfer[Name] }

export class Transfers {
  readonly #clock: Clock
  readonly #events: EventTarget
  readonly #counters = new Map<PeerId, Counters>()
  #toldAt = -Infinity

  /** Dispatches `transfer` events on `events`, `PROGRESS_MS` apart at least. */
  constructor(clock: Clock, events: EventTarget) {
    this.#clock = clock
    this.#events = events
  }

  received(peer: PeerId, { blocks, bytes }: Amount): void {
    const counters = this.#of(peer)
    counters.blocksIn += blocks
    counters.bytesIn += bytes
    this.#tell(counters)
  }

  sent(peer: PeerId, { blocks, bytes }: Amount): void {
    const counters = this.#of(peer)
    counters.blocksOut += blocks
    counters.bytesOut += bytes
    this.#tell(counters)
  }

  all(): Transfer[] {
    return Array.from(this.#counters.values(), counters => ({ ...counters }))
  }

  #of(peer: PeerId): Counters {
    let counters = this.#counters.get(peer)
    if (counters === undefined) {
      counters = { peer, blocksIn: 0, bytesIn: 0, blocksOut: 0, bytesOut: 0 }
      this.#counters.set(peer, counters)
      if (this.#counters.size > SOURCES_MAX) {
        this.#counters.delete(this.#counters.keys().next().value!)
      }
    }
    return counters
  }

  #tell(counters: Transfer): void {
    const now = this.#clock.now()
    if (now - this.#toldAt < PROGRESS_MS) return
    this.#toldAt = now
    this.#events.dispatchEvent(new CustomEvent<Transfer>('transfer', { detail: { ...counters } }))
  }
}
