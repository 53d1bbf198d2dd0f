/**
 * Values of a volume's tree: CBOR arrays, version 1. A volume may come from a hostile owner, so
 * everything read back is checked; what does not fit is `EPROTO`.
 *
 *     volume record = [1, nextInode]
 *     inode record  = [generation, type, mode, uid, gid, links, size,
 *                      atimeMs, mtimeMs, ctimeMs, birthtimeMs, parent, target?]
 *     entry         = [inode, type]                 type: 0 file, 1 directory, 2 symlink
 *     extent        = length                        its block is the entry's link
 */
import { decode, encode } from 'cborg'
import { BLOCK_BYTES_MAX } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import type { EntryInPlace } from '../tree/entry-in-place.ts'
import { inPlace } from '../tree/entry-in-place.ts'
import type { TreeEntry } from '../tree/tree.ts'
import { FILE_BYTES_MAX, inodeIn, nameIn, offsetOf } from './keys.ts'
import type { DirectoryEntry, Extent, Inode, InodeNumber, InodeType } from './volume.ts'
import { isName } from './names.ts'
import { readNumbers } from './read-numbers.ts'

const FORMAT = 1
const TYPES: readonly InodeType[] = ['file', 'directory', 'symlink']
/** Linux refuses longer ones, and nobody means them. */
export const TARGET_BYTES_MAX = 4096

export interface VolumeRecord {
  readonly nextInode: InodeNumber
}

export function encodeVolumeRecord(record: VolumeRecord): Uint8Array {
  return encode([FORMAT, record.nextInode])
}

export function decodeVolumeRecord(bytes: Uint8Array): VolumeRecord {
  const [format, nextInode] = decodeArray(bytes, 2, 2)
  if (format !== FORMAT) throw malformed(`volume format ${String(format)}`)
  return { nextInode: natural(nextInode) as InodeNumber }
}

export function encodeInode(inode: Inode): Uint8Array {
  const fields: unknown[] = [
    inode.generation,
    TYPES.indexOf(inode.type),
    inode.mode,
    inode.uid,
    inode.gid,
    inode.links,
    inode.size,
    inode.atimeMs,
    inode.mtimeMs,
    inode.ctimeMs,
    inode.birthtimeMs,
    inode.parent
  ]
  if (inode.target !== undefined) fields.push(inode.target)
  return encode(fields)
}

/** Scratch space: what is read into them is taken out before anything else is read. */
const inodeNumbers = new Float64Array(12)
const entryNumbers = new Float64Array(2)

export function decodeInode(entry: TreeEntry): Inode {
  return readInode(inPlace(entry))
}

export function readInode(entry: EntryInPlace): Inode {
  // All but symlinks are numbers only.
  const fields: ArrayLike<unknown> = readNumbers(entry, inodeNumbers)
    ? inodeNumbers
    : decodeArray(valueOf(entry), 12, 13)
  const type = typeOf(fields[1])
  const target = fields[12]
  if ((type === 'symlink') !== (typeof target === 'string')) throw malformed('symlink target')
  const inode: Inode = {
    number: inodeIn(entry),
    generation: natural(fields[0]),
    type,
    mode: natural(fields[2]) & 0o7777,
    uid: natural(fields[3]),
    gid: natural(fields[4]),
    links: natural(fields[5]),
    size: sizeOf(fields[6]),
    atimeMs: finite(fields[7]),
    mtimeMs: finite(fields[8]),
    ctimeMs: finite(fields[9]),
    birthtimeMs: finite(fields[10]),
    parent: natural(fields[11])
  }
  return typeof target === 'string' ? { ...inode, target } : inode
}

export function encodeEntry(entry: Pick<DirectoryEntry, 'inode' | 'type'>): Uint8Array {
  return encode([entry.inode, TYPES.indexOf(entry.type)])
}

export function decodeEntry(entry: TreeEntry): DirectoryEntry {
  return readEntry(inPlace(entry))
}

export function readEntry(entry: EntryInPlace): DirectoryEntry {
  const fields: ArrayLike<unknown> = readNumbers(entry, entryNumbers)
    ? entryNumbers
    : decodeArray(valueOf(entry), 2, 2)
  const inode = natural(fields[0]) as InodeNumber
  const type = typeOf(fields[1])
  const name = nameIn(entry)
  if (!isName(name)) throw malformed('name')
  return { name, inode, type }
}

export function encodeExtent(extent: Extent): Uint8Array {
  return encode(extent.length)
}

export function decodeExtent(entry: TreeEntry): Extent {
  if (entry.link === undefined) throw malformed('extent')
  const length = decodeExtentLength(entry.value)
  return { offset: offsetOf(entry.key), length, block: entry.link }
}

export function decodeExtentLength(bytes: Uint8Array): number {
  const length = decodeValue(bytes)
  if (typeof length !== 'number' || !Number.isInteger(length)) throw malformed('extent')
  if (length < 1 || length > BLOCK_BYTES_MAX) throw malformed('extent')
  return length
}

function valueOf({ valueBytes, valueFrom, valueTo }: EntryInPlace): Uint8Array {
  return valueBytes.subarray(valueFrom, valueTo)
}

function typeOf(value: unknown): InodeType {
  const type = typeof value === 'number' ? TYPES[value] : undefined
  if (type === undefined) throw malformed('inode type')
  return type
}

function natural(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed('number')
  }
  return value
}

function sizeOf(value: unknown): number {
  const size = natural(value)
  if (size > FILE_BYTES_MAX) throw malformed('size')
  return size
}

function finite(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw malformed('time')
  return value
}

function decodeArray(bytes: Uint8Array, lengthMin: number, lengthMax: number): unknown[] {
  const value = decodeValue(bytes)
  if (!Array.isArray(value) || value.length < lengthMin || value.length > lengthMax) {
    throw malformed('array length')
  }
  return value as unknown[]
}

function decodeValue(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { strict: true, allowIndefinite: false })
  } catch (cause) {
    throw new WarrenError('EPROTO', { message: 'a malformed volume record', cause })
  }
}

function malformed(what: string): WarrenError {
  return new WarrenError('EPROTO', { message: `a malformed volume record: ${what}` })
}
