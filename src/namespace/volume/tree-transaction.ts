/**
 * A transaction reads its own changes over a tree and hands them over at the end.
 *
 * Changed inodes are kept decoded until then: making a thousand files in a directory touches the
 * directory's inode a thousand times and encodes it once.
 */
import type { BlockReader, StoreOptions } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { Change, Tree, TreeEntry } from '../tree/tree.ts'
import {
  VOLUME_KEY,
  attributeKey,
  contentRange,
  entryKey,
  extentKey,
  extentRange,
  FILE_BYTES_MAX,
  inlineKey,
  inodeKey,
  metadataRange,
  offsetOf,
  orphanKey
} from './keys.ts'
import { assertName } from './names.ts'
import { Overlay } from './overlay.ts'
import type { RepairTransaction } from './repair-transaction.ts'
import {
  TARGET_BYTES_MAX,
  decodeExtent,
  decodeVolumeRecord,
  encodeEntry,
  encodeExtent,
  encodeInode,
  encodeVolumeRecord
} from './records.ts'
import { TreeSnapshot } from './tree-snapshot.ts'
import { INLINE_BYTES_MAX, ROOT_INODE } from './volume.ts'
import type { DirectoryEntry, Extent, Inode, InodeNumber, InodePatch, NewInode } from './volume.ts'

/** An attribute's value must fit beside others in a node; Linux allows the same for most file systems. */
export const ATTRIBUTE_BYTES_MAX = 4096

export interface TransactionContext {
  readonly reader: BlockReader
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** Sequence of the version this will be part of. */
  readonly generation: number
}

interface Place {
  readonly directory: InodeNumber
  readonly name: string
}

type Keep = { readonly keep?: (inode: InodeNumber) => boolean }

export class TreeTransaction extends TreeSnapshot implements RepairTransaction {
  readonly #overlay: Overlay
  readonly #context: TransactionContext
  /** Changed inodes; undefined where the inode was removed. */
  readonly #inodes = new Map<InodeNumber, Inode | undefined>()
  #nextInode: InodeNumber | undefined

  constructor(tree: Tree, context: TransactionContext) {
    const overlay = new Overlay(tree)
    super(tree, context.reader, overlay)
    this.#overlay = overlay
    this.#context = context
  }

  /** Everything this transaction changed, for `Tree.apply`. */
  changes(): Change[] {
    for (const [number, inode] of this.#inodes) {
      if (inode === undefined) this.#overlay.remove(inodeKey(number))
      else this.#overlay.set(inodeKey(number), encodeInode(inode))
    }
    if (this.#nextInode !== undefined) {
      this.#overlay.set(VOLUME_KEY, encodeVolumeRecord({ nextInode: this.#nextInode }))
    }
    return this.#overlay.changes()
  }

  /** Makes the root directory of a new volume. */
  createRoot(mode: number): void {
    this.#nextInode = (ROOT_INODE + 1) as InodeNumber
    const inode = this.#newInode(ROOT_INODE, { type: 'directory', mode }, ROOT_INODE)
    this.#inodes.set(ROOT_INODE, { ...inode, links: 2 })
  }

  override async inode(number: InodeNumber, options?: StoreOptions): Promise<Inode | undefined> {
    return this.#inodes.has(number) ? this.#inodes.get(number) : super.inode(number, options)
  }

  override async inodes(
    numbers: readonly InodeNumber[],
    options?: StoreOptions
  ): Promise<(Inode | undefined)[]> {
    const found = await super.inodes(numbers, options)
    return numbers.map((number, index) =>
      this.#inodes.has(number) ? this.#inodes.get(number) : found[index]
    )
  }

  async create(directory: InodeNumber, name: string, template: NewInode): Promise<Inode> {
    await this.#expectFree(directory, name)
    const number = await this.#allocate()
    const isDirectory = template.type === 'directory'
    const made = this.#newInode(number, template, isDirectory ? directory : 0)
    const inode = { ...made, links: isDirectory ? 2 : 1 }
    this.#inodes.set(number, inode)
    if (inode.size > 0 && template.inline !== undefined) {
      this.#overlay.set(inlineKey(number), template.inline)
    }
    await this.#addEntry(directory, { name, inode: number, type: inode.type })
    return inode
  }

