/**
 * What is known about one peer as a source of blocks, over all sessions: how fast it is, and
 * whether it deserves to be asked.
 */
import { isWarrenError } from '../../errors.ts'
import type { PeerId } from '../../peer/index.ts'
import {
  ASKS_PER_SOURCE_MAX,
  BACKLOG_MS,
  LATENCY_MS_GUESS,
  MESSAGE_BYTES,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  SHUN_MS_MAX,
  SHUN_MS_MIN,
  SILENCE_MS_MAX,
  SOURCES_MAX,
  SPEED_GUESS,
  UNSUPPORTED_MS
} from './limits.ts'

/** How much the latest measurement counts against all before it. */
const LATEST_SHARE = 0.3

/** Shorter stretches say more about timers than about the source. */
const MEASURED_MS_MIN = 20

/** How many times longer than expected a source may take. */
const SILENCE_MARGIN = 2

/** A first message that takes longer than any distance on Earth accounts for. */
const SLOW_MS_MIN = 500

export class Source {
  readonly id: PeerId
  /** Calls under way. */
  asks = 0
  /** Bytes that the calls under way are expected to bring yet. */
  expectedBytes = 0
  /** It is silent although something is expected of it. */
  stalled = false
  /** When something was last heard of it, or the first of the calls under way began. */
  heardAt = 0
  /** When it last sent a good block. */
  deliveredAt: number = -Infinity
  /** When the first of the failures in a row was. */
  failingSince: number | undefined
  /** Why the latest call to it failed, if it did. */
  lastError: unknown
  #bytesPerMs: number | undefined
  #latencyMs: number | undefined
  #measuredBytes = 0
  #measuredMs = 0
  /** Nothing has arrived since it was idle: the next message measures latency, not speed. */
  #first = false
  #failures = 0
  #retryAt = 0
  #lies = 0
  #shunnedUntil = 0

  constructor(id: PeerId) {
    this.id = id
  }

  /** Something can be asked of it now. */
  isUsable(now: number): boolean {
    return now >= this.#shunnedUntil && now >= this.#retryAt
  }

  /** It has as much to do as makes sense; more would only wait there, and not elsewhere. */
  get isBusy(): boolean {
    if (this.asks >= ASKS_PER_SOURCE_MAX) return true
    return this.asks > 0 && this.expectedBytes > (this.#bytesPerMs ?? Infinity) * BACKLOG_MS
  }

  /** How long it may be silent before it counts as stalled: a slow one takes long over a message. */
  silenceMs(stallMs: number, messageBytes: number): number {
    if (this.#bytesPerMs === undefined) return stallMs
    const underWay = Math.min(this.asks * Math.max(messageBytes, MESSAGE_BYTES), this.expectedBytes)
    return stallMs + Math.min((SILENCE_MARGIN * underWay) / this.#bytesPerMs, SILENCE_MS_MAX)
  }

  /** It is out of question for a while, not merely for a moment. */
  isHopeless(now: number, patienceMs: number): boolean {
    if (now < this.#shunnedUntil) return true
    return this.failingSince !== undefined && now - this.failingSince >= patienceMs
  }

  /** How long until it will have delivered what it was asked for and `bytes` more. */
  finishMs(bytes: number): number {
    const speed = this.#bytesPerMs ?? SPEED_GUESS / 1000
    return (this.#latencyMs ?? LATENCY_MS_GUESS) + (this.expectedBytes + bytes) / speed
  }

  /** A call to it begins. */
  began(now: number): void {
    if (this.asks === 0) {
      this.heardAt = now
      this.#first = true
    }
    this.asks++
  }

  /** Something good arrived, of this many bytes. */
  heard(bytes: number, now: number): void {
    const elapsedMs = now - this.heardAt
    this.heardAt = now
    this.stalled = false
    if (now >= this.#shunnedUntil) this.connected()
    if (this.#first) {
      this.#first = false
      this.#latencyMs = blend(this.#latencyMs, elapsedMs)
      // On a slow link it is not the distance that makes a first message late, but its size.
      if (elapsedMs >= SLOW_MS_MIN) this.#bytesPerMs ??= Math.max(bytes / elapsedMs, 1)
      return
    }
    this.#measuredBytes += bytes
    this.#measuredMs += elapsedMs
    if (this.#measuredMs < MEASURED_MS_MIN) return
    this.#bytesPerMs = blend(this.#bytesPerMs, Math.max(this.#measuredBytes / this.#measuredMs, 1))
    this.#measuredBytes = 0
    this.#measuredMs = 0
  }

  ended(): void {
    this.asks--
    if (this.asks === 0) this.stalled = false
  }

  /** A call to it ended with this error. */
  failed(error: unknown, now: number): void {
    this.lastError = error
    if (isWarrenError(error, 'EPROTO') || isWarrenError(error, 'EBADMSG')) {
      this.#shunnedUntil = now + Math.min(SHUN_MS_MIN * 2 ** this.#lies++, SHUN_MS_MAX)
    } else if (isWarrenError(error, 'ENOTSUP')) {
      this.#shunnedUntil = now + UNSUPPORTED_MS
    } else {
      this.failingSince ??= now
      this.#retryAt = now + Math.min(RETRY_MS_MIN * 2 ** this.#failures++, RETRY_MS_MAX)
    }
  }

  /** It is there again, so that what failed before may work now; lies are not forgiven. */
  connected(): void {
    this.failingSince = undefined
    this.lastError = undefined
    this.#failures = 0
    this.#retryAt = 0
  }
}

/** Every source that was ever used, up to a limit. */
export class Sources {
  readonly #sources = new Map<PeerId, Source>()

  of(id: PeerId): Source {
    let source = this.#sources.get(id)
    if (source === undefined) {
      source = new Source(id)
      this.#sources.set(id, source)
      if (this.#sources.size > SOURCES_MAX) this.#forgetOne()
    }
    return source
  }

  connected(id: PeerId): void {
    this.#sources.get(id)?.connected()
  }

  #forgetOne(): void {
    for (const [id, source] of this.#sources) {
      if (source.asks > 0) continue
      this.#sources.delete(id)
      return
    }
  }
}

function blend(before: number | undefined, latest: number): number {
  return before === undefined ? latest : before + LATEST_SHARE * (latest - before)
}
