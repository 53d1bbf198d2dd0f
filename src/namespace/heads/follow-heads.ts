/**
 * Follows volumes at one peer: the subscribing half of `/warren/heads/1.0.0`.
 *
 * All volumes followed at a peer share as few calls as possible. A call that ends, for whatever
 * reason, is made again after a pause that grows, so a peer that is away or misbehaves costs
 * little, and one that returns is heard again.
 */
import type { CallOptions, Clock, Peer, PeerId } from '../../peer/index.ts'
import { isWarrenError } from '../../errors.ts'
import {
  HEADS_PROTOCOL,
  VOLUMES_PER_REQUEST_MAX,
  decodeRecords,
  encodeRequest
} from './head-messages.ts'
import type { VolumeId } from './head.ts'
import { SIGN_OF_LIFE_MS } from './serve-heads.ts'

/** Calls at one peer, each for `VOLUMES_PER_REQUEST_MAX` volumes: 4096 volumes. The rest are not followed there. */
export const FOLLOW_CALLS_MAX = 16

/** Three signs of life missed in a row. */
export const FOLLOW_SILENCE_MS: number = 3 * SIGN_OF_LIFE_MS

/** The first pause after a call ended. Each further one is twice as long. */
export const PAUSE_MS_MIN = 1_000

/** The longest pause: a peer that recovers is heard again within about a minute. */
export const PAUSE_MS_MAX = 60_000

export interface FollowComponents {
  readonly peer: Pick<Peer, 'call'>
  readonly clock: Clock
  /** From 0 up to 1: spreads the calls of many peers that lost the same one. */
  readonly random: () => number
  /**
   * Told of each record that arrives. Until it resolves no more are read, so a fast peer waits for
   * us. What it throws ends the call.
   */
  readonly learn: (record: Uint8Array, source: RecordSource) => Promise<void>
}

export interface RecordSource {
  readonly from: PeerId
  /** What was asked for: records of other volumes are a breach of the protocol. */
  readonly asked: ReadonlySet<VolumeId>
}

export class Subscription {
  readonly #from: PeerId
  readonly #components: FollowComponents
  #calls: FollowCall[] = []

  constructor(from: PeerId, components: FollowComponents) {
    this.#from = from
    this.#components = components
  }

  /**
   * Follows these volumes and no others from now on. Keeps the calls that are full of them, or
   * whose volumes are just what remains, and makes new ones for the rest.
   */
  follow(volumes: ReadonlySet<VolumeId>): void {
    const rest = new Set(volumes)
    const kept: FollowCall[] = []
    for (const call of this.#calls) {
      const { size } = call.asked
      const isWanted = [...call.asked].every(volume => rest.has(volume))
      const keeps = isWanted && (size === VOLUMES_PER_REQUEST_MAX || size === rest.size)
      if (!keeps) {
        call.stop()
        continue
      }
      kept.push(call)
      for (const volume of call.asked) rest.delete(volume)
    }
    this.#calls = kept
    this.#call([...rest])
  }

  /** The peer is there again: what waits in a pause need not wait. */
  retry(): void {
    for (const call of this.#calls) call.retry()
  }

  stop(): void {
    for (const call of this.#calls) call.stop()
    this.#calls = []
  }

  #call(volumes: readonly VolumeId[]): void {
    for (let start = 0; start < volumes.length; start += VOLUMES_PER_REQUEST_MAX) {
      if (this.#calls.length === FOLLOW_CALLS_MAX) return
      const asked = new Set(volumes.slice(start, start + VOLUMES_PER_REQUEST_MAX))
      this.#calls.push(new FollowCall({ from: this.#from, asked }, this.#components))
    }
  }
}

/** One list of volumes followed at one peer until it is stopped. */
class FollowCall {
  readonly asked: ReadonlySet<VolumeId>
  readonly #source: RecordSource
  readonly #components: FollowComponents
  readonly #stop = new AbortController()
  #endPause: (() => void) | undefined

  constructor(source: RecordSource, components: FollowComponents) {
    this.asked = source.asked
    this.#source = source
    this.#components = components
    void this.#run()
  }

  retry(): void {
    this.#endPause?.()
  }

  stop(): void {
    this.#stop.abort()
    this.#endPause?.()
  }

  async #run(): Promise<void> {
    const { clock } = this.#components
    const { signal } = this.#stop
    let pauseMs = PAUSE_MS_MIN
    while (!signal.aborted) {
      const startMs = clock.now()
      const isForeign = await this.#call()
      if (clock.now() - startMs > pauseMs) pauseMs = PAUSE_MS_MIN
      // One that does not speak the protocol will not learn it soon.
      if (isForeign) pauseMs = PAUSE_MS_MAX
      if (!signal.aborted) await this.#pause(pauseMs)
      pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)
    }
  }

  /** Resolves when the call has ended, to whether the peer does not speak the protocol. */
  async #call(): Promise<boolean> {
    const { peer, learn } = this.#components
    const { from, asked } = this.#source
    const request = encodeRequest({ kind: 'follow', volumes: [...asked] })
    const options: CallOptions = { signal: this.#stop.signal, silenceMs: FOLLOW_SILENCE_MS }
    try {
      for await (const { body } of peer.call(from, HEADS_PROTOCOL, request, options)) {
        for (const record of decodeRecords(body)) await learn(record, this.#source)
      }
      return false
    } catch (error) {
      return isWarrenError(error, 'ENOTSUP')
    }
  }

  async #pause(ms: number): Promise<void> {
    const { clock, random } = this.#components
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = clock.after(ms * (0.5 + random() / 2), resolve)
    this.#endPause = () => {
      cancel()
      resolve()
    }
    await promise
    this.#endPause = undefined
  }
}
