/**
 * One holder that is watched in one volume, until it is stopped: asks it to tell us on the line to
 * it, and asks again, after a pause that grows, when it refuses or ends that.
 */
import { isWarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { Line } from './line.ts'
import type { Lines } from './lines.ts'
import { Pauses } from './pauses.ts'
import type { WatchNews } from './watch-messages.ts'

export interface WatchComponents {
  readonly peer: Pick<Peer, 'addresses'>
  readonly clock: Clock
  readonly random: () => number
  readonly lines: Pick<Lines, 'join' | 'leave'>
  readonly volume: VolumeId
  /** The newest list we know. */
  readonly list: () => HolderList | undefined
  /** Told of each message. Until it resolves no more are read. What it throws ends the watch. */
  readonly hear: (from: PeerId, news: WatchNews) => Promise<void>
}

export class Watch {
  readonly #to: PeerId
  readonly #components: WatchComponents
  readonly #stop = new AbortController()
  readonly #pauses: Pauses
  readonly #line: Line
  readonly #ended: Promise<void>
  /** The holder refused us, and may not know the list that names us. */
  #showsList = false

  constructor(to: PeerId, components: WatchComponents) {
    this.#to = to
    this.#components = components
    this.#pauses = new Pauses(components)
    this.#line = components.lines.join(to)
    this.#ended = this.#run()
  }

  /** The holder is there again, or may think otherwise of us: what waits in a pause need not wait. */
  retry(): void {
    this.#line.retry()
    this.#pauses.retry()
  }

  /** Resolves when nothing of it is left but the line, if others need it. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { clock, lines } = this.#components
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#line.opened(signal).catch(() => {})
      if (signal.aborted) break
      const startMs = clock.now()
      const { error, repeats } = await this.#attempt()
      if (!repeats && !signal.aborted) await this.#pauses.wait(startMs, error, signal)
    }
    lines.leave(this.#to)
  }

  /** Resolves when nothing is told any more, to why, and whether to ask again at once. */
  async #attempt(): Promise<{ readonly error?: unknown; readonly repeats: boolean }> {
    const { list } = this.#components
    const shown = this.#showsList ? list() : undefined
    this.#showsList = false
    try {
      await this.#listen(shown)
      return { repeats: false }
    } catch (error) {
      this.#showsList = isWarrenError(error, 'EACCES')
      return { error, repeats: this.#showsList && shown === undefined && list() !== undefined }
    }
  }

  async #listen(shown: HolderList | undefined): Promise<void> {
    const { peer, volume, hear } = this.#components
    const request = { volume, addresses: peer.addresses(), list: shown?.bytes }
    await this.#line.watch(request, news => hear(this.#to, news), this.#stop.signal)
  }
}
