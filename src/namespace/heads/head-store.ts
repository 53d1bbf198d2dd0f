/**
 * The contract of a head store: for each volume the newest head we know, changed by
 * compare-and-set. With the immutable blocks this is all the state there is.
 */
import type { SignedHead, VolumeId } from './head.ts'

export interface HeadStore {
  get(volume: VolumeId): Promise<SignedHead | undefined>
  /**
   * Replaces the head of `next.volume` if its sequence still is `expected` (undefined: none yet).
   * True when it did; it then survives `kill -9` and power loss. False changed nothing.
   */
  compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean>
  volumes(): Promise<VolumeId[]>
  delete(volume: VolumeId): Promise<void>
  close(): Promise<void>
}
