/** A circle that is open: what this peer knows of the holders of one volume, and tells them. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, OutgoingMessage, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { equalBytes } from '../holders/compare-bytes.ts'
import { supersedesHolderList } from '../holders/holder-list-order.ts'
import { decodeHolderList } from '../holders/holder-list-record.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import type { HolderList } from '../holders/holder-list.ts'
import { withShares } from '../holders/shares.ts'
import type { CountedHolder } from '../holders/shares.ts'
import type { AddressesOf } from './address-book.ts'
import { BelievedShares } from './believed-shares.ts'
import type { Circle, CircleEvents, Presence } from './circle.ts'
import { HINTS_BURST, HINTS_PER_SECOND } from './circle-limits.ts'
import type { HolderReport } from './holder-report.ts'
import type { Lines } from './lines.ts'
import type { AddressHints } from './message-parts.ts'
import { rememberAddresses, rememberHints } from './remember-hints.ts'
import { isSameReport } from './report-record.ts'
import type { Said } from './report-record.ts'
import { Ring } from './ring.ts'
import { Silence } from './silence.ts'
import type { WatchNews, WatchRequest } from './watch-messages.ts'
import { encodeWatchAnswer } from './watch-messages.ts'
import { Watchers } from './watchers.ts'
import type { Telling } from './watchers.ts'
import { Watches } from './watches.ts'

export interface OpenCircleComponents {
  readonly peer: Pick<Peer, 'id' | 'addresses' | 'remember'>
  readonly clock: Clock
  readonly random: () => number
  readonly lists: Pick<HolderListStore, 'get' | 'put'>
  readonly addressesOf: AddressesOf
  readonly lines: Pick<Lines, 'join' | 'leave'>
  /** Called once it is closed. */
  readonly closed: () => void
}

export interface OpenCircleSettings {
  readonly sources: readonly PeerId[]
  readonly signOfLifeMs: number
  readonly absentMs: number
  readonly graceMs: number
}

const NO_HOLDERS = { holders: [] }

export class OpenCircle implements Circle {
  readonly volume: VolumeId
  readonly events: Circle['events']
  readonly #target = new EventTarget() as EventTarget & Circle['events']
  readonly #components: OpenCircleComponents
  readonly #stop = new AbortController()
  readonly #silence: Silence
  readonly #watchers: Watchers
  readonly #hints: Allowances
  readonly #watches: Watches
  readonly #said = new Map<PeerId, Said>()
  readonly #distrusted = new Set<PeerId>()
  /** Lists that are being stored. */
  readonly #storing = new Set<Promise<unknown>>()
  #list: HolderList | undefined
  #ring = new Ring(NO_HOLDERS)
  readonly #shares: BelievedShares
  #counted: readonly CountedHolder[] | undefined

