/**
 * One holder that watches us, and what it was told: each message has what changed since the one
 * before, so that a slow one misses what was overtaken and costs no more memory than a fast one.
 */
import type { PeerId } from '../../peer/index.ts'
import type { Holder, HolderList } from '../holders/holder-list.ts'
import type { AddressesOf } from './address-book.ts'
import { ADDRESSES_TOLD_MS, HEARSAY_GONE_MAX, HEARSAY_MAX } from './circle-limits.ts'
import type { AddressHints } from './message-parts.ts'
import type { Said } from './report-record.ts'
import type { Ring } from './ring.ts'
import type { Hearsay, WatchNews } from './watch-messages.ts'

/** What of a circle is told to others. */
export interface ToldCircle {
  readonly self: PeerId
  readonly list: HolderList | undefined
  readonly ring: Ring
  /** What a holder said last, we ourselves included. */
  saidOf(holder: PeerId): Said | undefined
  /** Milliseconds; `Infinity` when it is not known. */
  silenceOf(holder: PeerId): number
  readonly addressesOf: AddressesOf
}

export interface WatcherOptions {
  /** How often it is told when others were heard. */
  readonly signOfLifeMs: number
  /** Of who is silent for longer nothing is told. */
  readonly absentMs: number
}

export class Watcher {
  readonly #from: PeerId
  readonly #circle: ToldCircle
  readonly #options: WatcherOptions
  #list: HolderList | undefined
  /** Whom it hears itself. */
  #heard: ReadonlySet<PeerId> = new Set()
  #said: Said | undefined
  readonly #addresses = new Map<PeerId, string>()
  #addressesMs = -Infinity
  /** Holders whose reports it does not hear itself and was not told. */
  readonly #reports = new Set<PeerId>()
  /** Place of the holder of whom it is told next when it was heard. */
  #place: number
  #heardMs = -Infinity

  constructor(
    from: PeerId,
    { circle, random, ...options }: WatcherOptions & { circle: ToldCircle; random: () => number }
  ) {
    this.#from = from
    this.#circle = circle
    this.#options = options
    // Not the same place for everybody who watches us, or all would tell the others the same.
    this.#place = Math.floor(random() * 2 ** 31)
  }

  /** A holder said something new. True when this is to be told, as the watcher may not hear it itself. */
  said(holder: PeerId): boolean {
    if (holder === this.#from || this.#heard.has(holder)) return false
    this.#reports.add(holder)
    return true
  }

  /** What changed since this was asked before. */
  next(nowMs: number): WatchNews {
    const isListNew = this.#circle.list !== this.#list
    if (isListNew) this.#begin()
    const { list, said, addresses, heard } = {
      list: isListNew ? this.#list : undefined,
      said: this.#nextSaid(),
      addresses: this.#nextAddresses(nowMs, isListNew),
      heard: this.#nextHeard(nowMs)
    }
    return {
      ...(list && { list: list.bytes }),
      ...(said && { said }),
      ...(addresses.size > 0 && { addresses }),
      ...(heard && { heard })
    }
  }

  /** There is another list. */
  #begin(): void {
    const { list, ring, self } = this.#circle
    this.#list = list
    this.#heard = new Set(ring.watchedBy(this.#from))
    this.#reports.clear()
    if (ring.isWhole) return
    for (const { peer } of list?.holders ?? []) {
      if (peer !== self && this.#circle.saidOf(peer) !== undefined) this.said(peer)
    }
  }

  #nextSaid(): Said | undefined {
    const said = this.#circle.saidOf(this.#circle.self)
    if (said === this.#said) return undefined
    this.#said = said
    return said
  }

  /** Of those whom it watches, we among them, as far as we know more than it was told. */
  #nextAddresses(nowMs: number, isListNew: boolean): AddressHints {
    const hints = new Map<PeerId, readonly string[]>()
    const isDue = Math.abs(nowMs - this.#addressesMs) >= ADDRESSES_TOLD_MS
    if (!isListNew && !isDue) return hints
    this.#addressesMs = nowMs
    for (const peer of this.#heard) {
      const addresses = this.#circle.addressesOf(peer)
      const text = addresses.join(' ')
      if (text === (this.#addresses.get(peer) ?? '')) continue
      this.#addresses.set(peer, text)
      hints.set(peer, addresses)
    }
    for (const peer of this.#addresses.keys()) {
      if (!this.#heard.has(peer)) this.#addresses.delete(peer)
    }
    return hints
  }

  /** Reports that it was not told, then as many others as there is room for, in turn. */
  #nextHeard(nowMs: number): WatchNews['heard'] {
    const { list, ring } = this.#circle
    if (list === undefined || ring.isWhole) return undefined
    const holders = new Map<number, Hearsay>()
    let gone = 0
    for (const peer of this.#reports) {
      const place = ring.placeOf(peer)
      const said = this.#circle.saidOf(peer)
      const room = holders.size < HEARSAY_MAX && gone < HEARSAY_GONE_MAX
      if (place === undefined || said === undefined || !room) continue
      gone += said.report.gone.length + said.report.shares.size
      this.#reports.delete(peer)
      holders.set(place, { place, ageMs: this.#ageOf(peer), said })
    }
    if (Math.abs(nowMs - this.#heardMs) >= this.#options.signOfLifeMs) {
      this.#heardMs = nowMs
      this.#addAges(list.holders, holders)
    }
    if (holders.size === 0) return undefined
    return { sequence: list.sequence, holders: [...holders.values()] }
  }

  #addAges(all: readonly Holder[], told: Map<number, Hearsay>): void {
    for (let count = 0; count < all.length && told.size < HEARSAY_MAX; count++) {
      const place = this.#place++ % all.length
      const { peer } = all[place]!
      if (peer === this.#from || this.#heard.has(peer) || told.has(place)) continue
      const ageMs = this.#ageOf(peer)
      if (ageMs < this.#options.absentMs) told.set(place, { place, ageMs })
    }
  }

  /** Whole milliseconds, as they are told. */
  #ageOf(peer: PeerId): number {
    if (peer === this.#circle.self) return 0
    return Math.min(Math.round(this.#circle.silenceOf(peer)), Number.MAX_SAFE_INTEGER)
  }
}
