/** One entry of a listing, with its type: Node's `Dirent`. */
import type { InodeType } from '../volume/volume.ts'

export class Dirent<Name extends string | Uint8Array = string> {
  readonly name: Name
  /** The directory's path, as the listing was asked for. */
  readonly parentPath: string
  readonly #type: InodeType

  constructor(entry: {
    readonly name: Name
    readonly parentPath: string
    readonly type: InodeType
  }) {
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
