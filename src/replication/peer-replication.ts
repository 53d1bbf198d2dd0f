/** The replication that apps hold: its verbs forward to the parts that `openReplication` has wired. */
import type { BlockId, TreesInPart } from '../blocks/index.ts'
import { WarrenError } from '../errors.ts'
import type { SignedHead, VolumeId } from '../namespace/index.ts'
import type { Clock, PeerId, TypedEventTarget } from '../peer/index.ts'
import { within } from './changes.ts'
import type { KeptAddresses } from './addresses/kept-addresses.ts'
import type { CopiesOf } from './check/copies-check.ts'
import type { Circles } from './circle/circle.ts'
import type { HeldVolumes } from './held-volumes.ts'
import { isZone } from './holders/limits.ts'
import type { Policy } from './holders/policy.ts'
import type { KeptRecord } from './kept-record.ts'
import { copiesForCheck } from './owning/copies-for-check.ts'
import type { CopiesNow } from './owning/copies-now.ts'
import { ASK_MS, MOVE_MS } from './owning/own-replication.ts'
import type { OwnReplication } from './owning/own-replication.ts'
import type { OwnedVolume } from './owning/owned-volume.ts'
import type { WantedPolicy } from './owning/policies.ts'
import type { ReplicationWatch } from './owning/replication-watch.ts'
import type { Upkeep } from './upkeep/upkeep.ts'
import type { FindHoldersQuestion, HolderSearch } from './readers/find-holders.ts'
import type {
  HeldStatus,
  HolderStatus,
  PledgeOptions,
  PledgeReport,
  Replication,
  ReplicationEvents,
  ReplicationStatus,
  WaitOptions
} from './replication.ts'

/** A link is passed on by people: two more who have it make it long enough. */
const HINTS_MAX = 2

export interface PeerReplicationParts {
  readonly self: PeerId
  readonly clock: Clock
  readonly record: KeptRecord
  readonly addresses: KeptAddresses
  readonly events: TypedEventTarget<ReplicationEvents>
  readonly circles: Circles
  readonly owned: OwnedVolume
  readonly copies: CopiesNow
  readonly watch: ReplicationWatch
  readonly upkeep: Upkeep
  readonly own: OwnReplication
  readonly held: HeldVolumes
  /** Begins to answer others. Returns how to stop. */
  readonly serve: () => () => void
  /** Begins to look for holders of what is read here. */
  readonly findHolders: PeerReplication['findHolders']
}

export class PeerReplication implements Replication {
  readonly #parts: PeerReplicationParts
  #unserve: (() => void) | undefined
  #isStopped = false

  constructor(parts: PeerReplicationParts) {
    this.#parts = parts
  }

  get events(): TypedEventTarget<ReplicationEvents> {
    return this.#parts.events
  }

  /** Serves, and goes on with what was held. Called once, when the peer runs. */
  async start(): Promise<void> {
    this.#unserve = this.#parts.serve()
    await this.#parts.held.start()
    this.#parts.upkeep.start()
    this.#parts.addresses.start()
  }

  /** Leaves no call, timer or listener behind. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    const { held, owned, watch, upkeep, circles, addresses } = this.#parts
    this.#unserve?.()
    await addresses.stop()
    await upkeep.stop()
    await held.stop()
    watch.close()
    owned.close()
    await circles.close()
  }

  /** Somebody has read this here, and it was not what it should be. */
  damaged(id: BlockId): void {
    this.#parts.upkeep.damaged([id])
  }

  /** There is a new version of the own volume, and it is durable here. */
  committed(head: SignedHead): void {
    const { copies, owned, watch } = this.#parts
    copies.committed(head)
    owned.committed()
    watch.committed()
  }

  /** Whether a peer may know the heads of a volume because of what it or we hold. */
  mayRead(volume: VolumeId, from: PeerId): boolean {
    const { owned, held } = this.#parts
    return volume === owned.id ? owned.isHolder(from) : held.holds(volume)
  }

  /** Holders of the own volume, to read its blocks from. */
  sources(): PeerId[] {
    const { owned, self } = this.#parts
    return owned.circle.counted().flatMap(({ peer }) => (peer === self ? [] : [peer]))
  }