  constructor(volume: VolumeId, components: OpenCircleComponents, settings: OpenCircleSettings) {
    this.volume = volume
    this.events = this.#target
    this.#components = components
    const { clock, random } = components
    const { signOfLifeMs, absentMs, graceMs } = settings
    this.#silence = new Silence(
      { clock, changed: (holder, presence) => this.#presenceChanged(holder, presence) },
      { tickMs: signOfLifeMs, absentMs, graceMs }
    )
    this.#watchers = new Watchers({ circle: this.#told(), clock, random }, settings)
    this.#shares = new BelievedShares({
      clock,
      restMs: graceMs,
      changed: holder => this.#presenceChanged(holder, this.presenceOf(holder))
    })
    this.#hints = new Allowances(clock, { burst: HINTS_BURST, perSecond: HINTS_PER_SECOND })
    const hear = (from: PeerId, news: WatchNews): Promise<void> => this.#hear(from, news)
    this.#watches = new Watches(
      this.#ring,
      { ...components, volume, list: () => this.#list, hear },
      { self: components.peer.id, sources: settings.sources }
    )
  }

  /** Goes on with what is in the store. */
  begin(list: HolderList | undefined): void {
    if (list === undefined) this.#watches.follow(this.#ring)
    else if (supersedesHolderList(list, this.#list)) this.#adopt(list)
  }

  get list(): HolderList | undefined {
    return this.#list
  }

  /** Whether the newest list names this peer. */
  names(peer: PeerId): boolean {
    return this.#ring.has(peer)
  }

  reportOf(holder: PeerId): HolderReport | undefined {
    return this.#said.get(holder)?.report
  }

  presenceOf(holder: PeerId): Presence {
    const isSelf = holder === this.#components.peer.id
    return isSelf ? 'present' : (this.#silence.presenceOf(holder) ?? 'gone')
  }

  counted(): readonly CountedHolder[] {
    if (this.#counted !== undefined) return this.#counted
    const holders = (this.#list ?? NO_HOLDERS).holders.filter(({ peer }) => {
      return this.presenceOf(peer) !== 'gone' && !this.#distrusted.has(peer)
    })
    return (this.#counted = withShares(holders, this.#shares.now))
  }

  distrust(holder: PeerId, distrusted: boolean): void {
    const { id } = this.#components.peer
    if (holder === id || this.#distrusted.has(holder) === distrusted || !this.names(holder)) return
    if (distrusted) this.#distrusted.add(holder)
    else this.#distrusted.delete(holder)
    this.#presenceChanged(holder, this.presenceOf(holder))
  }

  publish(report: HolderReport): void {
    if (this.#stop.signal.aborted) return
    const { peer, clock } = this.#components
    const before = this.#said.get(peer.id)
    if (isSameReport(report, before?.report)) return
    this.#said.set(peer.id, { made: Math.max(clock.now(), (before?.made ?? -1) + 1), report })
    this.#watchers.changed()
    this.#dispatch('report', peer.id)
    this.#shares.believe(peer.id, report.share)
  }

  async learn(list: HolderList): Promise<boolean> {
    this.#requireOpen()
    if (list.volume !== this.volume) throw new TypeError(`a list of ${list.volume}`)
    if (!supersedesHolderList(list, this.#list)) return false
    const stored = this.#store(list)
    this.#storing.add(stored)
    try {
      return await stored
    } finally {
      this.#storing.delete(stored)
    }
  }

  async close(): Promise<void> {
    const { signal } = this.#stop
    if (!signal.aborted) {
      this.#stop.abort()
      this.#silence.close()
      this.#watchers.close()
      this.#shares.close()
      this.#components.closed()
    }
    await this.#watches.close()
    await Promise.allSettled(this.#storing)
  }

  /** The peer is there: what waits for it in a pause need not. */
  connected(peer: PeerId): void {
    this.#watches.retry(peer)
  }

  /**
   * Lets a holder that wants to watch us in, or throws `EACCES`, after what it should know first.
   * `mayShow` tells whether it may have us verify a list.
   */
  async *admit(
    from: PeerId,
    { list, addresses }: Pick<WatchRequest, 'list' | 'addresses'>,
    mayShow: () => boolean
  ): AsyncGenerator<OutgoingMessage> {
    const shown = list && mayShow() ? await this.#learnBytes(list) : undefined
    if (!this.names(from)) {
      const wasNamed = shown?.holders.some(({ peer }) => peer === from) === true
      if (wasNamed && this.#list) yield { body: encodeWatchAnswer({ list: this.#list.bytes }) }
      throw new WarrenError('EACCES', { message: `${from} does not hold ${this.volume}` })
    }
    this.#silence.heard(from)
    if (this.#hints.take(from, 1)) {
      await rememberAddresses(this.#components.peer, from, addresses)
    }
    // Whoever has just found us is there to be watched.
    this.connected(from)
  }

  /** What a holder that was let in is told from now on. `due` is called when there is news. */
  tell(from: PeerId, due: () => void): Telling {
    return this.#watchers.add(from, due)
  }

  #told(): ConstructorParameters<typeof Watchers>[0]['circle'] {
    const list = (): HolderList | undefined => this.#list
    const ring = (): Ring => this.#ring
    return {
      self: this.#components.peer.id,
      get list() {
        return list()
      },
      get ring() {
        return ring()
      },
      saidOf: holder => this.#said.get(holder),
      silenceOf: holder => this.#silence.silenceOf(holder),
      addressesOf: this.#components.addressesOf
    }
  }

  /** What a holder that we watch tells us. */
  async #hear(from: PeerId, { list, addresses, said, heard }: WatchNews): Promise<void> {
    this.#silence.heard(from)
    if (list !== undefined) await this.#learnBytes(list)
    if (this.#stop.signal.aborted) return
    if (addresses !== undefined) await this.#remember(from, addresses)
    this.#watches.reach(from)
    if (said !== undefined) this.#take(from, said)
    if (heard !== undefined && heard.sequence === this.#list?.sequence) {
      for (const hearsay of heard.holders) this.#overhear(hearsay)
    }
  }

  /** Who could not be reached may be now. */
  async #remember(from: PeerId, addresses: AddressHints): Promise<void> {
    if (!this.#hints.take(from, addresses.size)) return
    await rememberHints(this.#components.peer, this.#list ?? NO_HOLDERS, addresses)
    this.#watches.found(addresses.keys())
  }

  /** Of whom we watch ourselves nobody else is believed. */
  #overhear({ place, ageMs, said }: NonNullable<WatchNews['heard']>['holders'][number]): void {
    const holder = this.#ring.peerAt(place)
    if (holder === undefined || holder === this.#components.peer.id) return
    if (this.#watches.has(holder)) return
    this.#silence.heard(holder, ageMs)
    if (said && said.made > (this.#said.get(holder)?.made ?? -1)) this.#take(holder, said)
  }

  #take(holder: PeerId, said: Said): void {
    if (!this.names(holder)) return
    const before = this.#said.get(holder)
    this.#said.set(holder, said)
    if (isSameReport(said.report, before?.report)) return
    if (!this.#ring.isWhole) this.#watchers.said(holder)
    this.#dispatch('report', holder)
    this.#shares.said(holder, said.report.share)
  }

  /** Verifies a list that came from outside, and learns it when it is newer. */
  async #learnBytes(bytes: Uint8Array): Promise<HolderList> {
    if (this.#list !== undefined && equalBytes(bytes, this.#list.bytes)) return this.#list
    const list = await decodeHolderList(bytes, this.volume)
    if (!this.#stop.signal.aborted) await this.learn(list)
    return list
  }

  async #store(list: HolderList): Promise<boolean> {
    const { lists } = this.#components
    const counts = (await lists.put(list)) ? list : await lists.get(this.volume)
    if (counts === undefined || this.#stop.signal.aborted) return false
    if (!supersedesHolderList(counts, this.#list)) return false
    this.#adopt(counts)
    return equalBytes(counts.bytes, list.bytes)
  }

  #adopt(list: HolderList): void {
    const { id } = this.#components.peer
    this.#list = list
    this.#ring = new Ring(list)
    this.#counted = undefined
    this.#silence.track(list.holders.map(({ peer }) => peer).filter(peer => peer !== id))
    for (const peer of this.#said.keys()) {
      if (peer !== id && !this.names(peer)) this.#said.delete(peer)
    }
    this.#shares.keep(peer => this.names(peer))
    for (const peer of this.#distrusted) if (!this.names(peer)) this.#distrusted.delete(peer)
    this.#watches.follow(this.#ring)
    this.#watchers.changed()
    this.#dispatch('list', list)
  }

  #presenceChanged(holder: PeerId, presence: Presence): void {
    this.#counted = undefined
    this.#dispatch('presence', { holder, presence })
  }

  #requireOpen(): void {
    if (!this.#stop.signal.aborted) return
    throw new WarrenError('EBADF', { message: `the circle of ${this.volume} is closed` })
  }

  #dispatch<Type extends keyof CircleEvents>(
    type: Type,
    detail: CircleEvents[Type]['detail']
  ): void {
    this.#target.dispatchEvent(new CustomEvent(type, { detail }))
  }
}
