/** A snapshot reads a volume's records from an ordered map: a tree, or a tree under a transaction. */
import type { BlockReader, Descent, StoreOptions } from '../../blocks/index.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { EntryInPlace } from '../tree/entry-in-place.ts'
import type { ScanOptions, ScanRange, Tree, TreeEntry } from '../tree/tree.ts'
import { SHORT_BYTES_MAX, readContent } from './content.ts'
import {
  attributeKey,
  attributeRange,
  contentRange,
  entryKey,
  entryRange,
  extentRange,
  inlineKey,
  inodeKey,
  inodeKeys,
  nameOf
} from './keys.ts'
import { mapAhead } from './map-ahead.ts'
import { decodeEntry, decodeExtent, decodeInode, readEntry, readInode } from './records.ts'
import { EXTENT_BYTES_DEFAULT, INLINE_BYTES_MAX } from './volume.ts'
import type {
  Content,
  DirectoryEntry,
  EntryToShow,
  EntryWithInode,
  Extent,
  Inode,
  InodeNumber,
  InodeType,
  ReadRange,
  Snapshot
} from './volume.ts'

/** Leaves of names whose inodes are looked up at once: enough to fill a round trip, at most some thousand entries. */
const BATCHES_AT_ONCE = 4

/** What a snapshot asks of the map it reads. */
export type EntrySource = Pick<Tree, 'get' | 'getMany' | 'readMany' | 'scan' | 'readRange'>

export class TreeSnapshot implements Snapshot {
  readonly #tree: Tree
  readonly #entries: EntrySource
  readonly #reader: BlockReader

  constructor(tree: Tree, reader: BlockReader, entries: EntrySource = tree) {
    this.#tree = tree
    this.#entries = entries
    this.#reader = reader
  }

  get tree(): Tree {
    return this.#tree
  }

  async inode(number: InodeNumber, options?: StoreOptions): Promise<Inode | undefined> {
    const entry = await this.#entries.get(inodeKey(number), options)
    return entry && decodeInode(entry)
  }

  async inodes(
    numbers: readonly InodeNumber[],
    options?: StoreOptions
  ): Promise<(Inode | undefined)[]> {
    return await this.#entries.readMany(inodeKeys(ascending(numbers)), readInode, options)
  }

  async lookup(
    directory: InodeNumber,
    name: string,
    options?: StoreOptions
  ): Promise<DirectoryEntry | undefined> {
    const entry = await this.#entries.get(entryKey(directory, name), options)
    return entry && decodeEntry(entry)
  }

  async *entries(
    directory: InodeNumber,
    options: ScanOptions & { readonly after?: string } = {}
  ): AsyncGenerator<readonly DirectoryEntry[]> {
    yield* this.#entries.readRange(entryRange(directory, options.after), readEntry, options)
  }

  entriesToShow(
    directory: InodeNumber,
    { signal, ...options }: StoreOptions & { readonly after?: string } = {}
  ): AsyncGenerator<readonly EntryToShow[]> {
    return mapAhead<readonly DirectoryEntry[], readonly EntryToShow[]>({
      source: signal => this.entries(directory, { ...options, readAhead: true, signal }),
      work: (entries, signal) => this.#withAttributes(directory, entries, { signal }),
      atOnce: BATCHES_AT_ONCE,
      signal
    })
  }

  async *entriesWithInodes(
    directory: InodeNumber,
    options: StoreOptions & { readonly after?: string } = {}
  ): AsyncGenerator<readonly EntryWithInode[]> {
    for await (const entries of this.entriesToShow(directory, options)) {
      const unfit = entries.find(entry => entry.attributes === undefined)
      if (unfit !== undefined) {
        throw new WarrenError('EPROTO', { message: `the inode of '${unfit.name}' does not fit` })
      }
      yield entries as readonly EntryWithInode[]
    }
  }

