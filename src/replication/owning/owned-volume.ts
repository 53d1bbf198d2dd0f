/**
 * The own volume as its owner sees it: who holds it, who comes and who goes. Only here lists are
 * signed. What the owner has is reported to the others like any holder's.
 */
import { WarrenError } from '../../errors.ts'
import type { LocalVolume, VolumeId } from '../../namespace/index.ts'
import type { Clock, PeerId, SigningKey } from '../../peer/index.ts'
import type { Circle } from '../circle/circle.ts'
import type { JoinRequest, LeaveRequest, PledgeRequest } from '../circle/membership-messages.ts'
import { Changes } from '../changes.ts'
import type { Holder, HolderList, HolderListFields } from '../holders/holder-list.ts'
import { SHARE_ALL, sharesOf } from '../holders/shares.ts'
import type { KeptDistrust } from '../kept-distrust.ts'
import type { KeptRecord } from '../kept-record.ts'
import type { RandomBytes } from '../random-bytes.ts'
import type { HolderStatus } from '../replication.ts'
import { Invitations } from './invitations.ts'
import { SignedList } from './signed-list.ts'

/** The owner's own report follows its commits at most this often, in milliseconds: others trim by it. */
const REPORT_PAUSE_MS = 200

export interface OwnedVolumeComponents {
  readonly self: PeerId
  readonly key: SigningKey
  readonly own: Pick<LocalVolume, 'id' | 'head' | 'snapshot'>
  readonly circle: Circle
  readonly record: KeptRecord
  readonly distrust: Pick<KeptDistrust, 'find'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Bytes stored here. */
  readonly usedBytes: () => number
}

export interface OwnedVolumeEvents {
  readonly joined: (peer: PeerId) => void
  /** It is not counted on any more, or stands in the list no more. */
  readonly gone: (peer: PeerId) => void
  readonly returned: (peer: PeerId) => void
}

export class OwnedVolume {
  readonly list: SignedList
  readonly invitations: Invitations
  /** Of the list, of what holders say, of who is there, and of the volume. */
  readonly changes: Changes = new Changes()
  readonly #components: OwnedVolumeComponents
  readonly #events: OwnedVolumeEvents
  #holders: ReadonlyMap<PeerId, Holder>
  readonly #goneNow = new Set<PeerId>()
  #cancelReport: (() => void) | undefined
  #closed = false

