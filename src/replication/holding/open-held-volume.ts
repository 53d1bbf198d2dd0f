/**
 * Holds a volume: follows its head, its holder list and who is there, and brings what is here to
 * what should be. One round at a time, each with everything known when it begins; what happens
 * meanwhile is the next round's.
 */
import type { BlockExchange, BlockId, CollectableBlockStore } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { HeadExchange, SignedHead, VolumeId } from '../../namespace/index.ts'
import type { Clock, PeerId, TypedEventTarget } from '../../peer/index.ts'
import type { Circle, CircleEvents } from '../circle/circle.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import { SHARE_ALL } from '../holders/shares.ts'
import type { Inventory } from '../inventory/inventory.ts'
import type { AskHas } from './confirm-blocks.ts'
import { raisedShare } from './fitting-share.ts'
import type { HeldVolume, HeldVolumeEvents } from './held-volume.ts'
import { HeldVersions } from './held-versions.ts'
import type { Version } from './held-versions.ts'
import {
  CONFIRM_RETRY_MS_MIN,
  FULL_RETRY_MS_MIN,
  GIVE_UP_MS,
  HELD_BLOCKS_MAX,
  RAISE_MS,
  RETRY_MS_MIN
} from './limits.ts'
import { LostBlocks } from './lost-blocks.ts'
import { isSameReport, makeReport } from './make-report.ts'
import { createPace } from './pace.ts'
import type { Pace } from './pace.ts'
import { Part } from './part.ts'
import { PlacedReader } from './placed-reader.ts'
import { Retry } from './retry.ts'
import { OwnShare } from './own-share.ts'
import { Rounds } from './rounds.ts'
import { SpareCopies } from './spare-copies.ts'

export interface HeldVolumeComponents {
  readonly self: PeerId
  readonly volume: VolumeId
  /** Where new blocks are first. Default: nobody knows, which costs a few questions in large circles. */
  readonly owner?: PeerId
  readonly circle: Circle
  readonly heads: Pick<HeadExchange, 'newest' | 'follow'>
  readonly exchange: Pick<BlockExchange, 'reader'>
  /** The one the exchange fills. */
  readonly store: Pick<CollectableBlockStore, 'get' | 'has' | 'deleteMany' | 'sync' | 'touch'>
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  /** Which of these blocks another holder has. */
  readonly askHas: AskHas
  /** Remembers the version that is held whole. Resolves when it survives a crash. */
  readonly hold: (version: Version) => Promise<void>
  /** Remembers how much we take of what we are given. Default: nobody does. */
  readonly keepShare?: (share: number) => Promise<void>
}

export interface HeldVolumeOptions {
  /** What `hold` was given last, before a restart. */
  readonly held?: Version | undefined
  /** Bytes for this volume, asked again each time; the pledge in the list counts when it is less. Default: that one. */
  readonly pledgeBytes?: () => number
  /** Blocks of the volume that may be known here, at about 130 bytes of memory each. Default `HELD_BLOCKS_MAX`. */
  readonly blocksMax?: number
  /** What `keepShare` was given last, before a restart. Default: all. */
  readonly share?: number | undefined
  /** How long we take the same before we take more again, in milliseconds. Default `RAISE_MS`. */
  readonly raiseMs?: number | undefined
  /** How long others may take to have what we give up for want of room, in milliseconds. Default `GIVE_UP_MS`. */
  readonly giveUpMs?: number | undefined
  /** What may be got each second, so that others can use the network too. Default: no limit. */
  readonly bytesPerSecond?: number
  /** The same by other rules; waited for as well. Default: none. */
  readonly pace?: Pace
  /** It is to be given up. Default false; `drain` says so later. */
  readonly leaving?: boolean
}

/** Begins to hold. Resolves at once; `settle` waits. */
export async function openHeldVolume(
  components: HeldVolumeComponents,
  options: HeldVolumeOptions = {}
): Promise<HeldVolume> {
  const volume = new CircleHeldVolume(components, options)
  volume.begin()
  return volume
}