  async createUnlinked(template: NewInode): Promise<Inode> {
    if (template.type === 'directory') throw new WarrenError('EINVAL')
    const inode = this.#newInode(await this.#allocate(), template, 0)
    this.#inodes.set(inode.number, inode)
    if (inode.size > 0 && template.inline !== undefined) {
      this.#overlay.set(inlineKey(inode.number), template.inline)
    }
    this.#overlay.set(orphanKey(inode.number), new Uint8Array(0))
    return inode
  }

  async link(directory: InodeNumber, name: string, number: InodeNumber): Promise<void> {
    const inode = await this.#expectInode(number)
    if (inode.type === 'directory') throw new WarrenError('EPERM')
    await this.#expectFree(directory, name)
    if (inode.links === 0) this.#overlay.remove(orphanKey(number))
    this.#set({ ...inode, links: inode.links + 1, ctimeMs: this.#context.nowMs })
    await this.#addEntry(directory, { name, inode: number, type: inode.type })
  }

  async unlink(directory: InodeNumber, name: string, { keep }: Keep = {}): Promise<Inode> {
    const entry = await this.#expectEntry(directory, name)
    const inode = await this.#expectInode(entry.inode)
    if (inode.type === 'directory') {
      if (!(await this.#isEmpty(inode.number))) throw new WarrenError('ENOTEMPTY')
      await this.#removeEntry(directory, entry)
      await this.#free(inode)
      return { ...inode, links: 0 }
    }
    await this.#removeEntry(directory, entry)
    return this.#dropName(inode, keep)
  }

  async release(number: InodeNumber): Promise<void> {
    const inode = await this.inode(number)
    if (inode === undefined || inode.links > 0) return
    this.#overlay.remove(orphanKey(number))
    await this.#free(inode)
  }

  async rename(from: Place, to: Place, options: Keep = {}): Promise<void> {
    const entry = await this.#expectEntry(from.directory, from.name)
    await this.#expectDirectory(to.directory)
    assertName(to.name)
    const replaced = await this.lookup(to.directory, to.name)
    if (replaced?.inode === entry.inode) return
    if (entry.type === 'directory') await this.#refuseInside(entry.inode, to.directory)
    if (replaced !== undefined) await this.#replace(to, entry, replaced, options)
    await this.#removeEntry(from.directory, entry)
    await this.#addEntry(to.directory, { ...entry, name: to.name })
    const inode = await this.#expectInode(entry.inode)
    const parent = inode.type === 'directory' ? to.directory : 0
    this.#set({ ...inode, parent, ctimeMs: this.#context.nowMs })
  }

  async patch(number: InodeNumber, patch: InodePatch): Promise<Inode> {
    const inode = await this.#expectInode(number)
    return this.#set({ ...inode, ctimeMs: this.#context.nowMs, ...patch })
  }

  async setAttribute(
    number: InodeNumber,
    name: string,
    value: Uint8Array | undefined
  ): Promise<void> {
    assertName(name)
    if (value !== undefined && value.length > ATTRIBUTE_BYTES_MAX) {
      throw new WarrenError('EFBIG', { message: `attribute over ${ATTRIBUTE_BYTES_MAX} bytes` })
    }
    const inode = await this.#expectInode(number)
    if (value === undefined) this.#overlay.remove(attributeKey(number, name))
    else this.#overlay.set(attributeKey(number, name), value)
    this.#set({ ...inode, ctimeMs: this.#context.nowMs })
  }

  async setInline(number: InodeNumber, bytes: Uint8Array): Promise<Inode> {
    checkInline('file', bytes)
    const inode = await this.#expectFile(number)
    await this.#clearContent(inode)
    if (bytes.length > 0) this.#overlay.set(inlineKey(number), bytes)
    return this.#touch(inode, bytes.length)
  }

  async setExtents(
    number: InodeNumber,
    change: { from: number; to: number; extents: readonly Extent[]; size: number }
  ): Promise<Inode> {
    const inode = await this.#expectFile(number)
    const { from, to, extents, size } = change
    if (size > FILE_BYTES_MAX) throw new WarrenError('EFBIG', { message: `${size} bytes` })
    if (inode.size <= INLINE_BYTES_MAX) this.#overlay.remove(inlineKey(number))
    await this.#removeExtents(inode, from, to)
    if (size < inode.size) await this.#removeExtents(inode, size, inode.size)
    for (const extent of extents) {
      if (extent.offset < from || extent.offset + extent.length > Math.min(to, size)) {
        throw new WarrenError('EINVAL', { message: `extent at ${extent.offset} is out of range` })
      }
      this.#overlay.set(extentKey(number, extent.offset), encodeExtent(extent), extent.block)
    }
    return this.#touch(inode, size)
  }

  async shareContent(from: InodeNumber, to: InodeNumber): Promise<Inode> {
    const source = await this.#expectFile(from)
    const target = await this.#expectFile(to)
    if (from === to) return target
    await this.#clearContent(target)
    const content = await this.content(source)
    if ('inline' in content) {
      if (content.inline.length > 0) this.#overlay.set(inlineKey(to), content.inline)
      return this.#touch(target, source.size)
    }
    for await (const extents of content.extents) {
      for (const extent of extents) {
        this.#overlay.set(extentKey(to, extent.offset), encodeExtent(extent), extent.block)
      }
    }
    return this.#touch(target, source.size)
  }

  putInode(inode: Inode): void {
    this.#set(inode)
  }

  async adopt(
    directory: InodeNumber,
    name: string,
    { number, subdirectories }: { number: InodeNumber; subdirectories: number }
  ): Promise<void> {
    const inode = await this.#expectInode(number)
    await this.#expectFree(directory, name)
    const isDirectory = inode.type === 'directory'
    const links = isDirectory ? 2 + subdirectories : 1
    const parent = isDirectory ? directory : 0
    this.unmarkOrphan(number)
    this.#set({ ...inode, links, parent, ctimeMs: this.#context.nowMs })
    await this.#addEntry(directory, { name, inode: number, type: inode.type })
  }

  putEntry(directory: InodeNumber, entry: DirectoryEntry): void {
    this.#overlay.set(entryKey(directory, entry.name), encodeEntry(entry))
  }

  unmarkOrphan(inode: InodeNumber): void {
    this.#overlay.remove(orphanKey(inode))
  }

  async raiseNextInode(next: InodeNumber): Promise<void> {
    const known = await this.#allocate().catch(() => next)
    this.#nextInode = known < next ? next : known
  }

  async #allocate(): Promise<InodeNumber> {
    if (this.#nextInode === undefined) {
      const record = await this.#overlay.get(VOLUME_KEY)
      if (record === undefined) throw new WarrenError('EIO', { message: 'no volume record' })
      this.#nextInode = decodeVolumeRecord(record.value).nextInode
    }
    const number = this.#nextInode
    this.#nextInode = (number + 1) as InodeNumber
    return number
  }

  #newInode(number: InodeNumber, template: NewInode, parent: number): Inode {
    const { nowMs, generation } = this.#context
    const target = template.target
    if ((template.type === 'symlink') !== (target !== undefined)) throw new WarrenError('EINVAL')
    if (template.inline !== undefined) checkInline(template.type, template.inline)
    const targetBytes = target === undefined ? 0 : new TextEncoder().encode(target).length
    if (targetBytes > TARGET_BYTES_MAX) throw new WarrenError('ENAMETOOLONG')
    const inode: Inode = {
      number,
      generation,
      type: template.type,
      mode: template.mode & 0o7777,
      uid: template.uid ?? 0,
      gid: template.gid ?? 0,
      links: 0,
      size: template.inline?.length ?? targetBytes,
      atimeMs: template.atimeMs ?? nowMs,
      mtimeMs: template.mtimeMs ?? nowMs,
      ctimeMs: nowMs,
      birthtimeMs: template.birthtimeMs ?? nowMs,
      parent
    }
    return target === undefined ? inode : { ...inode, target }
  }

