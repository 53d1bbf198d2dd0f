/**
 * Keys of a volume's tree, ordered so that what is read together stands together.
 *
 *     key      = volume / metadata / content / orphan
 *     volume   = 00                               the volume record
 *     metadata = 01 inode kind rest               inode record, entries by name, attributes by name
 *     content  = 02 inode kind rest               inline bytes, extents by offset
 *     orphan   = 03 inode                         inodes without a name that are still open
 *     inode    = 6 bytes, big endian
 *     kind     = 1 byte
 *
 * Metadata stands apart from content (docs/decisions/002), so that listing a directory of small
 * files fetches their attributes and none of their bytes.
 */
import { BLOCK_BYTES_MAX } from '../../blocks/index.ts'
import type { KeyRange } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { EntryInPlace } from '../tree/entry-in-place.ts'
import type { KeyList, ScanRange } from '../tree/tree.ts'
import { ROOT_INODE } from './volume.ts'
import type { InodeNumber } from './volume.ts'

const VOLUME = 0
const METADATA = 1
const CONTENT = 2
const ORPHAN = 3

const INODE_RECORD = 0
const ENTRY = 1
const ATTRIBUTE = 2

const INLINE = 0
const EXTENT = 1

const INODE_BYTES = 6
/** Region and inode: what all keys of one inode in one region begin with. */
export const GROUP_BYTES: number = 1 + INODE_BYTES
const PREFIX_BYTES = 1 + INODE_BYTES + 1

/** The largest offset a key can carry: 256 TiB less one. */
export const FILE_BYTES_MAX: number = 2 ** (8 * INODE_BYTES) - 1

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const ASCII_MAX = 0x7f
/** Up to this many characters are put together one by one. */
const SHORT_NAME = 32

export const VOLUME_KEY: Uint8Array = Uint8Array.of(VOLUME)

export function inodeKey(inode: InodeNumber): Uint8Array {
  return prefix(METADATA, inode, INODE_RECORD, 0)
}

/** The same for ascending numbers, in one array that is written again for each. */
export function inodeKeys(inodes: readonly InodeNumber[]): KeyList {
  const key = prefix(METADATA, ROOT_INODE, INODE_RECORD, 0)
  return {
    length: inodes.length,
    at(index) {
      writeNumber(key, 1, inodes[index] as number)
      return key
    }
  }
}

export function entryKey(directory: InodeNumber, name: string): Uint8Array {
  return nameKey(directory, ENTRY, name)
}

export function attributeKey(inode: InodeNumber, name: string): Uint8Array {
  return nameKey(inode, ATTRIBUTE, name)
}

export function inlineKey(inode: InodeNumber): Uint8Array {
  return prefix(CONTENT, inode, INLINE, 0)
}

export function extentKey(inode: InodeNumber, offset: number): Uint8Array {
  const key = prefix(CONTENT, inode, EXTENT, INODE_BYTES)
  writeNumber(key, PREFIX_BYTES, offset)
  return key
}

export function orphanKey(inode: InodeNumber): Uint8Array {
  return prefix(ORPHAN, inode, 0, 0)
}

export function entryRange(directory: InodeNumber, after?: string): ScanRange {
  return nameRange(directory, ENTRY, after)
}

export function attributeRange(inode: InodeNumber): ScanRange {
  return nameRange(inode, ATTRIBUTE)
}

/** Everything of an inode in the metadata region: its record, entries and attributes. */
export function metadataRange(inode: InodeNumber): ScanRange {
  return {
    from: prefix(METADATA, inode, 0, 0),
    to: prefix(METADATA, (inode + 1) as InodeNumber, 0, 0)
  }
}

/** Everything of an inode in the content region. */
export function contentRange(inode: InodeNumber): ScanRange {
  return {
    from: prefix(CONTENT, inode, 0, 0),
    to: prefix(CONTENT, (inode + 1) as InodeNumber, 0, 0)
  }
}

/**
 * A range that has every extent touching `[from, to)`: none is longer than `longest` bytes, so the
 * one that holds `from` begins at most that far before it. By default the range misses none whatever.
 */
export function extentRange(
  inode: InodeNumber,
  { from, to }: { readonly from: number; readonly to: number },
  longest: number = BLOCK_BYTES_MAX
): KeyRange {
  return {
    from: extentKey(inode, Math.max(0, from - longest + 1)),
    to: extentKey(inode, Math.min(to, FILE_BYTES_MAX))
  }
}

export function orphanRange(): ScanRange {
  return { from: Uint8Array.of(ORPHAN), to: Uint8Array.of(ORPHAN + 1) }
}

/** The name in an entry's or attribute's key. Throws `EPROTO` when it is not UTF-8. */
export function nameOf(key: Uint8Array): string {
  return textIn(key, PREFIX_BYTES, key.length)
}

export function nameIn({ keyBytes, keyFrom, keyTo }: EntryInPlace): string {
  return textIn(keyBytes, keyFrom + PREFIX_BYTES, keyTo)
}

/** Codes of one name, kept so that none is made for each. */
const codes: number[] = []

function textIn(bytes: Uint8Array, from: number, to: number): string {
  codes.length = 0
  for (let at = from; at < to; at++) {
    const code = bytes[at] as number
    // Calling a decoder costs more than all of a short name.
    if (code > ASCII_MAX || codes.length === SHORT_NAME) return decodedIn(bytes, from, to)
    codes.push(code)
  }
  return String.fromCharCode.apply(undefined, codes)
}

