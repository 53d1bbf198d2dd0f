/** What imports stand on. */
import type { FileHashers, HostFileBlockStore } from '../../blocks/disk/index.ts'
import type { LocalVolume } from '../volume/local-volume.ts'
import type { Volume } from '../volume/volume.ts'

/** A volume whose blocks may be put elsewhere than into its store. */
export type ImportVolume = Volume &
  Pick<LocalVolume, 'storeExtents' | 'storeBlocks' | 'putBlocks' | 'blockBytes'>

/**
 * Where references to host files are kept. A store that is collected must hear of blocks that are
 * put there before they are: see `touch` of `CollectableBlockStore`.
 */
export type ReferenceStore = Pick<HostFileBlockStore, 'putReferences' | 'fileOf' | 'forget'>

export interface ImportComponents {
  /** For `inPlace`; without it that is refused. */
  readonly references?: ReferenceStore
  /**
   * Reads and hashes large files. Only for stores that keep nothing of the bytes they are given
   * once these are stored, as stores on disk do: its memory is used again.
   */
  readonly hashers?: FileHashers
  /** Collects the young generation: see `YoungGarbage`. */
  readonly collect?: () => void
  /**
   * Directories of the host, by their real paths, that are passed over as if they were not there:
   * where we keep blocks, which would grow by being taken in.
   */
  readonly exclude?: readonly string[]
}
