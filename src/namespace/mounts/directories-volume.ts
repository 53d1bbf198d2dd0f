/**
 * A read-only volume that holds nothing but directories, made up as they are asked for: the
 * `/peers` directory and what leads to a share deep inside a peer's tree.
 */
import type { StoreOptions } from '../../blocks/index.ts'
import type { TypedEventTarget } from '../../peer/index.ts'
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../heads/head.ts'
import type { Tree } from '../tree/tree.ts'
import { ROOT_INODE } from '../volume/volume.ts'
import type {
  DirectoryEntry,
  EntryWithInode,
  Inode,
  InodeNumber,
  Snapshot,
  StoredExtents,
  Volume,
  VolumeEvents
} from '../volume/volume.ts'
import { childPath, parentPath } from './paths.ts'

/** Directories whose numbers are remembered, far more than are looked at at once. */
export const DIRECTORIES_MAX = 100_000

/** Names in the directory at this canonical path of the volume. */
export type Children = (path: string) => readonly string[]

export class DirectoriesVolume implements Volume, Snapshot {
  readonly id: VolumeId
  readonly writable = false
  readonly readKey = undefined
  readonly #events = new EventTarget()
  readonly #children: Children
  readonly #emptyTree: Tree
  readonly #timeMs: number
  readonly #paths = new Map<InodeNumber, string>([[ROOT_INODE, '/']])
  readonly #numbers = new Map<string, InodeNumber>([['/', ROOT_INODE]])
  #lastNumber: InodeNumber = ROOT_INODE

  constructor(id: VolumeId, emptyTree: Tree, children: Children, timeMs: number) {
    this.id = id
    this.#emptyTree = emptyTree
    this.#children = children
    this.#timeMs = timeMs
  }

  get events(): TypedEventTarget<VolumeEvents> {
    return this.#events
  }

  get tree(): Tree {
    return this.#emptyTree
  }

  async snapshot(): Promise<Snapshot> {
    return this
  }

  async inode(number: InodeNumber): Promise<Inode | undefined> {
    const path = this.#paths.get(number)
    return path === undefined ? undefined : this.#inode(path)
  }

  async inodes(numbers: readonly InodeNumber[]): Promise<(Inode | undefined)[]> {
    return Promise.all(numbers.map(number => this.inode(number)))
  }

  async lookup(directory: InodeNumber, name: string): Promise<DirectoryEntry | undefined> {
    const path = this.#paths.get(directory)
    if (path === undefined || !this.#children(path).includes(name)) return undefined
    return this.#entry(path, name)
  }

  async *entries(
    directory: InodeNumber,
    { after }: StoreOptions & { readonly after?: string } = {}
  ): AsyncGenerator<readonly DirectoryEntry[]> {
    const path = this.#paths.get(directory)
    if (path === undefined) return
    const names = this.#children(path).filter(name => after === undefined || name > after)
    if (names.length > 0) yield [...names].sort().map(name => this.#entry(path, name))
  }

  async *entriesWithInodes(
    directory: InodeNumber,
    options: StoreOptions & { readonly after?: string } = {}
  ): AsyncGenerator<readonly EntryWithInode[]> {
    for await (const entries of this.entries(directory, options)) {
      yield entries.map(entry => ({
        ...entry,
        attributes: this.#inode(this.#paths.get(entry.inode)!)
      }))
    }
  }

  entriesToShow(
    directory: InodeNumber,
    options?: StoreOptions & { readonly after?: string }
  ): AsyncGenerator<readonly EntryWithInode[]> {
    return this.entriesWithInodes(directory, options)
  }

  async content(): Promise<{ readonly inline: Uint8Array }> {
    return { inline: new Uint8Array(0) }
  }

  async inlineContents(inodes: readonly Inode[]): Promise<undefined[]> {
    return inodes.map(() => undefined)
  }

  async *read(): AsyncGenerator<Uint8Array> {}

  async attribute(): Promise<undefined> {}

  async attributes(): Promise<string[]> {
    return []
  }

  update(): Promise<never> {
    return Promise.reject(new WarrenError('EROFS'))
  }

  storeExtents(): StoredExtents {
    throw new WarrenError('EROFS')
  }

  async sync(): Promise<void> {}

  async close(): Promise<void> {}

  #entry(directory: string, name: string): DirectoryEntry {
    return { name, inode: this.#number(childPath(directory, name)), type: 'directory' }
  }

  #number(path: string): InodeNumber {
    const known = this.#numbers.get(path)
    if (known !== undefined) return known
    const number = (this.#lastNumber + 1) as InodeNumber
    this.#lastNumber = number
    this.#numbers.set(path, number)
    this.#paths.set(number, path)
    if (this.#paths.size > DIRECTORIES_MAX) this.#forgetOldest()
    return number
  }

  /** Names come from other peers, who may make up new ones for ever. */
  #forgetOldest(): void {
    for (const [number, path] of this.#paths) {
      if (number === ROOT_INODE) continue
      this.#paths.delete(number)
      this.#numbers.delete(path)
      return
    }
  }

  #inode(path: string): Inode {
    return {
      number: this.#number(path),
      generation: 1,
      type: 'directory',
      mode: 0o555,
      uid: 0,
      gid: 0,
      links: 2,
      size: 0,
      atimeMs: this.#timeMs,
      mtimeMs: this.#timeMs,
      ctimeMs: this.#timeMs,
      birthtimeMs: this.#timeMs,
      parent: this.#number(parentPath(path))
    }
  }
}
