/**
 * The contract of a held volume: keeps on this peer what the holder list gives it of one volume,
 * version after version. It need not be able to read what it holds.
 *
 * Every holder has all tree nodes, so that each can say what there is, serve names alone and go on
 * when all others are gone; data blocks are placed.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { TypedEventTarget } from '../../peer/index.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import type { Inventory } from '../inventory/inventory.ts'

export interface HeldVolumeEvents {
  /** There is a new report; it was given to the circle as well. */
  report: CustomEvent<HolderReport>
  /** Blocks that were missing, damaged or another holder's part before are here now. */
  repaired: CustomEvent<{ readonly blocks: number; readonly bytes: number }>
  /** Nobody who could be reached has these. They are looked for again. */
  lost: CustomEvent<{ readonly ids: readonly BlockId[] }>
}

export interface HeldVolume {
  readonly volume: VolumeId
  readonly events: TypedEventTarget<HeldVolumeEvents>
  readonly report: HolderReport
  /** Ids of everything held of the volume. */
  readonly inventory: Inventory
  /** Roots of the versions that are held or being got: what the collector walks. */
  roots(): readonly BlockId[]
  /**
   * Whether a block is here, on disk, to stay: a node, or data that is ours as we see it. What we
   * answer other holders: of two copies that are both on their way out, neither may count on the other.
   */
  has(id: BlockId): boolean
  /** Whether a block found below the roots is kept: all nodes; data that is ours, or not yet confirmed elsewhere. */
  keeps(id: BlockId): boolean
  /** These were found damaged or missing here: they are got again. */
  missing(ids: readonly BlockId[]): void
  /** It is to be given up: nothing is trimmed any more, and the report says `drained` when it can go. */
  drain(): void
  /** Looks at everything now and not at its next occasion; resolves when it is current, or knows why not. */
  settle(options?: { readonly signal?: AbortSignal }): Promise<HolderReport>
  /** Idempotent. Syncs what is done. */
  close(): Promise<void>
}