  async content(inode: Inode, options: ReadRange = {}): Promise<Content> {
    if (inode.size <= INLINE_BYTES_MAX) {
      const entry = await this.#entries.get(inlineKey(inode.number), options)
      if (entry !== undefined) return { inline: entry.value }
      if (inode.size === 0) return { inline: new Uint8Array(0) }
    }
    return { extents: this.#extents(inode, options) }
  }

  async inlineContents(
    inodes: readonly Inode[],
    options?: StoreOptions
  ): Promise<(Uint8Array | undefined)[]> {
    const ascending = inodes.toSorted((a, b) => a.number - b.number)
    const keys = ascending.map(inode => inlineKey(inode.number))
    const entries = await this.#entries.getMany(keys, options)
    const found = new Map(ascending.map((inode, index) => [inode.number, entries[index]?.value]))
    return inodes.map(inode => found.get(inode.number) ?? emptyIf(inode.size === 0))
  }

  read(inode: Inode, range: ReadRange = {}): AsyncIterable<Uint8Array> {
    const options = { ...range, descent: descentTo(inode, range) }
    return readContent(this.#reader, inode, () => this.content(inode, options), options)
  }

  async attribute(inode: InodeNumber, name: string): Promise<Uint8Array | undefined> {
    return (await this.#entries.get(attributeKey(inode, name)))?.value
  }

  async attributes(inode: InodeNumber): Promise<string[]> {
    const names: string[] = []
    for await (const batch of this.#scan(attributeRange(inode))) {
      for (const entry of batch) names.push(nameOf(entry.key))
    }
    return names
  }

  #scan(range: ScanRange, options?: ScanOptions): AsyncIterable<readonly TreeEntry[]> {
    return this.#entries.scan(range, options)
  }

  async *#extents(inode: Inode, options: ReadRange): AsyncGenerator<readonly Extent[]> {
    const from = options.offset ?? 0
    const to = Math.min(inode.size, from + (options.length ?? Infinity))
    if (to <= from) return
    const whole = from === 0 && to === inode.size
    const range = whole ? contentRange(inode.number) : extentRange(inode.number, { from, to })
    for await (const batch of this.#scan(range, { ...options, readAhead: whole })) {
      const extents = batch.map(decodeExtent).filter(extent => extent.offset + extent.length > from)
      if (extents.length > 0) yield extents
    }
  }

  async #withAttributes(
    directory: InodeNumber,
    entries: readonly DirectoryEntry[],
    options: StoreOptions
  ): Promise<EntryToShow[]> {
    const numbers = entries.map(entry => entry.inode)
    // Inodes made together have neighbouring numbers: in that order they are one walk of the tree.
    const order = isAscending(numbers) ? undefined : [...new Set(numbers)].sort((a, b) => a - b)
    const keys = inodeKeys(order ?? numbers)
    const found = await this.#entries.readMany(keys, readAttributes, options)
    const position = order && new Map(order.map((number, index) => [number, index]))
    return entries.map(({ name, inode, type }, index) => {
      const attributes = found[position?.get(inode) ?? index]
      const fits = attributes !== undefined && belongs(attributes, type, directory)
      return { name, inode, type, attributes: fits ? attributes : undefined }
    })
  }
}

/**
 * Who reads a short range goes straight to its bytes; a long one is better asked of many. Extents
 * longer than usual are missed, and then asked for by themselves.
 */
function descentTo(
  inode: Inode,
  { offset = 0, length = Infinity, keep = true }: ReadRange
): Descent | undefined {
  const to = Math.min(inode.size, offset + length)
  if (!keep || to - offset > SHORT_BYTES_MAX || inode.size <= INLINE_BYTES_MAX) return undefined
  const range = extentRange(inode.number, { from: offset, to }, EXTENT_BYTES_DEFAULT)
  return { ...range, data: true }
}

function isAscending(numbers: readonly InodeNumber[]): boolean {
  return numbers.every((number, index) => index === 0 || (numbers[index - 1] as number) < number)
}

function ascending(numbers: readonly InodeNumber[]): readonly InodeNumber[] {
  if (numbers.some((number, index) => index > 0 && (numbers[index - 1] as number) > number)) {
    throw new TypeError('inode numbers must be in ascending order')
  }
  return numbers
}

/** Undefined for a record that nobody can read. */
function readAttributes(entry: EntryInPlace): Inode | undefined {
  try {
    return readInode(entry)
  } catch (error) {
    if (isWarrenError(error, 'EPROTO')) return undefined
    throw error
  }
}

/** One parent for each directory is what keeps a hostile tree from sending a walk in circles. */
function belongs(inode: Inode, type: InodeType, directory: InodeNumber): boolean {
  return inode.type === type && (type !== 'directory' || inode.parent === directory)
}

function emptyIf(empty: boolean): Uint8Array | undefined {
  return empty ? new Uint8Array(0) : undefined
}
