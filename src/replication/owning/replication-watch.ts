/**
 * Whether the own volume has as many copies as it should, by what holders say of themselves and
 * without looking at a block; and how fast what is missing gets less.
 */
import type { LocalVolume } from '../../namespace/index.ts'
import type { Clock, PeerId } from '../../peer/index.ts'
import type { HolderListFields } from '../holders/holder-list.ts'
import { SHARE_ALL, isSameShares, shareOf, sharesOf } from '../holders/shares.ts'
import type { OwnedVolume } from './owned-volume.ts'

/** How far back the rate is measured, in milliseconds. */
const RATE_MS = 60_000

/** What one holder said in that time; it says so once a second at most. */
const SAMPLES_MAX = 128

export interface ReplicationWatchComponents {
  readonly self: PeerId
  readonly clock: Clock
  readonly own: Pick<LocalVolume, 'head'>
  readonly owned: OwnedVolume
  readonly on: {
    readonly underReplicated: (holders: number) => void
    readonly replicated: (version: number) => void
    readonly full: (peer: PeerId) => void
  }
}

interface Sample {
  readonly atMs: number
  readonly missing: number
}

export class ReplicationWatch {
  readonly #components: ReplicationWatchComponents
  readonly #samples = new Map<PeerId, Sample[]>()
  readonly #full = new Set<PeerId>()
  /** Of the last version that had all its copies. */
  #replicated = -1
  #isUnder = false
  /** Somebody went, or wants more copies: until all is whole again. */
  #isShort = false

  constructor(components: ReplicationWatchComponents) {
    this.#components = components
    const { events } = components.owned.circle
    events.addEventListener('list', this.#onList)
    events.addEventListener('report', this.#onReport)
    events.addEventListener('presence', this.#onPresence)
  }

  close(): void {
    const { events } = this.#components.owned.circle
    events.removeEventListener('list', this.#onList)
    events.removeEventListener('report', this.#onReport)
    events.removeEventListener('presence', this.#onPresence)
  }

  /** There is a new version. */
  committed(): void {
    this.#look()
  }

  /** What holders still have to get, and when they will have it. */
  repairing(): { readonly blocks: number; readonly estimatedMs?: number } {
    const { circle } = this.#components.owned
    let [blocks, estimatedMs, isMoving] = [0, 0, false]
    for (const peer of this.#others()) {
      const missing = circle.reportOf(peer)?.missingBlocks ?? 0
      blocks += missing
      const rate = this.#rateOf(peer)
      if (missing === 0 || rate <= 0) continue
      isMoving = true
      estimatedMs = Math.max(estimatedMs, missing / rate)
    }
    return { blocks, ...(isMoving && { estimatedMs: Math.ceil(estimatedMs) }) }
  }

  /** Blocks a millisecond. */
  #rateOf(peer: PeerId): number {
    const samples = this.#samples.get(peer) ?? []
    const now = this.#components.clock.now()
    const recent = samples.filter(({ atMs }) => now - atMs <= RATE_MS)
    let got = 0
    for (const [index, { missing }] of recent.entries()) {
      // More than before is a new version, and not blocks that were lost again.
      if (index > 0) got += Math.max(0, recent[index - 1]!.missing - missing)
    }
    const [first] = recent
    const last = recent.at(-1)
    return first === last ? 0 : got / Math.max(1, last!.atMs - first!.atMs)
  }

  readonly #onList = (): void => {
    const { list } = this.#components.owned
    const listed = new Set(list.now.holders.map(({ peer }) => peer))
    for (const peer of this.#samples.keys()) if (!listed.has(peer)) this.#samples.delete(peer)
    for (const peer of this.#full) if (!listed.has(peer)) this.#full.delete(peer)
    this.#replicated = -1
    this.#look()
  }

  readonly #onReport = ({ detail: peer }: CustomEvent<PeerId>): void => {
    const { self, clock, owned, on } = this.#components
    const report = owned.circle.reportOf(peer)
    if (report !== undefined && peer !== self) {
      const samples = this.#samples.get(peer) ?? []
      samples.push({ atMs: clock.now(), missing: report.missingBlocks })
      if (samples.length > SAMPLES_MAX) samples.shift()
      this.#samples.set(peer, samples)
      const isFull = report.progress === 'full' || report.share < SHARE_ALL
      if (!isFull) this.#full.delete(peer)
      else if (!this.#full.has(peer)) {
        this.#full.add(peer)
        on.full(peer)
      }
    }
    this.#look()
  }

  readonly #onPresence = ({
    detail: { presence }
  }: CustomEvent<{ readonly holder: PeerId; readonly presence: string }>): void => {
    if (presence === 'gone') this.#isShort = true
    if (presence !== 'absent') this.#replicated = -1
    this.#look()
  }

  #look(): void {
    const { own, owned, on } = this.#components
    const version = own.head?.sequence
    const list = owned.list.now
    if (version === undefined || list.holders.length === 0) return
    const { circle } = owned
    const holders = circle.counted().filter(({ state }) => state === 'active')
    const active = holders.length
    // What others do not take the rest has to have; by reports alone nobody can tell more.
    const taking = holders.filter(holder => shareOf(holder) === SHARE_ALL).length
    const isTooFew = taking < copiesWanted(list)
    const shares = sharesOf(circle.counted())
    const counted = new Set(circle.counted().map(({ peer }) => peer))
    const gone = list.holders.map(({ peer }) => peer).filter(peer => !counted.has(peer))
    const isWhole =
      !isTooFew &&
      this.#others().every(peer => {
        const report = circle.reportOf(peer)
        return (
          report !== undefined &&
          report.holds >= version &&
          report.listSequence >= list.sequence &&
          report.progress !== 'full' &&
          isSameShares(report.shares, shares) &&
          // Else it has not taken over their part yet.
          gone.every(other => report.gone.includes(other))
        )
      })
    const isUnder = !isWhole && (isTooFew || this.#full.size > 0 || this.#isShort)
    if (isUnder && !this.#isUnder) on.underReplicated(active)
    this.#isUnder = isUnder
    if (!isWhole) return
    this.#isShort = false
    if (this.#replicated === version) return
    this.#replicated = version
    on.replicated(version)
  }

  #others(): PeerId[] {
    const { self, owned } = this.#components
    return owned.circle.counted().flatMap(({ peer }) => (peer === self ? [] : [peer]))
  }
}

/** The most that anything of the volume wants. */
function copiesWanted({ policy, overrides }: HolderListFields): number {
  const all = [policy, ...overrides.values()]
  return Math.max(...all.map(({ replicas, minimum }) => (replicas === 'all' ? minimum : replicas)))
}
