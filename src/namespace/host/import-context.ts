/** What the parts of one import share. */
import type { FileHashers } from '../../blocks/disk/index.ts'
import type { InodeNumber, Snapshot } from '../volume/volume.ts'
import type { ImportVolume, ReferenceStore } from './import-volume.ts'
import type { WholeFileReader } from './read-host-file.ts'
import type { Slices } from './slices.ts'
import type { TransferLog } from './transfer-log.ts'
import type { YoungGarbage } from './young-garbage.ts'

export interface ImportContext {
  readonly volume: ImportVolume
  readonly references: ReferenceStore | undefined
  readonly hashers: FileHashers | undefined
  readonly wholeFiles: WholeFileReader
  readonly garbage: YoungGarbage
  readonly exclude: ReadonlySet<string>
  readonly inPlace: boolean
  readonly keepOthers: boolean
  /** Inodes of host files with several names, by `hostKey`; undefined while on its way into the volume. */
  readonly links: Map<string, InodeNumber | undefined>
  /** Files that were in place and are now copied. */
  readonly copied: string[]
  readonly slices: Slices
  readonly signal: AbortSignal | undefined
  readonly log: TransferLog
}

export function snapshotOf({ volume, signal }: ImportContext): Promise<Snapshot> {
  return volume.snapshot(signal === undefined ? {} : { signal })
}
