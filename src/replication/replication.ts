/**
 * The contract of replication as an app sees it: how many copies the own volume is to have and
 * where they are, and what this peer keeps for others.
 *
 * The owner of a volume is one of its holders: the blocks it has are copies like those of the
 * others, so `replicas: 3` with two friends is the owner's disk and theirs.
 */
import type { BlockId } from '../blocks/index.ts'
import type { VolumeId } from '../namespace/index.ts'
import type { PeerId, TypedEventTarget } from '../peer/index.ts'
import type { DistrustReason } from './audit-rounds/distrust.ts'
import type { HolderProgress } from './circle/holder-report.ts'
import type { Presence } from './circle/circle.ts'
import type { HolderState } from './holders/holder-list.ts'
import type { Policy } from './holders/policy.ts'

export interface WaitOptions {
  readonly signal?: AbortSignal
  /** Milliseconds until `ETIMEDOUT`. Each verb has a default. */
  readonly timeoutMs?: number
}

export interface PledgeOptions {
  /**
   * Bytes that volumes of others may take here in all; 0 takes nothing more on, and drops nothing.
   * Volumes that are held already have as much more or less of it as it is more or less than before.
   * What is too much then goes when other holders have it.
   */
  readonly bytes: number
  /** Peers whose volumes are taken on when they invite us, without asking. Default: as before, at first nobody. */
  readonly to?: readonly PeerId[]
  /** What fails together with this peer: a house, a rack. Default: as before, at first ''. */
  readonly zone?: string
}

export interface PledgeReport {
  readonly bytes: number
  readonly to: readonly PeerId[]
  readonly zone: string
  /** Bytes that volumes of others take here now. */
  readonly usedBytes: number
}

/** A holder of a volume as it is seen from here. */
export interface HolderStatus {
  readonly peer: PeerId
  readonly owner: boolean
  readonly pledgeBytes: number
  readonly zone: string
  readonly state: HolderState
  readonly presence: Presence
  /** Audits found it wanting: its copies are not counted. */
  readonly distrusted: boolean
  /** Why, also while it is gone; undefined: it is not distrusted. */
  readonly distrustedFor?: DistrustReason
  /** What it said last; undefined: nothing was heard since we began. */
  readonly progress?: HolderProgress
  readonly usedBytes?: number
  readonly missingBlocks?: number
}

/** A volume of somebody else's that is kept here. */
export interface HeldStatus {
  readonly volume: VolumeId
  readonly owner: PeerId
  readonly progress: HolderProgress
  readonly leaving: boolean
  readonly usedBytes: number
  readonly pledgeBytes: number
  readonly missingBlocks: number
  /** Sequence of the newest version that is here as far as it is ours; -1: none. */
  readonly holds: number
}

export interface Amount {
  readonly files: number
  readonly bytes: number
}

/** What is below one path, by how many copies of it there are at this moment. */
export interface FolderStatus {
  readonly path: string
  readonly policy: Policy
  readonly total: Amount
  /**
   * Index: copies, at holders that are counted on and say they have it (the owner's too). A file
   * counts with its rarest block, bytes with their own. What is known to be there and was not
   * asked for, such as a copy that is about to be trimmed, is not counted.
   */
  readonly copies: readonly Amount[]
  /** Fewer copies than the policy's `minimum`. */
  readonly endangered: Amount
  /** Paths with no copy at all, at most a hundred. */
  readonly lost: readonly string[]
}

export interface ReplicationStatus {
  readonly volume: VolumeId
  /** Sequence of the version that was looked at. */
  readonly version: number
  /** The path asked for, then its directories, in order of names. */
  readonly folders: readonly FolderStatus[]
  readonly holders: readonly HolderStatus[]
  readonly repairing: {
    readonly blocks: number
    readonly bytes: number
    /** At the rate of the last minute; undefined: nothing moves. */
    readonly estimatedMs?: number
  }
}