function decodedIn(bytes: Uint8Array, from: number, to: number): string {
  try {
    return decoder.decode(bytes.subarray(from, to))
  } catch (cause) {
    throw new WarrenError('EPROTO', { message: 'a name that is not UTF-8', cause })
  }
}

export function offsetOf(key: Uint8Array): number {
  return readNumber(key, PREFIX_BYTES)
}

export function inodeOf(key: Uint8Array): InodeNumber {
  return readNumber(key, 1) as InodeNumber
}

export function inodeIn({ keyBytes, keyFrom, keyTo }: EntryInPlace): InodeNumber {
  if (keyTo - keyFrom < GROUP_BYTES) throw new WarrenError('EPROTO', { message: 'short key' })
  return readNumber(keyBytes, keyFrom + 1) as InodeNumber
}

/** What an entry of the tree is about, for those who look at the differences of two versions. */
export function kindOf(key: Uint8Array): 'inode' | 'entry' | 'attribute' | 'content' | 'other' {
  if (key[0] === CONTENT) return 'content'
  if (key[0] !== METADATA) return 'other'
  const kind = key[1 + INODE_BYTES]
  if (kind === ENTRY) return 'entry'
  return kind === ATTRIBUTE ? 'attribute' : 'inode'
}

export type KeyType = 'volume' | 'inode' | 'entry' | 'attribute' | 'inline' | 'extent' | 'orphan'

const METADATA_TYPES: readonly KeyType[] = ['inode', 'entry', 'attribute']
const CONTENT_TYPES: readonly KeyType[] = ['inline', 'extent']

/** What a key is the key of; undefined for one that nobody should have written. */
export function typeOfKey(key: Uint8Array): KeyType | undefined {
  if (key[0] === VOLUME) return key.length === 1 ? 'volume' : undefined
  if (key.length < PREFIX_BYTES) return undefined
  const kind = key[1 + INODE_BYTES]!
  if (key[0] === METADATA) return METADATA_TYPES[kind]
  if (key[0] === CONTENT) return CONTENT_TYPES[kind]
  return key[0] === ORPHAN && kind === 0 ? 'orphan' : undefined
}

/**
 * The inodes, from the first to the last, of which a range of keys may have something in a region;
 * undefined when it has nothing of the region.
 */
export function inodesWithin(
  { from = EMPTY, to }: ScanRange,
  of: 'metadata' | 'content'
): { readonly first: number; readonly last: number } | undefined {
  const region = of === 'metadata' ? METADATA : CONTENT
  const [begin, end] = [from[0] ?? 0, to?.[0] ?? ORPHAN + 1]
  if (begin > region || end < region || (end === region && to?.length === 1)) return undefined
  const first = begin < region ? 0 : readPadded(from)
  if (to === undefined || end > region) return { first, last: Number.MAX_SAFE_INTEGER }
  return { first, last: to.length > GROUP_BYTES ? readPadded(to) : readPadded(to) - 1 }
}

/** Whether a range of keys has something of the content region at most. */
export function isContentOnly({ from, to }: ScanRange): boolean {
  if (from?.[0] !== CONTENT) return false
  return to?.[0] === CONTENT || (to?.[0] === ORPHAN && to.length === 1)
}

const EMPTY = new Uint8Array(0)

/** The inode in a key that may have been cut short, as the separators of a tree are. */
function readPadded(key: Uint8Array): number {
  const padded = new Uint8Array(GROUP_BYTES)
  padded.set(key.subarray(0, GROUP_BYTES))
  return readNumber(padded, 1)
}

/** Keys as text whose order is the keys' order, for maps. */
export function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

function nameKey(inode: InodeNumber, kind: number, name: string): Uint8Array {
  const bytes = encoder.encode(name)
  const key = prefix(METADATA, inode, kind, bytes.length)
  key.set(bytes, PREFIX_BYTES)
  return key
}

function nameRange(inode: InodeNumber, kind: number, after?: string): ScanRange {
  return {
    // A zero byte appended gives the smallest key above `after` itself.
    from:
      after === undefined ? prefix(METADATA, inode, kind, 0) : nameKey(inode, kind, after + '\0'),
    to: prefix(METADATA, inode, kind + 1, 0)
  }
}

function prefix(region: number, inode: InodeNumber, kind: number, restBytes: number): Uint8Array {
  const key = new Uint8Array(PREFIX_BYTES + restBytes)
  key[0] = region
  writeNumber(key, 1, inode)
  key[1 + INODE_BYTES] = kind
  return key
}

function writeNumber(target: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32)
  target[at] = high >>> 8
  target[at + 1] = high
  target[at + 2] = value >>> 24
  target[at + 3] = value >>> 16
  target[at + 4] = value >>> 8
  target[at + 5] = value
}

function readNumber(source: Uint8Array, at: number): number {
  if (source.length < at + INODE_BYTES) throw new WarrenError('EPROTO', { message: 'short key' })
  const high = (source[at]! << 8) | source[at + 1]!
  const low =
    (source[at + 2]! << 24) | (source[at + 3]! << 16) | (source[at + 4]! << 8) | source[at + 5]!
  return high * 2 ** 32 + (low >>> 0)
}
