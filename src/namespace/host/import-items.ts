/** What an import has found to do, in the order in which it is done. */
import type { Stats } from 'node:fs'
import type { DirectoryEntry, Inode, InodeNumber } from '../volume/volume.ts'
import type { HostEntry } from './host-entry.ts'
import { below } from './host-entry.ts'

/** A directory on its way from the host into the volume. */
export class ImportDirectory {
  /** Relative to the folder that is imported, with slashes; empty for the folder itself. */
  readonly path: string
  readonly hostPath: string
  /** What it was in the volume when it was met; undefined when it is new. */
  readonly existing: Inode | undefined
  /** Undefined until a new one was made. */
  inode: InodeNumber | undefined
  /** Something in it was changed, and so its times. */
  touched = false

  constructor(place: { path: string; hostPath: string }, existing: Inode | undefined) {
    this.path = place.path
    this.hostPath = place.hostPath
    this.existing = existing
    this.inode = existing?.number
  }

  /** The relative path of a name in it. */
  pathOf(name: string): string {
    return below(this.path, name)
  }

  hostPathOf(name: string): string {
    return `${this.hostPath}/${name}`
  }
}

interface InDirectory {
  readonly directory: ImportDirectory
}

/** Something under a name, in the place of what the volume has under it. */
interface Named extends InDirectory {
  readonly entry: HostEntry
  readonly found: Inode | undefined
}

export interface FileItem extends Named {
  readonly kind: 'file'
  readonly hostPath: string
  /** Its size and times are those of the inode it was; only attributes may differ, or where its blocks are. */
  readonly same: Inode | undefined
}

/** One more name of a file that came before. */
export interface LinkItem extends Named {
  readonly kind: 'link'
}

export interface SymlinkItem extends Named {
  readonly kind: 'symlink'
}

export interface DirectoryItem extends Named {
  readonly kind: 'directory'
  readonly made: ImportDirectory
}

export interface RemovalItem extends InDirectory {
  readonly kind: 'removal'
  readonly gone: readonly DirectoryEntry[]
}

/** Everything in the directory came before. */
export interface EndItem extends InDirectory {
  readonly kind: 'end'
  readonly stats: Stats
}

export type ImportItem = FileItem | LinkItem | SymlinkItem | DirectoryItem | RemovalItem | EndItem