  #set(inode: Inode): Inode {
    this.#inodes.set(inode.number, inode)
    return inode
  }

  #touch(inode: Inode, size: number): Inode {
    const nowMs = this.#context.nowMs
    return this.#set({ ...inode, size, mtimeMs: nowMs, ctimeMs: nowMs })
  }

  async #addEntry(number: InodeNumber, entry: DirectoryEntry): Promise<void> {
    this.#overlay.set(entryKey(number, entry.name), encodeEntry(entry))
    await this.#touchDirectory(number, entry.type === 'directory' ? 1 : 0)
  }

  async #removeEntry(number: InodeNumber, entry: DirectoryEntry): Promise<void> {
    this.#overlay.remove(entryKey(number, entry.name))
    await this.#touchDirectory(number, entry.type === 'directory' ? -1 : 0)
  }

  async #touchDirectory(number: InodeNumber, linksChange: number): Promise<void> {
    const directory = await this.#expectDirectory(number)
    const nowMs = this.#context.nowMs
    const links = directory.links + linksChange
    this.#set({ ...directory, links, mtimeMs: nowMs, ctimeMs: nowMs })
  }

  /** Takes one name from a file or symlink, and the inode itself with its last one. */
  async #dropName(inode: Inode, keep: Keep['keep']): Promise<Inode> {
    const left = { ...inode, links: inode.links - 1, ctimeMs: this.#context.nowMs }
    if (left.links > 0) return this.#set(left)
    if (keep?.(inode.number) === true) {
      this.#overlay.set(orphanKey(inode.number), new Uint8Array(0))
      return this.#set(left)
    }
    await this.#free(inode)
    return left
  }

  async #replace(
    place: Place,
    entry: DirectoryEntry,
    replaced: DirectoryEntry,
    options: Keep
  ): Promise<void> {
    if (replaced.type === 'directory' && entry.type !== 'directory') throw new WarrenError('EISDIR')
    if (replaced.type !== 'directory' && entry.type === 'directory') {
      throw new WarrenError('ENOTDIR')
    }
    await this.unlink(place.directory, place.name, options)
  }

  async #refuseInside(moved: InodeNumber, target: InodeNumber): Promise<void> {
    for (let at = target; at !== ROOT_INODE;) {
      if (at === moved) throw new WarrenError('EINVAL', { message: 'a directory into itself' })
      at = (await this.#expectDirectory(at)).parent as InodeNumber
    }
    if (moved === ROOT_INODE) throw new WarrenError('EBUSY')
  }

  async #isEmpty(directory: InodeNumber): Promise<boolean> {
    for await (const _ of this.entries(directory)) return false
    return true
  }

  async #free(inode: Inode): Promise<void> {
    this.#inodes.set(inode.number, undefined)
    for await (const batch of this.#overlay.scan(metadataRange(inode.number))) {
      for (const entry of batch) this.#overlay.remove(entry.key)
    }
    if (inode.type === 'file') await this.#clearContent(inode)
  }

  async #clearContent(inode: Inode): Promise<void> {
    if (inode.size === 0) return
    for await (const batch of this.#overlay.scan(contentRange(inode.number))) {
      for (const entry of batch) this.#overlay.remove(entry.key)
    }
  }

  /** Extents that begin inside the range go; one that reaches into it was the caller's to rewrite. */
  async #removeExtents(inode: Inode, from: number, to: number): Promise<void> {
    if (to <= from) return
    for await (const batch of this.#overlay.scan(extentRange(inode.number, { from, to }))) {
      for (const entry of batch) {
        if (offsetOf(entry.key) >= from) this.#overlay.remove(entry.key)
        else refuseOverlap(entry, from)
      }
    }
  }

  async #expectInode(number: InodeNumber): Promise<Inode> {
    const inode = await this.inode(number)
    if (inode === undefined) throw new WarrenError('ENOENT')
    return inode
  }

  async #expectFile(number: InodeNumber): Promise<Inode> {
    const inode = await this.#expectInode(number)
    if (inode.type === 'directory') throw new WarrenError('EISDIR')
    if (inode.type === 'symlink') throw new WarrenError('EINVAL')
    return inode
  }

  async #expectDirectory(number: InodeNumber): Promise<Inode> {
    const inode = await this.#expectInode(number)
    if (inode.type !== 'directory') throw new WarrenError('ENOTDIR')
    return inode
  }

  async #expectEntry(directory: InodeNumber, name: string): Promise<DirectoryEntry> {
    await this.#expectDirectory(directory)
    const entry = await this.lookup(directory, name)
    if (entry === undefined) throw new WarrenError('ENOENT')
    return entry
  }

  async #expectFree(directory: InodeNumber, name: string): Promise<void> {
    assertName(name)
    await this.#expectDirectory(directory)
    if ((await this.lookup(directory, name)) !== undefined) throw new WarrenError('EEXIST')
  }
}

function checkInline(type: Inode['type'], bytes: Uint8Array): void {
  if (type !== 'file') throw new WarrenError('EINVAL', { message: `content of a ${type}` })
  if (bytes.length > INLINE_BYTES_MAX) {
    throw new WarrenError('EFBIG', { message: `inline content over ${INLINE_BYTES_MAX} bytes` })
  }
}

function refuseOverlap(entry: TreeEntry, from: number): void {
  const { offset, length } = decodeExtent(entry)
  if (offset + length > from) {
    throw new WarrenError('EINVAL', { message: `an extent at ${offset} reaches over ${from}` })
  }
}
