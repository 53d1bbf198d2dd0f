/**
 * The holder list of a volume says who keeps its blocks, how much of them, and how many copies
 * there are to be. It is signed with the volume's key and passed on by anyone, so that every peer
 * computes the same placement from the same bytes.
 */
import type { VolumeId } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { Policies } from './policy.ts'

/** A draining holder gets no new copies while active ones can take them; what it has is a source. */
export type HolderState = 'active' | 'draining'

export interface Holder {
  readonly peer: PeerId
  /**
   * Bytes it has agreed to keep, from 1. It is the holder's weight in placement: twice the pledge,
   * twice the share of the blocks.
   */
  readonly pledgeBytes: number
  /**
   * What fails together: a house, a rack, a provider. Compared as it is written. The empty text
   * says that nobody knows, and all holders of whom nobody knows count as one zone.
   */
  readonly zone: string
  readonly state: HolderState
}

export interface HolderListFields extends Policies {
  /** Zero or more; larger than that of any list signed for this volume before. */
  readonly sequence: number
  readonly holders: readonly Holder[]
}

/** A list that its volume's owner signed; made by `encodeHolderList` and `decodeHolderList` only. */
export interface HolderList extends HolderListFields {
  readonly volume: VolumeId
  /** The encoded record including its signature. */
  readonly bytes: Uint8Array
}
