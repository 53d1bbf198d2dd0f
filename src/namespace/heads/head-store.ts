/**
 * The contract of a head store: for each volume the newest head we know, changed by
 * compare-and-set. With the immutable blocks this is all the state there is.
 */
import type { SignedHead, VolumeId } from './head.ts'

export interface HeadStore {
  /** Undefined: none yet. Throws `EIO` when there is one and no copy of it can be read. */
  get(volume: VolumeId): Promise<SignedHead | undefined>
  /**
   * Replaces the head of `next.volume` if its sequence still is `expected` (undefined: none yet).
   * True when it did; it then survives `kill -9` and power loss. False changed nothing. Throws
   * `EINVAL` for a head that does not supersede the one it would replace: stores move forwards.
   */
  compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean>
  /** Every volume that has a head, in no order. */
  volumes(): Promise<VolumeId[]>
  /** Forgets the head, also a damaged one; an unknown volume is ignored. */
  delete(volume: VolumeId): Promise<void>
  /** Waits for writes under way. Idempotent. Any other call afterwards throws `EBADF`. */
  close(): Promise<void>
}