export interface ReplicationEvents {
  'holder-joined': CustomEvent<{ readonly volume: VolumeId; readonly peer: PeerId }>
  /** It was silent for longer than the grace period, or has left. */
  'holder-gone': CustomEvent<{ readonly volume: VolumeId; readonly peer: PeerId }>
  'holder-returned': CustomEvent<{ readonly volume: VolumeId; readonly peer: PeerId }>
  /** Its copies are not counted from now on, because audits found it wanting. */
  'holder-distrusted': CustomEvent<{
    readonly volume: VolumeId
    readonly peer: PeerId
    readonly reason: DistrustReason
  }>
  /** It has proven enough of what it claims to be counted on again. */
  'holder-trusted': CustomEvent<{ readonly volume: VolumeId; readonly peer: PeerId }>
  /** Some of the own volume has fewer copies than it should. */
  'under-replicated': CustomEvent<{ readonly volume: VolumeId; readonly holders: number }>
  /** Everything has as many copies as it should again, or for the first time. */
  replicated: CustomEvent<{ readonly volume: VolumeId; readonly version: number }>
  /** Blocks that were missing here are here. */
  repaired: CustomEvent<{
    readonly volume: VolumeId
    readonly blocks: number
    readonly bytes: number
  }>
  /** Nobody who can be reached has these blocks. */
  lost: CustomEvent<{ readonly volume: VolumeId; readonly ids: readonly BlockId[] }>
  /** Here (scrub) or at another holder (audit). */
  'corrupt-found': CustomEvent<{
    readonly volume: VolumeId
    readonly peer: PeerId
    readonly blocks: number
  }>
  /** A holder has no room for its part within its pledge. */
  'pledge-exceeded': CustomEvent<{ readonly volume: VolumeId; readonly peer: PeerId }>
}

export interface Replication {
  readonly events: TypedEventTarget<ReplicationEvents>

  /**
   * How many copies everything below a directory of the own volume is to have. Overrides what was
   * set above it; what is set at `/` is the default. Throws `EINVAL` for a minimum over the replicas,
   * `EROFS` for a path of another's volume, `ENOTSUP` for a directory of a sealed volume other than `/`,
   * because holders cannot see directories there.
   */
  set(
    path: string,
    policy: { readonly replicas: number | 'all'; readonly minimum?: number }
  ): Promise<void>
  /** Takes back what was set at exactly this path; at `/`: one copy, as it was at first. */
  unset(path: string): Promise<void>
  /** The policy that counts for a path, and where it was set. */
  policy(path: string): Promise<Policy & { readonly from: string }>
  /** These holders have a copy of all that is below, whatever placement says. Resolves when they have it on disk. */
  replicate(path: string, options: WaitOptions & { readonly on: PeerId }): Promise<void>

  /**
   * Text for somebody who shall hold the own volume: whoever accepts it first becomes a holder. With
   * a peer whose pledge names us it is accepted at once, before this resolves. It opens nothing of a sealed volume.
   */
  invite(peer?: PeerId, options?: WaitOptions): Promise<string>
  /**
   * Becomes a holder of the volume that an invitation is for. Throws `EINVAL`, `EHOSTUNREACH` when its
   * owner cannot be reached, `EACCES` when it was accepted before or has expired, `EDQUOT` when
   * `bytes` (default: what the pledge has left) is more than the pledge has left, or none is.
   */
  accept(
    invitation: string,
    options?: WaitOptions & { readonly bytes?: number; readonly zone?: string }
  ): Promise<VolumeId>
  /**
   * Ends holding a volume of somebody else's, or every one. With `drain` (the default) only when what
   * is here is elsewhere as often as it should be; resolves then. Without, at once.
   */
  leave(
    options?: WaitOptions & { readonly volume?: VolumeId; readonly drain?: boolean }
  ): Promise<void>
  /** Has a holder of the own volume drained and removed, or removed at once when `drain` is false. */
  remove(peer: PeerId, options?: WaitOptions & { readonly drain?: boolean }): Promise<void>

  /** What this peer stores for others. Survives a restart. Owners of what is held are told, those that are away when they are met. */
  pledge(options: PledgeOptions): Promise<void>
  pledged(): PledgeReport
  /** The volumes of others that are kept here. */
  held(): readonly HeldStatus[]
  /** The holders of the own volume. */
  holders(): readonly HolderStatus[]

  /** How many copies of what there are right now. Default: `/`. */
  status(path?: string, options?: WaitOptions): Promise<ReplicationStatus>
  /**
   * Resolves when everything below a path of the own volume, as it is now, is on disk at `copies`
   * holders (default: as many as its policy says). Throws `EINVAL` for more than there can be,
   * `ETIMEDOUT` (default 30 s).
   */
  durable(path: string, options?: WaitOptions & { readonly copies?: number }): Promise<void>
}

export type { HolderProgress, HolderState, Policy, Presence }
