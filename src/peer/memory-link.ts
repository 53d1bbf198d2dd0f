/** A link between two peers of the memory network: what it costs to cross it, and its faults. */
import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'
import type { Carry } from './memory-wire.ts'

export interface LinkShape {
  /** One way. Default 0: delivered at once. */
  readonly delayMs?: number
  /** Up to this much is added to the delay, at random; order is kept. Default 0. */
  readonly jitterMs?: number
  /** Each way. Default no limit. */
  readonly bytesPerSecond?: number
}

/** `cut` resets connections and refuses dials; `mute` lets nothing through and tells nobody. */
export type LinkState = 'up' | 'cut' | 'mute'

export interface LinkComponents {
  readonly clock: Clock
  readonly random: () => number
}

export class MemoryLink {
  shape: LinkShape
  state: LinkState = 'up'
  /** Bytes carried, both ways together. */
  bytes = 0
  readonly there: Lane
  readonly back: Lane

  constructor(components: LinkComponents, shape: LinkShape) {
    this.shape = shape
    this.there = new Lane(components, this)
    this.back = new Lane(components, this)
  }

  /** The state has changed: what a mute link held back goes on, what a cut one held is lost. */
  changed(): void {
    for (const lane of [this.there, this.back]) {
      if (this.state === 'cut') lane.clear()
      else lane.advance()
    }
  }
}

/** One direction. */
class Lane {
  readonly #components: LinkComponents
  readonly #link: MemoryLink
  readonly #queue = new Fifo<() => void>()
  readonly #dueTimes = new Fifo<number>()
  #nextDue: number | undefined
  #lastDue = 0
  #cancelTimer: (() => void) | undefined

  constructor(components: LinkComponents, link: MemoryLink) {
    this.#components = components
    this.#link = link
  }

  readonly carry: Carry = (bytes, deliver) => {
    this.#link.bytes += bytes
    this.#queue.push(deliver)
    this.#dueTimes.push(this.#due(bytes))
    this.advance()
  }

  clear(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#queue.clear()
    this.#dueTimes.clear()
    this.#nextDue = undefined
  }

  /** Delivers what is due and sets a timer for what is not. */
  advance(): void {
    while (this.#link.state === 'up') {
      this.#nextDue ??= this.#dueTimes.shift()
      if (this.#nextDue === undefined) return
      const wait = this.#nextDue - this.#components.clock.now()
      if (wait > 0) {
        this.#wait(wait)
        return
      }
      this.#nextDue = undefined
      this.#queue.shift()?.()
    }
  }

  #wait(ms: number): void {
    this.#cancelTimer ??= this.#components.clock.after(ms, () => {
      this.#cancelTimer = undefined
      this.advance()
    })
  }

  #due(bytes: number): number {
    const { delayMs = 0, jitterMs = 0, bytesPerSecond = Infinity } = this.#link.shape
    const { clock, random } = this.#components
    const jitter = jitterMs === 0 ? 0 : jitterMs * random()
    const start = Math.max(clock.now() + delayMs + jitter, this.#lastDue)
    this.#lastDue = start + (bytes * 1000) / bytesPerSecond
    return this.#lastDue
  }
}
