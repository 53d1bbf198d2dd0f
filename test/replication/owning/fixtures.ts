/** A circle that says what a test tells it to. */
import type { VolumeId } from '../../../src/namespace/index.ts'
import type { PeerId, TypedEventTarget } from '../../../src/peer/index.ts'
import type {
  Circle,
  CircleEvents,
  Holder,
  HolderList,
  HolderReport,
  Presence
} from '../../../src/replication/index.ts'

export class ToldCircle implements Circle {
  readonly volume: VolumeId
  readonly #events = new EventTarget()
  list: HolderList | undefined
  readonly reports: Map<PeerId, HolderReport> = new Map()
  readonly presences: Map<PeerId, Presence> = new Map()
  readonly published: HolderReport[] = []
  /** Answers of `learn` to come, instead of taking the list. */
  readonly refusals: (() => void)[] = []

  constructor(volume: VolumeId, list?: HolderList) {
    this.volume = volume
    this.list = list
  }

  get events(): TypedEventTarget<CircleEvents> {
    return this.#events as unknown as TypedEventTarget<CircleEvents>
  }

  reportOf(holder: PeerId): HolderReport | undefined {
    return this.reports.get(holder)
  }

  presenceOf(holder: PeerId): Presence {
    return this.presences.get(holder) ?? 'present'
  }

  counted(): readonly Holder[] {
    return (this.list?.holders ?? []).filter(({ peer }) => this.presenceOf(peer) !== 'gone')
  }

  distrust(): void {}

  publish(report: HolderReport): void {
    this.published.push(report)
  }

  async learn(list: HolderList): Promise<boolean> {
    const refuse = this.refusals.shift()
    if (refuse !== undefined) {
      refuse()
      return false
    }
    this.list = list
    this.#tell('list', list)
    return true
  }

  async close(): Promise<void> {}

  /** A holder says so of itself. */
  say(peer: PeerId, fields: Partial<HolderReport> = {}): void {
    this.reports.set(
      peer,
      reportFor(this.volume, { listSequence: this.list?.sequence ?? -1, ...fields })
    )
    this.#tell('report', peer)
  }

  see(holder: PeerId, presence: Presence): void {
    this.presences.set(holder, presence)
    this.#tell('presence', { holder, presence })
  }

  #tell<Name extends keyof CircleEvents>(name: Name, detail: CircleEvents[Name]['detail']): void {
    this.#events.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

export function reportFor(volume: VolumeId, fields: Partial<HolderReport> = {}): HolderReport {
  return {
    volume,
    progress: 'current',
    listSequence: 1,
    holds: 1,
    knows: 1,
    gone: [],
    shares: new Map(),
    share: 256,
    missingBlocks: 0,
    usedBytes: 0,
    pledgeBytes: 1e9,
    ...fields
  }
}
