/** One entry of a listing, with its type: Node's `Dirent`; and with its attributes. */
import type { InodeType } from '../volume/volume.ts'
import type { Stats } from './stats.ts'

export interface DirentFields<Name extends string | Uint8Array> {
  readonly name: Name
  readonly parentPath: string
  readonly type: InodeType
}

export class Dirent<Name extends string | Uint8Array = string> {
  readonly name: Name
  /** The directory's path, as the listing was asked for. */
  readonly parentPath: string
  readonly #type: InodeType

  constructor(entry: DirentFields<Name>) {
    this.name = entry.name
    this.parentPath = entry.parentPath
    this.#type = entry.type
  }

  isFile(): boolean {
    return this.#type === 'file'
  }

  isDirectory(): boolean {
    return this.#type === 'directory'
  }

  isSymbolicLink(): boolean {
    return this.#type === 'symlink'
  }

  isBlockDevice(): boolean {
    return false
  }

  isCharacterDevice(): boolean {
    return false
  }

  isFIFO(): boolean {
    return false
  }

  isSocket(): boolean {
    return false
  }
}

/** The same with attributes: what `readdir` and `opendir` give for `withStats`. */
export class DirentWithStats<Name extends string | Uint8Array = string> extends Dirent<Name> {
  /**
   * What `lstat` would tell. Undefined for a mount that cannot be reached now, and where another
   * peer's volume has nothing that could be an entry's attributes.
   */
  readonly stats: Stats | undefined

  constructor(entry: DirentFields<Name>, stats: Stats | undefined) {
    super(entry)
    this.stats = stats
  }
}
