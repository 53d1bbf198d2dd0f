/**
 * The asking half of `watch`: listens to one holder until it is stopped. A call that ends, for
 * whatever reason, is made again after a pause that grows, so a holder that is away or misbehaves
 * costs little, and one that returns is heard again.
 */
import { isWarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { REPLICAS_PROTOCOL } from '../replicas-protocol.ts'
import { Bell } from './bell.ts'
import {
  HEAR_BURST,
  HEAR_GAP_MS,
  HEAR_PER_SECOND,
  SIGNS_MISSED_MAX,
  WATCH_PAUSE_MS_MAX,
  WATCH_PAUSE_MS_MIN,
  WATCH_WINDOW_BYTES
} from './circle-limits.ts'
import { decodeWatchAnswer, encodeWatchRequest } from './watch-messages.ts'
import type { WatchAnswer } from './watch-messages.ts'
import type { WatchSlots } from './watch-slots.ts'

export interface WatchComponents {
  readonly peer: Pick<Peer, 'call' | 'addresses'>
  readonly clock: Clock
  /** From 0 up to 1: spreads the calls of many holders that lost the same one. */
  readonly random: () => number
  readonly slots: WatchSlots
  readonly volume: VolumeId
  readonly signOfLifeMs: number
  /** The newest list we know. */
  readonly list: () => HolderList | undefined
  /** Told of each message. Until it resolves no more are read. What it throws ends the call. */
  readonly hear: (from: PeerId, answer: WatchAnswer) => Promise<void>
}

export class Watch {
  readonly #to: PeerId
  readonly #components: WatchComponents
  readonly #stop = new AbortController()
  readonly #bell: Bell
  readonly #allowances: Allowances
  readonly #ended: Promise<void>
  #pauseMs = WATCH_PAUSE_MS_MIN
  /** What the holder said last was no message of ours. */
  #isForeign = false
  /** The holder refused us, and may not know the list that names us. */
  #showsList = false

  constructor(to: PeerId, components: WatchComponents) {
    this.#to = to
    this.#components = components
    this.#bell = new Bell(components.clock)
    this.#allowances = new Allowances(components.clock, {
      burst: HEAR_BURST,
      perSecond: HEAR_PER_SECOND
    })
    this.#ended = this.#run()
  }

  /** The holder is there again, or may think otherwise of us: what waits in a pause need not wait. */
  retry(): void {
    // Two who do not understand each other would else call each other without end.
    if (this.#isForeign) return
    this.#pauseMs = WATCH_PAUSE_MS_MIN
    this.#bell.ring()
  }

  /** Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#components
    const { signal } = this.#stop
    while (!signal.aborted) {
      const startMs = clock.now()
      const repeats = await this.#call()
      if (repeats || signal.aborted) continue
      if (clock.now() - startMs > this.#pauseMs) this.#pauseMs = WATCH_PAUSE_MS_MIN
      const pauseMs = this.#pauseMs
      this.#pauseMs = Math.min(2 * pauseMs, WATCH_PAUSE_MS_MAX)
      await this.#bell.wait(pauseMs * (0.5 + random() / 2), signal)
    }
  }

  /** Resolves when the call has ended, to whether it is to be made again at once. */
  async #call(): Promise<boolean> {
    const { slots, list } = this.#components
    if (!slots.take(this.#to)) return false
    const shown = this.#showsList ? list() : undefined
    this.#showsList = false
    try {
      await this.#listen(shown)
      this.#isForeign = false
      return false
    } catch (error) {
      this.#isForeign = isWarrenError(error, 'EPROTO')
      // One that does not speak the protocol will not learn it soon.
      if (isWarrenError(error, 'ENOTSUP')) this.#pauseMs = WATCH_PAUSE_MS_MAX
      this.#showsList = isWarrenError(error, 'EACCES')
      return this.#showsList && shown === undefined && list() !== undefined
    } finally {
      slots.free(this.#to)
    }
  }

  async #listen(shown: HolderList | undefined): Promise<void> {
    const { peer, volume, signOfLifeMs, hear } = this.#components
    const { signal } = this.#stop
    const addresses = peer.addresses()
    const request = { body: encodeWatchRequest({ volume, addresses, list: shown?.bytes }) }
    const options = {
      signal,
      silenceMs: SIGNS_MISSED_MAX * signOfLifeMs,
      windowBytes: WATCH_WINDOW_BYTES
    }
    for await (const { body } of peer.call(this.#to, REPLICAS_PROTOCOL, request, options)) {
      await hear(this.#to, decodeWatchAnswer(body, volume))
      while (!signal.aborted && !this.#allowances.take(this.#to, 1))
        await this.#bell.pause(HEAR_GAP_MS, signal)
    }
  }
}
