/**
 * The volumes of others that are kept here: how one comes, is found again after a restart, and
 * goes. What is pledged bounds them together; who is named in the pledge need not ask.
 */
import { WarrenError, isWarrenError } from '../errors.ts'
import type { TreesInPart } from '../blocks/index.ts'
import type { VolumeId } from '../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../peer/index.ts'
import { callJoin, callLeave, callPledge } from './circle/call-membership.ts'
import type { Circle, Circles } from './circle/circle.ts'
import type { InviteAnswer, InviteRequest } from './circle/membership-messages.ts'
import { Changes } from './changes.ts'
import type { HolderListStore } from './holders/holder-list-store.ts'
import type { HeldVolume, HeldVolumeEvents } from './holding/held-volume.ts'
import type { KeptRecord } from './kept-record.ts'
import { parseInvitation } from './owning/invitation.ts'
import { dividePledge } from './divide-pledge.ts'
import type { HeldRecord, PledgeRecord } from './replication-store.ts'
import type { HeldStatus } from './replication.ts'

/** How long a volume that we were asked to hold may take to name us in its list, in milliseconds. */
export const ADMIT_MS_MAX: number = 10 * 60_000

/** An owner that could not be told that we leave is told again after this pause, in milliseconds. */
export const TELL_PAUSE_MS = 30_000

/** Who leaves at once tells the owner if it is there, and does not wait for it longer. */
const FAREWELL_MS_MAX = 5_000

/** Volumes of others on one peer: each is a circle and a tree in memory. */
export const HELD_VOLUMES_MAX = 1024

export interface HeldVolumesComponents {
  readonly peer: Pick<Peer, 'id' | 'call' | 'remember' | 'addresses'>
  readonly clock: Clock
  readonly record: KeptRecord
  readonly circles: Pick<Circles, 'open'>
  readonly lists: Pick<HolderListStore, 'delete'>
  readonly own: VolumeId
  /** Begins to hold. `hold` is told each version that is held whole, and resolves when it is remembered. */
  readonly openHeld: (held: {
    readonly record: HeldRecord
    readonly circle: Circle
    readonly hold: (version: NonNullable<HeldRecord['holds']>) => Promise<void>
    readonly keepShare: (share: number) => Promise<void>
  }) => Promise<HeldVolume>
  readonly on: {
    readonly repaired: (volume: VolumeId, detail: HeldVolumeEvents['repaired']['detail']) => void
    readonly lost: (volume: VolumeId, detail: HeldVolumeEvents['lost']['detail']) => void
    readonly full: (volume: VolumeId) => void
    readonly opened: (held: HeldVolume, circle: Circle) => void
    readonly closed: (volume: VolumeId) => void
  }
}

export interface AcceptOptions {
  readonly bytes?: number
  readonly zone?: string
  readonly signal: AbortSignal
}

interface Open {
  readonly circle: Circle
  readonly held: HeldVolume
  readonly cancelTimers: Set<() => void>
  isNamed: boolean
  isFull: boolean
  /** What the owner was told just now that we give. */
  telling: string | undefined
  /** It could not be told. */
  isOutOfReach: boolean
}

export class HeldVolumes {
  readonly #components: HeldVolumesComponents
  readonly #open = new Map<VolumeId, Open>()
  /** Of what is held. */
  readonly changes: Changes = new Changes()
  readonly #ending = new AbortController()
  #last: Promise<unknown> = Promise.resolve()

  constructor(components: HeldVolumesComponents) {
    this.#components = components
  }

