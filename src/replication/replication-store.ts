/** The contract of what a peer remembers of replication beside the holder lists: few, small things. */
import type { BlockId } from '../blocks/index.ts'
import type { VolumeId } from '../namespace/index.ts'
import type { PeerId } from '../peer/index.ts'
import type { Distrust } from './audit-rounds/distrust.ts'

export interface PledgeRecord {
  /** Bytes that all volumes of others together may take here; 0: nothing is stored for others. */
  readonly bytes: number
  /** What fails together with this peer; see `Holder.zone`. */
  readonly zone: string
  /** Whose volumes are taken on without asking, each up to `bytes`. */
  readonly to: readonly PeerId[]
}

export interface HeldRecord {
  readonly volume: VolumeId
  readonly owner: PeerId
  /** Multiaddrs of whom we joined at, for the first start after. */
  readonly addresses: readonly string[]
  readonly pledgeBytes: number
  readonly zone: string
  readonly leaving: boolean
  /** How much of what placement gives us we take, in `SHARE_ALL`; all when absent. */
  readonly share?: number
  /** The newest version that is held whole; what is held has to be found again after a restart. */
  readonly holds?: { readonly sequence: number; readonly root: BlockId }
}

export interface InvitationRecord {
  /** 16 random bytes in base32: who knows it may become a holder, once. */
  readonly token: string
  /** Milliseconds since 1970. */
  readonly untilMs: number
}

/** A holder of the own volume, or of one that is held, whose copies are not counted. */
export interface DistrustRecord extends Distrust {
  readonly volume: VolumeId
}

export interface ReplicationRecord {
  readonly pledge: PledgeRecord
  readonly held: readonly HeldRecord[]
  /** Invitations to hold our own volume that nobody has accepted. */
  readonly invitations: readonly InvitationRecord[]
  /** Whom audits found wanting; at most `DISTRUSTED_MAX`. */
  readonly distrusted: readonly DistrustRecord[]
}

export interface ReplicationStore {
  /** What was saved last; an empty record when nothing was. */
  load(): Promise<ReplicationRecord>
  /** Resolves when it survives `kill -9` and power loss. */
  save(record: ReplicationRecord): Promise<void>
}
