/** A circle that is open: what this peer knows of the holders of one volume, and tells them. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { CallContext, Clock, OutgoingMessage, Peer, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import { equalBytes } from '../holders/compare-bytes.ts'
import { supersedesHolderList } from '../holders/holder-list-order.ts'
import { decodeHolderList } from '../holders/holder-list-record.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import type { Holder, HolderList } from '../holders/holder-list.ts'
import type { AddressesOf } from './address-book.ts'
import type { Circle, CircleEvents, Presence } from './circle.ts'
import { HINTS_BURST, HINTS_PER_SECOND, SOURCES_MAX } from './circle-limits.ts'
import type { HolderReport } from './holder-report.ts'
import type { AddressHints } from './message-parts.ts'
import { rememberAddresses, rememberHints } from './remember-hints.ts'
import { isSameReport } from './report-record.ts'
import type { Said } from './report-record.ts'
import { Ring } from './ring.ts'
import { Silence } from './silence.ts'
import { Watch } from './watch.ts'
import type { WatchAnswer, WatchRequest } from './watch-messages.ts'
import { encodeWatchAnswer } from './watch-messages.ts'
import type { WatchSlots } from './watch-slots.ts'
import { Watchers } from './watchers.ts'

export interface OpenCircleComponents {
  readonly peer: Pick<Peer, 'id' | 'addresses' | 'call' | 'remember'>
  readonly clock: Clock
  readonly random: () => number
  readonly lists: Pick<HolderListStore, 'get' | 'put'>
  readonly addressesOf: AddressesOf
  readonly slots: WatchSlots
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
  readonly #settings: OpenCircleSettings
  readonly #stop = new AbortController()
  readonly #silence: Silence
  readonly #watchers: Watchers
  readonly #hints: Allowances
  readonly #watches = new Map<PeerId, Watch>()
  readonly #said = new Map<PeerId, Said>()
  readonly #distrusted = new Set<PeerId>()
  /** Watches that were stopped and lists that are being stored. */
  readonly #unwinding = new Set<Promise<unknown>>()
  /** Of those whom the list has us watch, who was heard since. */
  readonly #reached = new Set<PeerId>()
  #list: HolderList | undefined
  #ring = new Ring(NO_HOLDERS)
  #counted: readonly Holder[] | undefined

  constructor(volume: VolumeId, components: OpenCircleComponents, settings: OpenCircleSettings) {
    this.volume = volume
    this.events = this.#target
    this.#components = components
    this.#settings = settings
    const { clock, random } = components
    const { signOfLifeMs, absentMs, graceMs } = settings
    this.#silence = new Silence(
      { clock, changed: (holder, presence) => this.#presenceChanged(holder, presence) },
      { tickMs: signOfLifeMs, absentMs, graceMs }
    )
    this.#watchers = new Watchers(
      { circle: this.#told(), clock, random, stop: this.#stop.signal },
      settings
    )
    this.#hints = new Allowances(clock, { burst: HINTS_BURST, perSecond: HINTS_PER_SECOND })
  }

  /** Goes on with what is in the store. */
  begin(list: HolderList | undefined): void {
    if (list === undefined) this.#rewatch()
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

  counted(): readonly Holder[] {
    this.#counted ??= (this.#list ?? NO_HOLDERS).holders.filter(({ peer }) => {
      return this.presenceOf(peer) !== 'gone' && !this.#distrusted.has(peer)
    })
    return this.#counted
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
  }

  async learn(list: HolderList): Promise<boolean> {
    this.#requireOpen()
    if (list.volume !== this.volume) throw new TypeError(`a list of ${list.volume}`)
    if (!supersedesHolderList(list, this.#list)) return false
    const stored = this.#store(list)
    this.#unwinding.add(stored)
    try {
      return await stored
    } finally {
      this.#unwinding.delete(stored)
    }
  }

  async close(): Promise<void> {
    const { signal } = this.#stop
    if (!signal.aborted) {
      this.#stop.abort()
      this.#silence.close()
      for (const peer of this.#watches.keys()) this.#unwatch(peer)
      this.#components.closed()
    }
    await Promise.allSettled(this.#unwinding)
  }

  /** The peer is there: what waits for it in a pause need not. */
  connected(peer: PeerId): void {
    this.#watches.get(peer)?.retry()
  }

  /** Answers a holder that watches us. `mayShow` tells whether it may have us verify a list. */
  async *serve(
    request: WatchRequest,
    context: CallContext,
    mayShow: () => boolean
  ): AsyncGenerator<OutgoingMessage> {
    const { from } = context
    const shown = request.list && mayShow() ? await this.#learnBytes(request.list) : undefined
    if (!this.names(from)) {
      const wasNamed = shown?.holders.some(({ peer }) => peer === from) === true
      if (wasNamed && this.#list) yield { body: encodeWatchAnswer({ list: this.#list.bytes }) }
      throw new WarrenError('EACCES', { message: `${from} does not hold ${this.volume}` })
    }
    this.#silence.heard(from)
    if (this.#hints.take(from, 1)) {
      await rememberAddresses(this.#components.peer, from, request.addresses)
    }
    // Whoever has just found us is there to be watched.
    this.connected(from)
    yield* this.#watchers.serve(context)
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
  async #hear(from: PeerId, { list, addresses, said, heard }: WatchAnswer): Promise<void> {
    this.#silence.heard(from)
    if (list !== undefined) await this.#learnBytes(list)
    if (this.#stop.signal.aborted) return
    if (addresses !== undefined) await this.#remember(from, addresses)
    this.#reach(from)
    if (said !== undefined) this.#take(from, said)
    if (heard !== undefined && heard.sequence === this.#list?.sequence) {
      for (const hearsay of heard.holders) this.#overhear(hearsay)
    }
  }

  /** Who could not be reached may be now. */
  async #remember(from: PeerId, addresses: AddressHints): Promise<void> {
    if (!this.#hints.take(from, addresses.size)) return
    await rememberHints(this.#components.peer, this.#list ?? NO_HOLDERS, addresses)
    for (const peer of addresses.keys()) if (!this.#reached.has(peer)) this.connected(peer)
  }

  /** Once enough of the others are heard, the sources are not needed. */
  #reach(from: PeerId): void {
    if (this.#reached.has(from)) return
    const needed = this.#needsSources
    this.#reached.add(from)
    if (needed && !this.#needsSources) this.#rewatch()
  }

  /** Whom we hear tells us where the rest are; as long as they are few, the sources may know. */
  get #needsSources(): boolean {
    const watched = this.#ring.watchedBy(this.#components.peer.id)
    return 2 * watched.filter(peer => this.#reached.has(peer)).length < watched.length
  }

  /** Of whom we watch ourselves nobody else is believed. */
  #overhear({ place, ageMs, said }: NonNullable<WatchAnswer['heard']>['holders'][number]): void {
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
    for (const peer of this.#distrusted) if (!this.names(peer)) this.#distrusted.delete(peer)
    this.#rewatch()
    // Who refused us may think otherwise by the new list.
    for (const watch of this.#watches.values()) watch.retry()
    this.#watchers.changed()
    this.#dispatch('list', list)
  }

  /** Watches those whom the list has us watch, and those who may tell us of a list or of them. */
  #rewatch(): void {
    const { id } = this.#components.peer
    const wanted = new Set(this.#ring.watchedBy(id))
    if (!this.names(id) || this.#needsSources) {
      const sources = this.#settings.sources.filter(peer => peer !== id)
      for (const source of sources.slice(0, SOURCES_MAX)) wanted.add(source)
    }
    for (const peer of this.#reached) if (!wanted.has(peer)) this.#reached.delete(peer)
    for (const peer of this.#watches.keys()) if (!wanted.has(peer)) this.#unwatch(peer)
    for (const peer of wanted) if (!this.#watches.has(peer)) this.#watch(peer)
  }

  #watch(holder: PeerId): void {
    const watch = new Watch(holder, {
      ...this.#components,
      volume: this.volume,
      signOfLifeMs: this.#settings.signOfLifeMs,
      list: () => this.#list,
      hear: (from, answer) => this.#hear(from, answer)
    })
    this.#watches.set(holder, watch)
  }

  #unwatch(holder: PeerId): void {
    const stopped = this.#watches.get(holder)?.stop()
    this.#watches.delete(holder)
    if (stopped === undefined) return
    this.#unwinding.add(stopped)
    void stopped.then(() => this.#unwinding.delete(stopped))
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
