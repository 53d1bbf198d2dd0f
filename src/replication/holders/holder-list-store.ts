/** The contract of a holder list store: for each volume the list that counts of all it was given. */
import type { VolumeId } from '../../namespace/index.ts'
import type { HolderList } from './holder-list.ts'

export interface HolderListStore {
  /** Undefined: none yet. Throws `EIO` when there is one and it cannot be read. */
  get(volume: VolumeId): Promise<HolderList | undefined>
  /**
   * Keeps the list if it supersedes the one that is there. True when it did; it then survives
   * `kill -9` and power loss. False changed nothing. Throws `EIO` when the one that is there
   * cannot be read: whether this one is newer is not known then.
   */
  put(next: HolderList): Promise<boolean>
  /** Every volume that has a list, in no order. */
  volumes(): Promise<VolumeId[]>
  /** Forgets the list, also a damaged one; an unknown volume is ignored. */
  delete(volume: VolumeId): Promise<void>
  /** Waits for writes under way. Idempotent. Any other call afterwards throws `EBADF`. */
  close(): Promise<void>
}