  /** Goes on with what was held when we stopped. */
  async start(): Promise<void> {
    for (const record of this.#components.record.now.held) {
      await this.#openHeld(record)
      if (record.leaving) this.#tellLater(record.volume, 0)
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort(new WarrenError('EBADF', { message: 'replication has been stopped' }))
    await this.#last
    for (const { held, circle, cancelTimers } of this.#open.values()) {
      for (const cancel of cancelTimers) cancel()
      await held.close()
      await circle.close()
    }
    this.#open.clear()
  }

  holds(volume: VolumeId): boolean {
    return this.#open.has(volume)
  }

  get(volume: VolumeId): HeldVolume | undefined {
    return this.#open.get(volume)?.held
  }

  /** Throws `EBUSY` while some are not known yet, because what is below would be taken for nobody's. */
  trees(): TreesInPart[] {
    return this.#components.record.now.held.map(({ volume }) => {
      const held = this.get(volume)
      if (held !== undefined) return held
      throw new WarrenError('EBUSY', { message: `volume ${volume} is being opened` })
    })
  }

  list(): HeldStatus[] {
    return this.#components.record.now.held.map(record => {
      const { volume, owner, pledgeBytes } = record
      const open = this.#open.get(volume)
      const report = open?.held.report
      return {
        volume,
        owner,
        progress: report?.progress ?? 'behind',
        leaving: record.leaving || this.#stateOf(open) === 'draining',
        usedBytes: report?.usedBytes ?? 0,
        pledgeBytes,
        missingBlocks: report?.missingBlocks ?? 0,
        holds: report?.holds ?? record.holds?.sequence ?? -1
      }
    })
  }

  all(): HeldVolume[] {
    return [...this.#open.values()].map(({ held }) => held)
  }

  usedBytes(): number {
    return this.list().reduce((sum, { usedBytes }) => sum + usedBytes, 0)
  }

  /** Becomes a holder. Throws as `Replication.accept` says. */
  async accept(invitation: string, { bytes, zone, signal }: AcceptOptions): Promise<VolumeId> {
    const { volume, owner, addresses, token } = parseInvitation(invitation)
    const { peer, own, record } = this.#components
    if (volume === own) throw new WarrenError('EINVAL', { message: 'it is our own volume' })
    await this.#inTurn(async () => {
      if (this.#open.has(volume)) return
      const pledgeBytes = this.#reserve(bytes)
      const chosen = zone ?? record.now.pledge.zone
      await peer.remember(owner, addresses)
      const request = { volume, token, pledgeBytes, zone: chosen, addresses: peer.addresses() }
      const list = await reaching(() => callJoin(peer, owner, request, { signal }))
      const held = { volume, owner, addresses, pledgeBytes, zone: chosen, leaving: false }
      await this.#remember(held)
      const { circle } = await this.#openHeld(held)
      await circle.learn(list)
    })
    return volume
  }

  /** Somebody asks us to hold a volume. Throws `EACCES` when the pledge does not name it, `EDQUOT`. */
  async invited(
    volume: VolumeId,
    from: PeerId,
    { addresses }: InviteRequest
  ): Promise<InviteAnswer> {
    const { record, own } = this.#components
    const { to, zone } = record.now.pledge
    if (!to.includes(from) || volume === own) {
      throw new WarrenError('EACCES', { message: `nothing is pledged to ${from}` })
    }
    return await this.#inTurn(async () => {
      const known = record.now.held.find(held => held.volume === volume)
      if (known !== undefined) return { pledgeBytes: known.pledgeBytes, zone: known.zone }
      const pledgeBytes = this.#reserve(this.#shareOf(from))
      const held = { volume, owner: from, addresses, pledgeBytes, zone, leaving: false }
      await this.#remember(held)
      await this.#openHeld(held)
      return { pledgeBytes, zone }
    })
  }

  /** What is given from now on, to those as well who have some of it already. */
  async pledge(pledge: PledgeRecord): Promise<void> {
    await this.#inTurn(async () => {
      await this.#components.record.change(before => ({
        ...before,
        pledge,
        held: dividePledge(before, pledge)
      }))
    })
    for (const [volume, open] of this.#open) this.#tellPledge(volume, open)
    this.changes.changed()
  }

  /** Resolves when the volume is not held any more. With `drain` that is up to its owner. */
  async leave(
    volume: VolumeId,
    { drain, signal }: { readonly drain: boolean; readonly signal: AbortSignal }
  ): Promise<void> {
    const held = this.#components.record.now.held.find(record => record.volume === volume)
    if (held === undefined) throw new WarrenError('EINVAL', { message: `${volume} is not held` })
    if (!drain) {
      await this.#farewell(held)
      await this.#drop(volume)
      return
    }
    await this.#edit(volume, record => ({ ...record, leaving: true }))
    this.get(volume)?.drain()
    this.#tellLater(volume, 0)
    await this.changes.until(() => !this.#isRecorded(volume), signal)
  }

  /** Bytes of the pledge that no volume has. */
  left(): number {
    const { pledge, held } = this.#components.record.now
    return Math.max(0, pledge.bytes - held.reduce((sum, { pledgeBytes }) => sum + pledgeBytes, 0))
  }

  #reserve(bytes = this.left()): number {
    const left = this.left()
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new WarrenError('EINVAL', { message: `a pledge of ${bytes} bytes` })
    }
    if (bytes === 0 || bytes > left) {
      throw new WarrenError('EDQUOT', { message: `${bytes} bytes, and ${left} are left to pledge` })
    }
    if (this.#components.record.now.held.length >= HELD_VOLUMES_MAX) {
      throw new WarrenError('EDQUOT', { message: `over ${HELD_VOLUMES_MAX} volumes` })
    }
    return bytes
  }

  /** What is left is shared by those in the pledge who have not come yet. */
  #shareOf(from: PeerId): number {
    const { pledge, held } = this.#components.record.now
    const owners = new Set(held.map(({ owner }) => owner))
    const waiting = pledge.to.filter(peer => peer !== from && !owners.has(peer)).length
    return Math.floor(this.left() / (waiting + 1))
  }

  async #openHeld(record: HeldRecord): Promise<Open> {
    const { openHeld, peer, on } = this.#components
    const { volume, owner, addresses } = record
    await peer.remember(owner, addresses).catch(() => {})
    const circle = await this.#openCircle(volume, owner)
    try {
      const hold = (holds: NonNullable<HeldRecord['holds']>): Promise<void> =>
        this.#edit(volume, before => ({ ...before, holds }))
      const keepShare = (share: number): Promise<void> =>
        this.#edit(volume, before => ({ ...before, share }))
      const held = await openHeld({ record, circle, hold, keepShare })
      const open: Open = {
        circle,
        held,
        cancelTimers: new Set(),
        isNamed: false,
        isFull: false,
        telling: undefined,
        isOutOfReach: false
      }
      this.#open.set(volume, open)
      this.#listen(volume, open)
      on.opened(held, circle)
      this.#look(volume, open)
      if (!open.isNamed) this.#after(open, ADMIT_MS_MAX, () => this.#dropUnlessNamed(volume))
      return open
    } catch (error) {
      await circle.close()
      throw error
    }
  }

  async #openCircle(volume: VolumeId, owner: PeerId): Promise<Circle> {
    const { circles, lists } = this.#components
    const options = { sources: [owner] }
    try {
      return await circles.open(volume, options)
    } catch (error) {
      if (!isWarrenError(error, 'EIO')) throw error
      // A list that is damaged comes again, from its owner or any holder.
      await lists.delete(volume)
      return await circles.open(volume, options)
    }
  }

  #listen(volume: VolumeId, open: Open): void {
    const { on } = this.#components
    const { circle, held } = open
    circle.events.addEventListener('list', () => this.#look(volume, open))
    circle.events.addEventListener('report', ({ detail: peer }) => {
      if (!open.isOutOfReach || peer !== this.#recordOf(volume)?.owner) return
      open.isOutOfReach = false
      open.telling = undefined
      this.#tellPledge(volume, open)
    })
    held.events.addEventListener('repaired', ({ detail }) => on.repaired(volume, detail))
    held.events.addEventListener('lost', ({ detail }) => on.lost(volume, detail))
    held.events.addEventListener('report', ({ detail }) => {
      const isFull = detail.progress === 'full'
      if (isFull && !open.isFull) on.full(volume)
      open.isFull = isFull
      this.changes.changed()
    })
  }

  /** A list that named us and does not any more ends it. */
  #look(volume: VolumeId, open: Open): void {
    const wasNamed = open.isNamed
    open.isNamed = this.#stateOf(open) !== undefined
    this.changes.changed()
    this.#tellPledge(volume, open)
    const { leaving, holds } = this.#recordOf(volume) ?? {}
    const wasOurs = wasNamed || leaving === true || holds !== undefined
    const isOver = !open.isNamed && open.circle.list !== undefined && wasOurs
    if (isOver) this.#dropSoon(volume)
  }

  #stateOf(open: Open | undefined): 'active' | 'draining' | undefined {
    const { id } = this.#components.peer
    return open?.circle.list?.holders.find(({ peer }) => peer === id)?.state
  }

  #dropUnlessNamed(volume: VolumeId): void {
    if (this.#open.get(volume)?.isNamed === false) this.#dropSoon(volume)
  }

  #dropSoon(volume: VolumeId): void {
    // Should it fail, the volume is looked at again at the next start.
    this.#drop(volume).catch(() => {})
  }

  async #drop(volume: VolumeId): Promise<void> {
    const { record, lists, on } = this.#components
    await this.#inTurn(async () => {
      const open = this.#open.get(volume)
      await record.change(before => ({
        ...before,
        held: before.held.filter(held => held.volume !== volume),
        distrusted: before.distrusted.filter(distrust => distrust.volume !== volume)
      }))
      if (open !== undefined) {
        this.#open.delete(volume)
        for (const cancel of open.cancelTimers) cancel()
        on.closed(volume)
        await open.held.close()
        await open.circle.close()
      }
      await lists.delete(volume)
    })
    this.changes.changed()
  }

  /** Tells the owner that we want to leave, until it knows. */
  #tellLater(volume: VolumeId, pauseMs: number): void {
    const open = this.#open.get(volume)
    if (open !== undefined) this.#after(open, pauseMs, () => void this.#tell(volume))
  }

  async #tell(volume: VolumeId): Promise<void> {
    const { peer } = this.#components
    const held = this.#recordOf(volume)
    if (held === undefined || this.#stateOf(this.#open.get(volume)) === 'draining') return
    try {
      const request = { volume, drain: true, left: false }
      await callLeave(peer, held.owner, request, { signal: this.#ending.signal })
    } catch {
      if (!this.#ending.signal.aborted) this.#tellLater(volume, TELL_PAUSE_MS)
    }
  }

  /** Tells the owner what we give, until its list says so. */
  #tellPledge(volume: VolumeId, open: Open): void {
    const { peer } = this.#components
    const listed = open.circle.list?.holders.find(holder => holder.peer === peer.id)
    const held = this.#recordOf(volume)
    if (listed === undefined || held === undefined || this.#open.get(volume) !== open) return
    const { owner, pledgeBytes, zone } = held
    if (listed.pledgeBytes === pledgeBytes && listed.zone === zone) return
    const telling = `${pledgeBytes} ${zone}`
    if (open.telling === telling) return
    open.telling = telling
    // What it says is heard by the list; what it does not is told again.
    const { signal } = this.#ending
    callPledge(peer, owner, { volume, pledgeBytes, zone }, { signal }).catch((error: unknown) => {
      open.isOutOfReach = isWarrenError(error, 'EHOSTUNREACH') || isWarrenError(error, 'ECONNRESET')
    })
    this.#after(open, TELL_PAUSE_MS, () => {
      if (open.telling === telling) open.telling = undefined
      this.#tellPledge(volume, open)
    })
  }

  async #farewell({ volume, owner }: HeldRecord): Promise<void> {
    const { peer, clock } = this.#components
    const ending = new AbortController()
    const cancel = clock.after(FAREWELL_MS_MAX, () => ending.abort())
    const signal = AbortSignal.any([ending.signal, this.#ending.signal])
    const request = { volume, drain: false, left: true }
    // Who cannot be told finds out when we are gone.
    await callLeave(peer, owner, request, { signal }).catch(() => {})
    cancel()
  }

  #after(open: Open, pauseMs: number, work: () => void): void {
    const cancel = this.#components.clock.after(pauseMs, () => {
      open.cancelTimers.delete(cancel)
      work()
    })
    open.cancelTimers.add(cancel)
  }

  #recordOf(volume: VolumeId): HeldRecord | undefined {
    return this.#components.record.now.held.find(held => held.volume === volume)
  }

  #isRecorded(volume: VolumeId): boolean {
    return this.#recordOf(volume) !== undefined
  }

  async #remember(held: HeldRecord): Promise<void> {
    await this.#components.record.change(before => ({ ...before, held: [...before.held, held] }))
    this.changes.changed()
  }

  async #edit(volume: VolumeId, edit: (held: HeldRecord) => HeldRecord): Promise<void> {
    await this.#components.record.change(before => ({
      ...before,
      held: before.held.map(held => (held.volume === volume ? edit(held) : held))
    }))
    this.changes.changed()
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(() => {
      this.#ending.signal.throwIfAborted()
      return work()
    })
    this.#last = turn.catch(() => {})
    return await turn
  }
}

/**
 * A connection may turn out to be dead when it is used, and joining twice is joining once: it is tried
 * again, and whoever cannot be reached then is out of reach.
 */
async function reaching<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work().catch((error: unknown) => {
      if (isWarrenError(error, 'ECONNRESET')) return work()
      throw error
    })
  } catch (error) {
    if (!isWarrenError(error, 'ECONNRESET')) throw error
    throw new WarrenError('EHOSTUNREACH', { message: 'the owner', cause: error })
  }
}
