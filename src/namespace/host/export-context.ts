/** What the parts of one export share. */
import type { BlockEncoding } from '../../blocks/index.ts'
import type { ExportOptions } from '../transfer.ts'
import type { InodeNumber, Snapshot } from '../volume/volume.ts'
import type { ReferenceStore } from './import-volume.ts'
import type { Slices } from './slices.ts'
import type { TransferLog } from './transfer-log.ts'

export interface ExportContext {
  readonly snapshot: Snapshot
  /** How the volume stores blocks. Undefined: as they are. */
  readonly encoding: BlockEncoding | undefined
  readonly verify: ExportOptions['verify']
  /** Aborted by the caller, and when the export ends. */
  readonly signal: AbortSignal
  readonly slices: Slices
  readonly log: TransferLog
  /** Host paths of files with several names that came before. */
  readonly links: Map<InodeNumber, LinkedFile>
  /** Where to note which blocks the exported files hold, if nothing else keeps them. */
  readonly references: ReferenceStore | undefined
}

export interface LinkedFile {
  readonly hostPath: string
  /** Names still to come, as the volume says. */
  left: number
}