  /** For a check of the own volume: how many copies there are, as holders say now. */
  copiesOf(options: { readonly signal: AbortSignal }): Promise<CopiesOf> {
    const { copies, owned } = this.#parts
    return copiesForCheck(copies, owned.list.now, options)
  }

  /** Some of those who have a volume and are there, for links to it. */
  hints(volume: VolumeId): readonly PeerId[] {
    const { circles, self } = this.#parts
    const circle = circles.get(volume)
    const present = (circle?.counted() ?? []).filter(
      ({ peer }) => peer !== self && circle?.presenceOf(peer) === 'present'
    )
    return present.slice(0, HINTS_MAX).map(({ peer }) => peer)
  }

  /** Trees that stay in part. */
  trees(): TreesInPart[] {
    return this.#parts.held.trees()
  }

  get findHolders(): (question: FindHoldersQuestion) => HolderSearch {
    return this.#parts.findHolders
  }

  set(path: string, policy: WantedPolicy): Promise<void> {
    return this.#parts.own.set(path, policy)
  }

  unset(path: string): Promise<void> {
    return this.#parts.own.unset(path)
  }

  policy(path: string): Promise<Policy & { readonly from: string }> {
    return this.#parts.own.policy(path)
  }

  replicate(path: string, options: WaitOptions & { readonly on: PeerId }): Promise<void> {
    return this.#parts.own.replicate(path, options)
  }

  invite(peer?: PeerId, options?: WaitOptions): Promise<string> {
    return this.#parts.own.invite(peer, options)
  }

  async accept(
    invitation: string,
    options: WaitOptions & { readonly bytes?: number; readonly zone?: string } = {}
  ): Promise<VolumeId> {
    const { signal, timeoutMs = ASK_MS, ...wanted } = options
    requireZone(wanted.zone)
    const { clock, held } = this.#parts
    const what = 'an answer of the owner'
    return await within(clock, { ...(signal && { signal }), timeoutMs, what }, ending =>
      held.accept(invitation, { ...wanted, signal: ending })
    )
  }

  async leave(
    options: WaitOptions & { readonly volume?: VolumeId; readonly drain?: boolean } = {}
  ): Promise<void> {
    const { signal, timeoutMs = MOVE_MS, volume, drain = true } = options
    const { clock, held } = this.#parts
    const volumes = volume === undefined ? held.list().map(status => status.volume) : [volume]
    const what = 'what is here is elsewhere'
    await within(clock, { ...(signal && { signal }), timeoutMs, what }, async ending => {
      await Promise.all(volumes.map(each => held.leave(each, { drain, signal: ending })))
    })
  }

  remove(peer: PeerId, options: WaitOptions & { readonly drain?: boolean } = {}): Promise<void> {
    return this.#parts.own.remove(peer, options)
  }

  async pledge({ bytes, to, zone }: PledgeOptions): Promise<void> {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new WarrenError('EINVAL', { message: `a pledge of ${bytes} bytes` })
    }
    requireZone(zone)
    const { record, owned, held } = this.#parts
    const before = record.now.pledge
    await held.pledge({ bytes, to: to ?? before.to, zone: zone ?? before.zone })
    await owned.refresh()
  }

  pledged(): PledgeReport {
    const { record, held } = this.#parts
    return { ...record.now.pledge, usedBytes: held.usedBytes() }
  }

  held(): readonly HeldStatus[] {
    return this.#parts.held.list()
  }

  holders(): readonly HolderStatus[] {
    return this.#parts.owned.holders()
  }

  status(path?: string, options?: WaitOptions): Promise<ReplicationStatus> {
    return this.#parts.own.status(path, options)
  }

  durable(path: string, options?: WaitOptions & { readonly copies?: number }): Promise<void> {
    return this.#parts.own.durable(path, options)
  }
}

function requireZone(zone: string | undefined): void {
  if (zone === undefined || isZone(zone)) return
  throw new WarrenError('EINVAL', { message: 'a zone is at most 64 bytes of text' })
}
