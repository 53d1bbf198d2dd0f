/** Keeps connections: dials a kept peer again and again, with growing pauses, while it is away. */
import type { Clock } from './clock.ts'
import { REDIAL_MS_MAX, REDIAL_MS_MIN } from './limits.ts'
import type { PeerId } from './peer.ts'

export interface RedialComponents {
  readonly clock: Clock
  /** From 0 up to 1: spreads the dials of many peers that lost the same one. */
  readonly random: () => number
  readonly dial: (peer: PeerId) => Promise<unknown>
  readonly isConnected: (peer: PeerId) => boolean
}

interface Attempt {
  failures: number
  cancel: () => void
}

export class Redial {
  readonly #components: RedialComponents
  readonly #kept = new Map<PeerId, Attempt>()
  #running = false

  constructor(components: RedialComponents) {
    this.#components = components
  }

  start(): void {
    this.#running = true
    for (const peer of this.#kept.keys()) this.#dial(peer)
  }

  stop(): void {
    this.#running = false
    for (const attempt of this.#kept.values()) attempt.cancel()
  }

  keep(peer: PeerId): void {
    if (this.#kept.has(peer)) return
    this.#kept.set(peer, { failures: 0, cancel: () => {} })
    if (this.#running) this.#dial(peer)
  }

  release(peer: PeerId): void {
    this.#kept.get(peer)?.cancel()
    this.#kept.delete(peer)
  }

  /** The last connection to a peer has gone. */
  disconnected(peer: PeerId): void {
    const attempt = this.#kept.get(peer)
    if (attempt === undefined || !this.#running) return
    attempt.failures = 0
    this.#pause(peer, attempt)
  }

  #dial(peer: PeerId): void {
    const attempt = this.#kept.get(peer)
    if (attempt === undefined || !this.#running || this.#components.isConnected(peer)) return
    attempt.cancel()
    this.#components.dial(peer).then(
      () => (attempt.failures = 0),
      () => {
        if (this.#kept.get(peer) !== attempt || !this.#running) return
        attempt.failures++
        this.#pause(peer, attempt)
      }
    )
  }

  #pause(peer: PeerId, attempt: Attempt): void {
    attempt.cancel()
    const { clock, random } = this.#components
    attempt.cancel = clock.after(pauseMs(attempt.failures, random()), () => this.#dial(peer))
  }
}

/** One second, doubled by each failure up to a minute, and of that a random half to whole. */
function pauseMs(failures: number, random: number): number {
  const pause = Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** Math.min(failures, 16))
  return pause * (0.5 + random / 2)
}