  constructor(components: OwnedVolumeComponents, events: OwnedVolumeEvents) {
    const { key, self, circle, record } = components
    this.#components = components
    this.#events = events
    this.list = new SignedList({ key, owner: self, zone: () => record.now.pledge.zone, circle })
    this.invitations = new Invitations(components)
    this.#holders = byPeer(circle.list)
    circle.events.addEventListener('list', this.#onList)
    circle.events.addEventListener('report', this.#onReport)
    circle.events.addEventListener('presence', this.#onPresence)
    this.#publish()
  }

  get id(): VolumeId {
    return this.#components.own.id
  }

  get circle(): Circle {
    return this.#components.circle
  }

  /** There is a new version, and it is durable here. */
  committed(): void {
    this.#reportSoon()
    this.changes.changed()
  }

  isHolder(peer: PeerId): boolean {
    return this.#holders.has(peer)
  }

  /**
   * Lets a peer in who shows an invitation. One that is in already is told so again: the answer may
   * have been lost. Throws `EACCES` for a token that is not good any more.
   */
  async join(from: PeerId, { token, pledgeBytes, zone }: JoinRequest): Promise<HolderList> {
    const { list } = this.#components.circle
    if (list !== undefined && this.isHolder(from)) return list
    const putBack = await this.invitations.take(token)
    try {
      return await this.admit({ peer: from, pledgeBytes, zone, state: 'active' })
    } catch (error) {
      await putBack().catch(() => {})
      throw error
    }
  }

  /** Makes a peer a holder, or changes what is said of one. */
  async admit(holder: Holder): Promise<HolderList> {
    if (holder.peer === this.#components.self) {
      throw new WarrenError('EINVAL', { message: 'the owner of a volume holds it already' })
    }
    await this.list.change(async fields => ({
      ...fields,
      holders: [...fields.holders.filter(({ peer }) => peer !== holder.peer), holder]
    }))
    return this.#components.circle.list!
  }

  /** A holder gives more or less from now on, or elsewhere. Throws `EACCES` for who is none. */
  async repledge(from: PeerId, { pledgeBytes, zone }: PledgeRequest): Promise<void> {
    await this.list.change(async fields => {
      const holder = fields.holders.find(({ peer }) => peer === from)
      if (holder === undefined || from === this.#components.self) {
        throw new WarrenError('EACCES', { message: `${from} holds nothing of ours` })
      }
      if (holder.pledgeBytes === pledgeBytes && holder.zone === zone) return undefined
      const holders = fields.holders.map(other =>
        other === holder ? { ...holder, pledgeBytes, zone } : other
      )
      return { ...fields, holders }
    })
  }

  /** A holder gets no new copies from now on, and is removed when it has drained. */
  async drain(peer: PeerId): Promise<void> {
    await this.list.change(async fields => {
      const holder = fields.holders.find(other => other.peer === peer)
      if (holder === undefined || holder.state === 'draining') return undefined
      const others = fields.holders.filter(other => other !== holder)
      return { ...fields, holders: [...others, { ...holder, state: 'draining' as const }] }
    })
    await this.#removeDrained()
  }

  /** Takes a peer out of the list, and of what the policies say of it. */
  async remove(peer: PeerId): Promise<void> {
    await this.list.change(async fields =>
      fields.holders.some(other => other.peer === peer) ? without(fields, peer) : undefined
    )
  }

  /** Ends with what the holder asked for when it left: `drain` keeps it until it has drained. */
  async leave(from: PeerId, { drain, left }: LeaveRequest): Promise<void> {
    if (!this.isHolder(from)) return
    if (left || !drain) await this.remove(from)
    else await this.drain(from)
  }

  holders(): HolderStatus[] {
    const { self, circle, own, distrust } = this.#components
    const counted = new Set(circle.counted().map(({ peer }) => peer))
    return this.list.now.holders.map(({ peer, pledgeBytes, zone, state }) => {
      const report = circle.reportOf(peer)
      const presence = circle.presenceOf(peer)
      const reason = distrust.find(own.id, peer)?.reason
      return {
        peer,
        owner: peer === self,
        pledgeBytes,
        zone,
        state,
        presence,
        distrusted: presence !== 'gone' && !counted.has(peer),
        ...(reason !== undefined && { distrustedFor: reason }),
        ...(report !== undefined && {
          progress: report.progress,
          usedBytes: report.usedBytes,
          missingBlocks: report.missingBlocks
        })
      }
    })
  }

  /** Signs the list again when what it says of the owner has changed. */
  async refresh(): Promise<void> {
    const { self, record, circle } = this.#components
    const own = circle.list?.holders.find(({ peer }) => peer === self)
    if (own === undefined || own.zone === record.now.pledge.zone) return
    await this.list.change(async fields => fields)
  }

  close(): void {
    const { circle } = this.#components
    this.#closed = true
    this.#cancelReport?.()
    circle.events.removeEventListener('list', this.#onList)
    circle.events.removeEventListener('report', this.#onReport)
    circle.events.removeEventListener('presence', this.#onPresence)
  }

  readonly #onList = (): void => {
    const { self, circle } = this.#components
    this.list.remember()
    const before = this.#holders
    this.#holders = byPeer(circle.list)
    for (const peer of this.#holders.keys()) {
      if (!before.has(peer) && peer !== self) this.#events.joined(peer)
    }
    for (const peer of before.keys()) {
      if (this.#holders.has(peer)) continue
      if (!this.#goneNow.delete(peer)) this.#events.gone(peer)
    }
    this.#publish()
    this.changes.changed()
  }

  readonly #onReport = ({ detail }: CustomEvent<PeerId>): void => {
    if (detail === this.#components.self) return
    if (this.#components.circle.reportOf(detail)?.progress === 'drained') this.#removeSoon()
    this.changes.changed()
  }

  readonly #onPresence = ({
    detail: { holder, presence }
  }: CustomEvent<{ readonly holder: PeerId; readonly presence: string }>): void => {
    if (presence === 'gone') {
      this.#goneNow.add(holder)
      this.#events.gone(holder)
      this.#removeSoon()
    } else if (this.#goneNow.delete(holder)) this.#events.returned(holder)
    this.#publish()
    this.changes.changed()
  }

  #removeSoon(): void {
    // What fails is tried again with the next thing that the holder says.
    this.#removeDrained().catch(() => {})
  }

  /** Of one that is gone nothing can be got: it is drained as well as it ever will be. */
  async #removeDrained(): Promise<void> {
    const { circle } = this.#components
    for (const { peer, state } of this.list.now.holders) {
      if (state !== 'draining') continue
      const isDrained = circle.reportOf(peer)?.progress === 'drained'
      if (isDrained || circle.presenceOf(peer) === 'gone') await this.remove(peer)
    }
  }

  #reportSoon(): void {
    if (this.#closed) return
    this.#cancelReport ??= this.#components.clock.after(REPORT_PAUSE_MS, () => {
      this.#cancelReport = undefined
      this.#publish()
    })
  }

  #publish(): void {
    const { self, own, circle, usedBytes } = this.#components
    const { list } = circle
    if (this.#closed || list === undefined) return
    const counted = new Set(circle.counted().map(({ peer }) => peer))
    const holds = own.head?.sequence ?? -1
    circle.publish({
      volume: own.id,
      progress: 'current',
      listSequence: list.sequence,
      holds,
      knows: holds,
      gone: list.holders.map(({ peer }) => peer).filter(peer => !counted.has(peer)),
      shares: sharesOf(circle.counted()),
      share: SHARE_ALL,
      missingBlocks: 0,
      usedBytes: usedBytes(),
      pledgeBytes: list.holders.find(({ peer }) => peer === self)?.pledgeBytes ?? 0
    })
  }
}

function byPeer(list: HolderList | undefined): ReadonlyMap<PeerId, Holder> {
  return new Map((list?.holders ?? []).map(holder => [holder.peer, holder]))
}

function without(fields: HolderListFields, peer: PeerId): HolderListFields {
  const unnamed = (policy: HolderListFields['policy']): HolderListFields['policy'] =>
    policy.on.includes(peer) ? { ...policy, on: policy.on.filter(other => other !== peer) } : policy
  return {
    ...fields,
    policy: unnamed(fields.policy),
    overrides: new Map([...fields.overrides].map(([inode, policy]) => [inode, unnamed(policy)])),
    holders: fields.holders.filter(other => other.peer !== peer)
  }
}
