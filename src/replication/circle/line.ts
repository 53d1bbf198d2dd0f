/**
 * The asking half of `listen`, `watch` and `unwatch`: the line on which a peer tells us what is new
 * in all volumes that we watch it in. It is kept up until it is closed.
 */
import type { VolumeId } from '../../namespace/index.ts'
import { abortable } from '../../peer/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { pause } from '../pause.ts'
import { REPLICAS_PROTOCOL } from '../replicas-protocol.ts'
import {
  HEAR_BURST,
  HEAR_GAP_MS,
  HEAR_PER_SECOND,
  SIGNS_MISSED_MAX,
  WATCH_WINDOW_BYTES
} from './circle-limits.ts'
import { refuse } from './message-parts.ts'
import { Pauses } from './pauses.ts'
import {
  decodeNews,
  decodeWatchAnswer,
  encodeListenRequest,
  encodeUnwatchRequest,
  encodeWatchRequest
} from './watch-messages.ts'
import type { WatchNews, WatchRequest } from './watch-messages.ts'

export interface LineComponents {
  readonly peer: Pick<Peer, 'call'>
  readonly clock: Clock
  readonly random: () => number
  readonly signOfLifeMs: number
}

/** Told of each message. Until it resolves no more are read. What it throws ends the watch. */
export type Hear = (news: WatchNews) => Promise<void>

interface Watched {
  readonly volume: VolumeId
  readonly hear: Hear
  readonly ended: PromiseWithResolvers<void>
  /** The peer has let us in. */
  isTold: boolean
}

export class Line {
  readonly #to: PeerId
  readonly #components: LineComponents
  readonly #stop = new AbortController()
  readonly #pauses: Pauses
  readonly #allowances: Allowances
  readonly #ended: Promise<void>
  readonly #watched = new Map<number, Watched>()
  #lastWatch = 0
  #opening: PromiseWithResolvers<void> | undefined = Promise.withResolvers()

  constructor(to: PeerId, components: LineComponents) {
    const { clock } = components
    this.#to = to
    this.#components = components
    this.#pauses = new Pauses(components)
    this.#allowances = new Allowances(clock, { burst: HEAR_BURST, perSecond: HEAR_PER_SECOND })
    this.#ended = this.#run()
  }

  /** The peer is there: if the line waits in a pause, it need not. */
  retry(): void {
    this.#pauses.retry()
  }

  /** Resolves once the peer is heard, however long that takes. */
  async opened(signal: AbortSignal): Promise<void> {
    while (this.#opening !== undefined) await abortable(this.#opening.promise, signal)
  }

  /**
   * Listens to what is new in a volume until the peer ends it. Rejects with what it refuses us with,
   * what `hear` throws, what ended the line, or the signal's reason.
   */
  async watch(
    request: Omit<WatchRequest, 'watch'>,
    hear: Hear,
    signal: AbortSignal
  ): Promise<void> {
    const watch = ++this.#lastWatch
    const ended = Promise.withResolvers<void>()
    ended.promise.catch(() => {})
    const watched = { volume: request.volume, hear, ended, isTold: false }
    this.#watched.set(watch, watched)
    try {
      await this.#ask({ ...request, watch }, hear, signal)
      watched.isTold = true
      await abortable(ended.promise, signal)
    } finally {
      if (this.#watched.delete(watch)) void this.#unwatch(watch)
    }
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  /** Resolves when we are let in. What comes with a refusal is heard too. */
  async #ask(request: WatchRequest, hear: Hear, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const options = { signal: stop, windowBytes: WATCH_WINDOW_BYTES }
    let answers = 0
    for await (const { body } of this.#call(encodeWatchRequest(request), options)) {
      if (answers++ > 0) refuse('a second answer to one question')
      await hear(decodeWatchAnswer(body))
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const startMs = this.#components.clock.now()
      const error = await this.#listen().catch((reason: unknown) => reason)
      this.#opening ??= Promise.withResolvers()
      for (const { ended } of this.#watched.values()) ended.reject(error)
      this.#watched.clear()
      if (!signal.aborted) await this.#pauses.wait(startMs, error, signal)
    }
  }

  async #listen(): Promise<void> {
    const { clock, signOfLifeMs } = this.#components
    const { signal } = this.#stop
    const options = {
      signal,
      silenceMs: SIGNS_MISSED_MAX * signOfLifeMs,
      windowBytes: WATCH_WINDOW_BYTES
    }
    for await (const { body } of this.#call(encodeListenRequest(), options)) {
      this.#opening?.resolve()
      this.#opening = undefined
      await this.#hear(body)
      while (!signal.aborted && !this.#allowances.take(this.#to, 1))
        await pause(clock, HEAR_GAP_MS, signal)
    }
  }

  async #hear(body: unknown): Promise<void> {
    const news = decodeNews(body, watch => this.#watched.get(watch)?.volume)
    if (news === undefined) return await this.#hearSign()
    const watched = this.#watched.get(news.watch)
    if (watched !== undefined) await tell(watched, news)
    if (!news.ended) return
    this.#watched.delete(news.watch)
    watched?.ended.resolve()
  }

  /** A sign of life counts in each of the volumes, unless we are refused there. */
  async #hearSign(): Promise<void> {
    const told = [...this.#watched.values()].filter(({ isTold }) => isTold)
    await Promise.all(told.map(watched => tell(watched, {})))
  }

  /** Nobody waits for it: what comes all the same is ignored. */
  async #unwatch(watch: number): Promise<void> {
    if (this.#opening !== undefined) return
    const { signal } = this.#stop
    try {
      for await (const _ of this.#call(encodeUnwatchRequest(watch), { signal })) break
    } catch {
      // Then the line is lost too, or will be.
    }
  }

  #call(body: unknown, options: Parameters<Peer['call']>[3]): ReturnType<Peer['call']> {
    return this.#components.peer.call(this.#to, REPLICAS_PROTOCOL, { body }, options)
  }
}

async function tell({ hear, ended }: Watched, news: WatchNews): Promise<void> {
  try {
    await hear(news)
  } catch (error) {
    ended.reject(error)
  }
}
