/**
 * The contract of transfers between a volume and folders of the host. The implementation needs a
 * host file system and stands in `host/`, out of a browser's way.
 */
import type { InodeNumber, Volume } from './volume/volume.ts'

/** How far a long transfer has come. */
export interface TransferProgress {
  readonly files: number
  readonly bytes: number
  /** Known only after the source was listed; undefined until then. */
  readonly filesTotal?: number
  readonly bytesTotal?: number
  /** What was finished last, relative to where the transfer began. */
  readonly path: string
}

export interface TransferOptions {
  readonly signal?: AbortSignal
  /** Called at most about ten times a second, and once at the end. */
  readonly onProgress?: (progress: TransferProgress) => void
}

export interface ImportOptions extends TransferOptions {
  /**
   * Refer to the host's files instead of copying them: no second copy on disk. A file that is
   * changed later must be imported again; until then what changed is not served. Small files
   * (up to 12 KiB) are always copied. Default false.
   */
  readonly inPlace?: boolean
  /**
   * Read files again that look unchanged too (same size and modification time), which finds those
   * that were changed behind their times. All that is read counts as written. Default false.
   */
  readonly verify?: boolean
  /** Keep what is at the target and not in the source. Default false: the target becomes equal to the source. */
  readonly keepOthers?: boolean
}

export interface ExportOptions extends TransferOptions {
  /** Read the bytes of files that look unchanged (same size and mtime) too. Default false: they are skipped. */
  readonly verify?: boolean
}

export interface MirrorOptions extends ImportOptions {
  /**
   * How often the whole folder is compared beside the watching, which may miss something: writes
   * through memory maps or to network folders, for example. Milliseconds, default 5 minutes; it is
   * done less often when it takes long.
   */
  readonly fullWalkMs?: number
}

/** What a transfer did. */
export interface TransferReport {
  /** Files, directories and symlinks written. */
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  /** Bytes of the files written. */
  readonly bytes: number
  /** Files that were there already, unchanged. */
  readonly skipped: number
  /** Entries removed from the target because the source has them no more. */
  readonly removed: number
  /** What could not be carried over, and why: sockets, devices, unreadable files. */
  readonly failed: readonly { readonly path: string; readonly error: Error }[]
}

/** A directory of a volume, and a name in it: where a transfer ends or begins. */
export interface TransferPlace {
  readonly volume: Volume
  readonly directory: InodeNumber
  /** Undefined for the directory itself. */
  readonly name: string | undefined
}

/** Moves folders and files between the host and volumes. */
export interface HostTransfers {
  /** `to.volume` must be writable. */
  import(hostPath: string, to: TransferPlace, options: ImportOptions): Promise<TransferReport>
  export(from: TransferPlace, hostPath: string, options: ExportOptions): Promise<TransferReport>
  /**
   * Imports a folder and goes on taking in what changes in it, within about a second. Yields a
   * report of the first import, and one after each round that changed something or met a failure.
   * Where the host cannot watch so many directories, the whole folder is compared again and again
   * instead; a report then says `ENOSPC` for the folder itself. Ends, without an error, when
   * `signal` aborts; throws what `import` throws, also when the folder itself goes away.
   */
  mirror(
    hostPath: string,
    to: TransferPlace,
    options: MirrorOptions
  ): AsyncGenerator<TransferReport>
}
