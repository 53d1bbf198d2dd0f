/**
 * Which source to ask for a want: of those that may have it, the one that will have delivered
 * first, given what it was asked for already. So work is shared in proportion to speed.
 *
 * Sources that were named, and those that have delivered in this session, come before other
 * connected peers; silent ones come last.
 */
import type { BlockId } from '../block-id.ts'
import { WarrenError } from '../../errors.ts'
import type { Peer, PeerId } from '../../peer/index.ts'
import type { Want } from './ask.ts'
import type { Lacks } from './lacks.ts'
import { OTHER_SOURCES_MAX, PROVEN_SOURCES_MAX } from './limits.ts'
import type { Source, Sources } from './source.ts'

export interface SourceChoiceComponents {
  readonly peer: Pick<Peer, 'id' | 'connected'>
  readonly sources: Sources
  readonly lacks: Lacks
  /** The sources that were named. */
  readonly hints: () => Iterable<PeerId>
}

export class SourceChoice {
  readonly #components: SourceChoiceComponents
  /** Not named, but they have delivered. */
  readonly #proven = new Set<PeerId>()
  #now = 0
  #first: Source[] = []
  #others: Source[] = []

  constructor(components: SourceChoiceComponents) {
    this.#components = components
  }

  /** Looks again at who is there. The answers of all other methods are of this moment. */
  refresh(now: number): void {
    const { peer, sources, hints } = this.#components
    this.#now = now
    const first = new Set(hints())
    for (const id of this.#proven) first.add(id)
    first.delete(peer.id)
    this.#first = Array.from(first, id => sources.of(id))
    this.#others = []
    for (const id of peer.connected()) {
      if (first.has(id) || id === peer.id) continue
      this.#others.push(sources.of(id))
      if (this.#others.length >= OTHER_SOURCES_MAX) break
    }
  }

  delivered(source: PeerId): void {
    if (this.#proven.has(source)) return
    this.#proven.add(source)
    const [oldest] = this.#proven
    if (this.#proven.size > PROVEN_SOURCES_MAX) this.#proven.delete(oldest!)
  }

  /** `undefined`: nobody now. */
  choose(want: Want, bytes: number): Source | undefined {
    let stalled: Source | undefined
    for (const tier of [this.#first, this.#others]) {
      let best: Source | undefined
      let bestMs = Infinity
      let someBusy = false
      for (const source of tier) {
        if (!this.mayAsk(source, want)) continue
        if (source.stalled) stalled ??= source
        else if (source.isBusy) someBusy = true
        else {
          const finishMs = source.finishMs(bytes)
          if (finishMs >= bestMs) continue
          best = source
          bestMs = finishMs
        }
      }
      if (best !== undefined || someBusy) return best
    }
    return want.asks.length === 0 && stalled?.isBusy === false ? stalled : undefined
  }

  /** Whether it makes sense to ask this source for this want, busy or not. */
  mayAsk(source: Source, want: Want): boolean {
    if (!source.isUsable(this.#now)) return false
    for (const ask of want.asks) if (ask.source === source) return false
    return !this.#components.lacks.has(source.id, want.id, this.#now)
  }

  /** Sources worth a second try that have nothing to do. */
  idle(): Source[] {
    return this.#first.filter(source => {
      return source.asks === 0 && !source.stalled && source.isUsable(this.#now)
    })
  }

  /** Every source there is has said no, or is out of question. False when there is no source. */
  isHopeless(id: BlockId, patienceMs: number): boolean {
    const { lacks } = this.#components
    const sources = this.#all()
    if (sources.length === 0) return false
    return sources.every(source => {
      return source.isHopeless(this.#now, patienceMs) || lacks.has(source.id, id, this.#now)
    })
  }

  /** The error for a block that cannot be had, with who was asked and what came of it. */
  unreachable(want: Want, why: string): WarrenError {
    const { lacks } = this.#components
    const sources = this.#all()
    const lacking = sources.filter(({ id }) => lacks.has(id, want.id, this.#now)).length
    const failed = sources.filter(({ lastError }) => lastError !== undefined)
    const cause = failed[0]?.lastError
    return new WarrenError('EHOSTUNREACH', {
      message:
        `block ${want.id}: ${why}; asked ${want.askCount} times, ${sources.length} peers known, ` +
        `${lacking} do not have it, ${failed.length} failed`,
      ...(cause === undefined ? {} : { cause })
    })
  }

  #all(): Source[] {
    return [...this.#first, ...this.#others]
  }
}