class CircleHeldVolume implements HeldVolume {
  readonly volume: VolumeId
  readonly #events = new EventTarget()
  readonly #components: HeldVolumeComponents
  readonly #options: HeldVolumeOptions
  readonly #versions: HeldVersions
  readonly #spare: SpareCopies
  readonly #lost: LostBlocks
  readonly #retry: Retry
  readonly #confirmRetry: Retry
  readonly #rounds: Rounds
  #head: SignedHead | undefined
  #unfollow: (() => void) | undefined
  /** What was said last. */
  #published: HolderReport
  /** What was held before the restart and was not looked for yet. */
  #before: Version | undefined
  /** Until a version is known nobody can say what of what is here is not needed. */
  #isChecked: boolean
  #hasAsked = false
  readonly #share: OwnShare
  #isLeaving: boolean
  #isDrained = false
  /** No room, for want of a pledge or of a disk. */
  #isFull = false
  #repaired: { blocks: number; bytes: number } | undefined
  #worksFor: SignedHead | undefined

  constructor(components: HeldVolumeComponents, options: HeldVolumeOptions) {
    const { circle, clock, exchange, random, volume } = components
    this.volume = volume
    this.#components = components
    this.#options = options
    this.#before = options.held
    this.#isChecked = options.held === undefined
    this.#isLeaving = options.leaving ?? false
    this.#lost = new LostBlocks(ids => this.#dispatch('lost', { ids }))
    const { bytesPerSecond, pace = unpaced } = options
    const limit = bytesPerSecond === undefined ? unpaced : createPace(clock, bytesPerSecond)
    this.#versions = new HeldVersions({
      ...components,
      random,
      reader: new PlacedReader({
        exchange,
        owner: components.owner,
        others: () => this.#others(),
        isPresent: holder => circle.presenceOf(holder) === 'present',
        random
      }),
      pace: async (bytes, paceOptions) => {
        await pace(bytes, paceOptions)
        await limit(bytes, paceOptions)
      },
      onFailure: (id, error) => {
        if (isWarrenError(error, 'EHOSTUNREACH')) this.#lost.add(id)
      },
      onArrived: (id, bytes) => this.#arrived(id, bytes)
    })
    this.#spare = new SpareCopies({ ...components, versions: this.#versions })
    this.#rounds = new Rounds({
      clock,
      work: signal => this.#work(signal),
      onFailure: error => this.#failed(error),
      onProgress: () => this.#publish(),
      isSuperseded: () => this.#isSuperseded()
    })
    const { share = SHARE_ALL, raiseMs = RAISE_MS, giveUpMs = GIVE_UP_MS } = options
    this.#share = new OwnShare(
      { clock, keep: async kept => components.keepShare?.(kept), due: () => this.#rounds.wake() },
      { share, raiseMs, giveUpMs }
    )
    this.#retry = new Retry(clock, random, () => this.#rounds.wake())
    this.#confirmRetry = new Retry(clock, random, () => this.#rounds.wake())
    this.#published = this.#makeReport()
  }

  get events(): TypedEventTarget<HeldVolumeEvents> {
    return this.#events as TypedEventTarget<HeldVolumeEvents>
  }

  get report(): HolderReport {
    return this.#makeReport()
  }

  get inventory(): Inventory {
    return this.#versions.blocks.inventory
  }

  begin(): void {
    const { events } = this.#components.circle
    events.addEventListener('list', this.#changed)
    events.addEventListener('presence', this.#changed)
    events.addEventListener('report', this.#heard)
    this.#follow()
    this.#components.circle.publish(this.#published)
    this.#rounds.wake()
  }

  roots(): readonly BlockId[] {
    const roots = this.#versions.roots()
    // Not looked for yet, and not to be collected either.
    if (!this.#isChecked && this.#options.held !== undefined) roots.push(this.#options.held.root)
    return [...new Set(roots)]
  }

  has(id: BlockId): boolean {
    const { blocks } = this.#versions
    const block = blocks.find(id)
    return block >= 0 && blocks.isHeld(block)
  }

  keeps(id: BlockId): boolean {
    if (!this.#isChecked) return true
    const { blocks } = this.#versions
    const block = blocks.find(id)
    return block >= 0 && (blocks.isNode(block) || blocks.isKept(block))
  }

  missing(ids: readonly BlockId[]): void {
    this.#versions.suspect(ids)
    this.#changed()
  }

  drain(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#rounds.wake()
  }

  async settle({ signal }: { readonly signal?: AbortSignal } = {}): Promise<HolderReport> {
    signal?.throwIfAborted()
    this.#rounds.throwIfClosed()
    this.#hasAsked = false
    this.#share.tryAgain()
    this.#changed()
    await this.#rounds.untilIdle(signal)
    return this.report
  }

  async close(): Promise<void> {
    const { circle, store } = this.#components
    circle.events.removeEventListener('list', this.#changed)
    circle.events.removeEventListener('presence', this.#changed)
    circle.events.removeEventListener('report', this.#heard)
    this.#unfollow?.()
    this.#retry.stop()
    this.#confirmRetry.stop()
    await this.#rounds.close(new WarrenError('EBADF', { message: `${this.volume} is let go of` }))
    this.#share.stop()
    // Whoever closes has no use for the failure; what was said to be held was synced before.
    await store.sync().catch(() => {})
  }

  /** Holders come and go with the list, and any of them may hear of a head first. */
  #follow(): void {
    const { heads, circle, self } = this.#components
    const before = this.#unfollow
    const holders = circle.list?.holders ?? []
    const sources = holders.map(({ peer }) => peer).filter(peer => peer !== self)
    this.#unfollow = heads.follow(this.volume, head => this.#learn(head), { sources })
    // Listeners are told in a turn of their own, and the one before may just be about to be.
    if (before !== undefined) queueMicrotask(before)
  }

  #learn(head: SignedHead): void {
    if (this.#head !== undefined && head.sequence < this.#head.sequence) return
    if (this.#head?.root === head.root && this.#head.sequence === head.sequence) return
    this.#head = head
    this.#changed()
  }

  /** Something is different: what failed may work now, and what is under way may be in vain. */
  readonly #changed = (event?: Event): void => {
    if (event?.type === 'list') this.#follow()
    this.#retry.succeeded()
    this.#confirmRetry.succeeded()
    this.#rounds.changed()
  }

  /** What is under way works for a version or a part that is not the newest any more. */
  #isSuperseded(): boolean {
    const { list } = this.#components.circle
    const { part } = this.#versions
    const isOldPart =
      list !== undefined && part?.isOf(list, this.#components.circle.counted()) !== true
    return isOldPart || this.#head !== this.#worksFor
  }

  /** Somebody has come as far as we have: it may have what we could not get, or do not need. */
  readonly #heard = ({ detail }: CircleEvents['report']): void => {
    const { circle, self } = this.#components
    if (detail === self || circle.reportOf(detail)?.progress !== 'current') return
    const isOpen = this.#mustLeave() || this.#versions.blocks.surplus > 0 || this.#lost.hasSome
    if (isOpen) this.#rounds.wake()
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { circle, self } = this.#components
    const { list } = circle
    // Who is not listed has no part; what is here stays until somebody decides.
    if (list?.holders.some(({ peer }) => peer === self) !== true) return
    const counted = circle.counted()
    if (this.#versions.part?.isOf(list, counted) !== true) {
      this.#versions.usePart(new Part(self, list, counted))
      this.#publish()
    }
    await this.#findBefore(signal)
    await this.#askNewest(signal)
    await this.#getNewest(signal)
    await this.#giveUp(signal)
  }

  /** After a restart. */
  async #findBefore(signal: AbortSignal): Promise<void> {
    const before = this.#before
    if (before === undefined) return
    const isFound = await this.#versions.find(before, { signal })
    this.#before = undefined
    this.#isChecked ||= isFound
    this.#publish()
  }

  async #askNewest(signal: AbortSignal): Promise<void> {
    if (this.#hasAsked) return
    const { heads } = this.#components
    const { head } = await heads.newest(this.volume, { sources: this.#others(), signal })
    this.#hasAsked = true
    const isNewer = head !== undefined && head.sequence >= (this.#head?.sequence ?? -1)
    if (isNewer) this.#head = head
  }

  async #getNewest(signal: AbortSignal): Promise<void> {
    const head = this.#head
    if (head === undefined) {
      throw new WarrenError('EHOSTUNREACH', { message: `no head of volume ${this.volume}` })
    }
    this.#worksFor = head
    const pledgeBytes = this.#pledgeBytes()
    const { blocksMax = HELD_BLOCKS_MAX } = this.#options
    const options = { signal, pledgeBytes, blocksMax }
    const tried = [head.root, this.#versions.part, pledgeBytes]
    if (!this.#share.isHopeless(tried)) {
      try {
        await this.#get(head, options)
        this.#isFull = false
        this.#share.fits()
        this.#isChecked = true
        this.#retry.succeeded()
        this.#lost.clear()
        return
      } catch (error) {
        if (!isWarrenError(error, 'EDQUOT')) throw error
        this.#isFull = true
        this.#publish()
        if (await this.#share.doesNotFit(tried, this.#versions.fitting)) return this.#publish()
      }
    }
    // The version before is still ours to keep whole, whoever has gone.
    const { held } = this.#versions
    if (held === undefined || held.root === head.root) return
    await this.#get(held, options).catch(unlessFull)
  }

  async #get(
    { root, sequence }: Version,
    options: Parameters<HeldVersions['get']>[1]
  ): Promise<void> {
    const isRepair = this.#versions.held?.root === root
    this.#repaired = isRepair ? { blocks: 0, bytes: 0 } : undefined
    try {
      await this.#versions.get({ root, sequence }, options)
    } finally {
      const repaired = this.#repaired
      this.#repaired = undefined
      if (repaired !== undefined && repaired.blocks > 0) this.#dispatch('repaired', repaired)
      this.#lost.tell()
    }
  }

  /** Of what is not ours any more, or of everything, when we leave. */
  async #giveUp(signal: AbortSignal): Promise<void> {
    const { blocks, part } = this.#versions
    const head = this.#head!
    if (this.#mustLeave()) {
      const isWhole = this.#versions.isWhole(head)
      this.#isDrained = isWhole && (await this.#spare.isDrained({ signal }))
      if (isWhole && !this.#isDrained) this.#confirmRetry.failed(CONFIRM_RETRY_MS_MIN)
      return
    }
    this.#isDrained = false
    // What the report says is here by an older list stays until it is all here by the newest.
    const mayTrim = this.#versions.wholePart === part
    const trimmed = mayTrim ? await this.#spare.trim({ signal }) : 0
    if (trimmed > 0) this.#confirmRetry.succeeded()
    if (trimmed > 0 && this.#isFull) {
      this.#share.tryAgain()
      this.#rounds.wake()
    }
    if (blocks.surplus > 0) {
      if (trimmed === 0 && (await this.#share.surplusStays({ forGood: !mayTrim }))) this.#publish()
      this.#confirmRetry.failed(CONFIRM_RETRY_MS_MIN)
    }
    if (this.#versions.isWhole(head)) await this.#takeMore()
  }

  async #takeMore(): Promise<void> {
    const { blocks, part } = this.#versions
    const fitting = { blocks, part: part!, former: undefined, pledgeBytes: this.#pledgeBytes() }
    if (await this.#share.raise(() => raisedShare(fitting))) this.#publish()
  }

  /** We want to, or the list says so. */
  #mustLeave(): boolean {
    return this.#isLeaving || this.#versions.part?.holder?.state === 'draining'
  }

  #failed(error: unknown): void {
    this.#isFull = isWarrenError(error, 'ENOSPC')
    this.#retry.failed(this.#isFull ? FULL_RETRY_MS_MIN : RETRY_MS_MIN)
  }

  #arrived(id: BlockId, bytes: number): void {
    this.#lost.delete(id)
    if (this.#repaired === undefined) return
    this.#repaired.blocks++
    this.#repaired.bytes += bytes
  }

  #pledgeBytes(): number {
    const listed = this.#versions.part?.holder?.pledgeBytes ?? 0
    return Math.min(listed, this.#options.pledgeBytes?.() ?? Infinity)
  }

  /** Says how far it is, unless that was said already. */
  #publish(): void {
    const report = this.#makeReport()
    if (isSameReport(report, this.#published)) return
    this.#published = report
    this.#components.circle.publish(report)
    this.#dispatch('report', report)
  }

  /** Everybody counted on but us. */
  #others(): PeerId[] {
    const { circle, self } = this.#components
    return circle.counted().flatMap(({ peer }) => (peer === self ? [] : [peer]))
  }

  #makeReport(): HolderReport {
    return makeReport({
      volume: this.volume,
      versions: this.#versions,
      newest: this.#head,
      pledgeBytes: this.#pledgeBytes(),
      share: this.#share.now,
      isFull: this.#isFull,
      isDrained: this.#isDrained
    })
  }

  #dispatch<Name extends keyof HeldVolumeEvents>(
    name: Name,
    detail: HeldVolumeEvents[Name]['detail']
  ): void {
    this.#events.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

const unpaced: Pace = async () => {}

function unlessFull(error: unknown): void {
  if (!isWarrenError(error, 'EDQUOT')) throw error
}
