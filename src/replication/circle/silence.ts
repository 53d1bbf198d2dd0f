/**
 * How long each holder of a circle has been silent, and what that makes of it.
 *
 * Silence is counted in ticks of a clock that is not trusted: a machine that slept, was too busy to
 * listen, or had its clock set has not heard the others because of itself. Then everybody's silence
 * begins anew, and nobody who was there is declared gone for it; who is gone stays so until heard.
 */
import type { Clock, PeerId } from '../../peer/index.ts'
import type { Presence } from './circle.ts'
import { TICKS_LATE_MAX } from './circle-limits.ts'

export interface SilenceOptions {
  readonly absentMs: number
  readonly graceMs: number
  readonly tickMs: number
}

export interface SilenceComponents {
  readonly clock: Clock
  readonly changed: (holder: PeerId, presence: Presence) => void
}

interface Hearing {
  /** Since it was heard, in time that counts. */
  silentMs: number
  presence: Presence
}

export class Silence {
  readonly #components: SilenceComponents
  readonly #options: SilenceOptions
  #hearings = new Map<PeerId, Hearing>()
  #tickedMs: number
  #cancel: () => void

  constructor(components: SilenceComponents, options: SilenceOptions) {
    this.#components = components
    this.#options = options
    this.#tickedMs = components.clock.now()
    this.#cancel = this.#wait()
  }

  /** Counts these and no others from now on. Those who are new are present. */
  track(holders: Iterable<PeerId>): void {
    const hearings = new Map<PeerId, Hearing>()
    for (const holder of holders) {
      const known = this.#hearings.get(holder)
      hearings.set(holder, known ?? { silentMs: -this.#sinceTick(), presence: 'present' })
    }
    this.#hearings = hearings
  }

  /** The holder was heard so long ago. Whoever is not tracked is ignored. */
  heard(holder: PeerId, agoMs = 0): void {
    const hearing = this.#hearings.get(holder)
    if (hearing === undefined) return
    const silentMs = agoMs - this.#sinceTick()
    if (silentMs >= hearing.silentMs) return
    hearing.silentMs = silentMs
    this.#judge(holder, hearing)
  }

  presenceOf(holder: PeerId): Presence | undefined {
    return this.#hearings.get(holder)?.presence
  }

  /** Milliseconds; `Infinity` for who is not tracked. */
  silenceOf(holder: PeerId): number {
    const silentMs = this.#hearings.get(holder)?.silentMs ?? Infinity
    return Math.max(0, silentMs + this.#sinceTick())
  }

  close(): void {
    this.#cancel()
    this.#hearings.clear()
  }

  #wait(): () => void {
    return this.#components.clock.after(this.#options.tickMs, () => this.#tick())
  }

  #tick(): void {
    const nowMs = this.#components.clock.now()
    const passedMs = nowMs - this.#tickedMs
    this.#tickedMs = nowMs
    const isJump = passedMs < 0 || passedMs > TICKS_LATE_MAX * this.#options.tickMs
    this.#cancel = this.#wait()
    for (const [holder, hearing] of this.#hearings) {
      hearing.silentMs = isJump ? this.#begin(hearing) : hearing.silentMs + passedMs
      this.#judge(holder, hearing)
    }
  }

  /** What silence begins anew from: that which made the holder what it is. */
  #begin({ presence }: Hearing): number {
    const { absentMs, graceMs } = this.#options
    if (presence === 'present') return 0
    return presence === 'absent' ? absentMs : graceMs
  }

  #judge(holder: PeerId, hearing: Hearing): void {
    const { absentMs, graceMs } = this.#options
    const { silentMs } = hearing
    const presence = silentMs >= graceMs ? 'gone' : silentMs >= absentMs ? 'absent' : 'present'
    if (presence === hearing.presence) return
    hearing.presence = presence
    this.#components.changed(holder, presence)
  }

  /** Milliseconds since the last tick, as far as the clock can be believed. */
  #sinceTick(): number {
    const passedMs = this.#components.clock.now() - this.#tickedMs
    return Math.min(Math.max(0, passedMs), TICKS_LATE_MAX * this.#options.tickMs)
  }
}
