/** What every holder knows of the others, without a network. */
import type { VolumeId } from '../../../src/namespace/index.ts'
import type { PeerId } from '../../../src/peer/index.ts'
import type { Circle, HolderList, HolderReport, Presence } from '../../../src/replication/index.ts'
import { withShares } from '../../../src/replication/holders/shares.ts'
import type { CountedHolder } from '../../../src/replication/holders/shares.ts'

export class Circles {
  list: HolderList | undefined
  readonly reports: Map<PeerId, HolderReport> = new Map()
  readonly presences: Map<PeerId, Presence> = new Map()
  readonly #targets: EventTarget[] = []

  of(volume: VolumeId, self: PeerId): Circle {
    const events = new EventTarget()
    this.#targets.push(events)
    const newest = (): HolderList | undefined => this.list
    return {
      volume,
      events: events as Circle['events'],
      get list() {
        return newest()
      },
      reportOf: holder => this.reports.get(holder),
      presenceOf: holder => (holder === self ? 'present' : this.presenceOf(holder)),
      counted: () => this.counted(self),
      distrust: () => {},
      publish: report => {
        const before = this.reports.get(self)?.share ?? 256
        this.reports.set(self, report)
        this.#dispatch('report', self)
        if (before !== report.share) {
          this.#dispatch('presence', { holder: self, presence: 'present' })
        }
      },
      learn: async list => {
        this.tell(list)
        return true
      },
      close: async () => {}
    }
  }

  presenceOf(holder: PeerId): Presence {
    return this.presences.get(holder) ?? 'present'
  }

  counted(self?: PeerId): CountedHolder[] {
    const holders = (this.list?.holders ?? []).filter(({ peer }) => {
      return peer === self || this.presenceOf(peer) !== 'gone'
    })
    const said = [...this.reports].filter(([, { share }]) => share < 256)
    return withShares(holders, new Map(said.map(([peer, { share }]) => [peer, share])))
  }

  tell(list: HolderList): void {
    this.list = list
    this.#dispatch('list', list)
  }

  setPresence(holder: PeerId, presence: Presence): void {
    this.presences.set(holder, presence)
    this.#dispatch('presence', { holder, presence })
  }

  #dispatch(name: string, detail: unknown): void {
    for (const target of this.#targets) {
      queueMicrotask(() => target.dispatchEvent(new CustomEvent(name, { detail })))
    }
  }
}
