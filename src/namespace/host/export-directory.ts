/** A directory of a volume on its way to the host. */
import type { Inode } from '../volume/volume.ts'
import { below } from './host-entry.ts'

export class ExportDirectory {
  /** Relative to where the export began, with slashes; empty for the beginning itself. */
  readonly path: string
  readonly hostPath: string
  readonly inode: Inode
  /** Directories above it. */
  readonly depth: number
  /** False when no directory was there when it was looked for: then nothing in it was either. */
  wasThere = true
  /** It could not be made, or what stands in its place must not be written to. */
  failed = false

  constructor(
    place: { readonly path: string; readonly hostPath: string; readonly depth: number },
    inode: Inode
  ) {
    this.path = place.path
    this.hostPath = place.hostPath
    this.depth = place.depth
    this.inode = inode
  }

  child(name: string, inode: Inode): ExportDirectory {
    const place = {
      path: this.pathOf(name),
      hostPath: this.hostPathOf(name),
      depth: this.depth + 1
    }
    return new ExportDirectory(place, inode)
  }

  pathOf(name: string): string {
    return below(this.path, name)
  }

  hostPathOf(name: string): string {
    return `${this.hostPath}/${name}`
  }
}
