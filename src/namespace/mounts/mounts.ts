/**
 * The contract of the mount table as path resolution sees it: which directory of which volume
 * stands at a path of this peer's namespace.
 *
 * A mount point needs no directory below it: its name appears in its parent's listing because it
 * is mounted there. Its parent must exist. Something always stands at `/`.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import type { InodeNumber, Volume } from '../volume/volume.ts'

export interface Mounted {
  /** Canonical: absolute, no `.`, no `..`, no empty names, no slash at the end. */
  readonly path: string
  readonly volume: Volume
  /** The directory (or file) of the volume that stands at the path. */
  readonly inode: InodeNumber
}

export interface Mounts {
  /** What is mounted at exactly this canonical path. May ask the network for a peer's offers; throws what that throws. */
  at(path: string, options?: StoreOptions): Promise<Mounted | undefined>
  /** Names mounted directly under this canonical path. */
  namesUnder(path: string): readonly string[]
  /** Whether names that a listing of this canonical path shows as directories may lead elsewhere, as only `at` can tell. */
  mayStandUnder(path: string): boolean
  /** Whether something is mounted anywhere below this canonical path. */
  hasBelow(path: string): boolean
  /** Every volume that is mounted now. */
  volumes(): readonly Volume[]
}
