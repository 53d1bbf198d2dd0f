/**
 * What a holder says of itself, to everyone who holds the same volume and to its owner: how far it
 * has come, and what it counts on. It is a claim; audits tell whether it deserves belief.
 */
import type { VolumeId } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { Shares } from '../holders/shares.ts'

/**
 * - `current`: it has on disk all that placement gives it of the newest version it knows.
 * - `behind`: it is getting what it lacks.
 * - `full`: what it lacks does not fit its pledge, or its disk; it keeps the version before, whole.
 * - `drained`: it wants to leave, and everything it has is elsewhere as often as it should be.
 */
export type HolderProgress = 'current' | 'behind' | 'full' | 'drained'

export interface HolderReport {
  readonly volume: VolumeId
  readonly progress: HolderProgress
  /** Sequence of the holder list it acts by; -1: it has none. */
  readonly listSequence: number
  /** Sequence of the newest version of which it has all that is its own, synced to disk; -1: none. */
  readonly holds: number
  /** Sequence of the newest head that it knows; -1: none. */
  readonly knows: number
  /** Holders it has given up: it has taken over their part of what it says it holds. */
  readonly gone: readonly PeerId[]
  /** Holders that it believes not to take all that they are given, itself among them; as with `gone`. */
  readonly shares: Shares
  /** Of what it is given it takes this many in `SHARE_ALL` from now on, whatever it says it holds. */
  readonly share: number
  /** What it still has to get, as far as it knows. */
  readonly missingBlocks: number
  /** Bytes it stores for this volume. */
  readonly usedBytes: number
  /** Bytes it is willing to store for this volume; at most what the holder list says. */
  readonly pledgeBytes: number
}
