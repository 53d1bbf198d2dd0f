/**
 * The format of a tree node: one dag-cbor block, so that tools of the IPFS world can walk a
 * volume. Its links stand in clear, all else is in a byte string of its own that can be sealed: a
 * holder that cannot read a volume can still follow, verify and collect its blocks.
 *
 *     node  = [1, links, body]           version, list of links, byte string
 *     links = [* 42(h'00' + CID)]        CIDv1, sha2-256, 36 bytes, as dag-cbor writes links
 *     body  = bytes .cbor (leaf / inner)
 *     leaf  = [0, [* (key, value)], [* owner]]
 *     inner = [level, [+ separator]]
 *
 * In a leaf keys and values alternate, both byte strings, keys strictly ascending (bytewise).
 * `owner` is the index of an entry; the n-th owner has the n-th link, owners strictly ascending,
 * as many as there are links. In an inner node the children are the links in order, at least two;
 * `level` is one more than theirs; separator n is after every key below child n and not after any
 * key below child n + 1; there is one separator less than there are links.
 *
 * Every integer and length is in its shortest form, nothing follows the last item, so equal nodes
 * have equal bytes. In a sealed volume such a node is sealed before it becomes a block, as version 2
 * (blocks/encoding/sealed-node.ts); who comes upon one here has not the read key.
 *
 * Limits: `KEY_BYTES_MAX` for keys and separators, `VALUE_BYTES_MAX` for values,
 * levels under `LEVELS_MAX`, `BLOCK_BYTES_MAX` for the whole. Only a root may be an empty leaf.
 *
 * Example: a leaf with the entry `a` = `b` and no link:
 *
 *     83 01 80 48  83 00 82 41 61 41 62 80
 */
import { BLOCK_BYTES_MAX, DIGEST_BYTES } from '../../blocks/index.ts'
import { WarrenError } from '../../errors.ts'
import { ARRAY, BYTE_STRING, CborCursor, headBytes, writeByteString, writeHead } from './cbor.ts'
import { InnerNode } from './inner-node.ts'
import { KeyIndex } from './key-index.ts'
import { EMPTY_KEY } from './keys.ts'
import type { Leaf, LeafEntry } from './leaf.ts'
import { LINK_BYTES, LINK_OWNER_BYTES, PackedLeaf } from './leaf.ts'
import { KEY_BYTES_MAX, LEVELS_MAX, VALUE_BYTES_MAX } from './limits.ts'
import { Link } from './link.ts'

/** A node as it comes out of a block. */
export type StoredNode = PackedLeaf | InnerNode

const VERSION = 1
const SEALED_VERSION = 2

/** What stands before the 36 bytes of every link: tag 42, a byte string of 37 bytes, the multibase prefix. */
const LINK_PREFIX: readonly number[] = [0xd8, 0x2a, 0x58, 0x25, 0x00]
const CID_VERSION = 1
const SHA2_256 = 0x12
const RAW = 0x55
const DAG_CBOR = 0x71

/** Encodes a leaf. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  if (leaf instanceof PackedLeaf) return leaf.block
  const entries = leaf.entries()
  const links: Link[] = []
  const owners: number[] = []
  let items = 0
  for (const [index, entry] of entries.entries()) {
    items += itemBytes(entry.key) + itemBytes(entry.value)
    if (entry.link === undefined) continue
    links.push(entry.link)
    owners.push(index)
  }
  let tail = headBytes(owners.length)
  for (const owner of owners) tail += headBytes(owner)
  const bodyBytes = 2 + headBytes(2 * entries.length) + items + tail
  const frame = openFrame(links, bodyBytes)
  const { bytes } = frame
  let at = writeHead(bytes, frame.at, { major: ARRAY, argument: 3 })
  at = writeHead(bytes, at, { major: 0, argument: 0 })
  at = writeEntries(bytes, at, entries)
  at = writeHead(bytes, at, { major: ARRAY, argument: owners.length })
  for (const owner of owners) at = writeHead(bytes, at, { major: 0, argument: owner })
  return bytes
}

/** Encodes an inner node; every child must be a block by now, `links` names them in order. */
export function encodeInner(node: InnerNode, links: readonly Link[]): Uint8Array {
  const separators = node.lowers.length - 1
  let bodyBytes = 1 + headBytes(node.level) + headBytes(separators)
  for (let index = 1; index <= separators; index++) bodyBytes += itemBytes(node.lower(index))
  const frame = openFrame(links, bodyBytes)
  const { bytes } = frame
  let at = writeHead(bytes, frame.at, { major: ARRAY, argument: 2 })
  at = writeHead(bytes, at, { major: 0, argument: node.level })
  at = writeHead(bytes, at, { major: ARRAY, argument: separators })
  for (let index = 1; index <= separators; index++) {
    at = writeByteString(bytes, at, node.lower(index))
  }
  return bytes
}

/**
 * Reads a node. Throws `EPROTO` unless the bytes are exactly one node, `EACCES` when they are sealed.
 * What it gives keeps `block`, which nobody may change any more.
 */
export function decodeNode(block: Uint8Array): StoredNode {
  const { cursor, linksAt, level } = openNode(block)
  const node = level === 0 ? readLeaf(cursor, linksAt) : readInner(cursor, level, linksAt)
  cursor.end()
  return node
}

/** How far the node is above the leaves. Throws as `decodeNode` does, and reads less. */
export function levelOf(block: Uint8Array): number {
  return openNode(block).level
}

/** Reads all that stands before the entries or the separators. */
function openNode(block: Uint8Array): {
  readonly cursor: CborCursor
  readonly linksAt: Uint32Array
  readonly level: number
} {
  if (block.length > BLOCK_BYTES_MAX) {
    refuse(`${block.length} bytes, ${BLOCK_BYTES_MAX} at most`)
  }
  const cursor = new CborCursor(block)
  if (cursor.array() !== 3) refuse('not a list of three')
  const version = cursor.unsigned()
  if (version === SEALED_VERSION) {
    throw new WarrenError('EACCES', { message: 'the volume is sealed and its read key not known' })
  }
  if (version !== VERSION) refuse(`version ${version}, ${VERSION} is known`)
  const linksAt = readLinks(cursor)
  const bodyBytes = cursor.byteString()
  cursor.end()
  cursor.position = block.length - bodyBytes
  const items = cursor.array()
  const level = cursor.unsigned()
  if (level >= LEVELS_MAX) refuse(`level ${level}, less than ${LEVELS_MAX} expected`)
  if (items !== (level === 0 ? 3 : 2)) refuse(`a body of ${items} items at level ${level}`)
  return { cursor, linksAt, level }
}

/** The packed form of a leaf. */
export function packLeaf(leaf: Leaf): PackedLeaf {
  return leaf instanceof PackedLeaf ? leaf : (decodeNode(encodeLeaf(leaf)) as PackedLeaf)
}

function itemBytes(bytes: Uint8Array): number {
  return headBytes(bytes.length) + bytes.length
}

/** Allocates a node and writes all that stands before its body. */
function openFrame(
  links: readonly Link[],
  bodyBytes: number
): { readonly bytes: Uint8Array; readonly at: number } {
  const before = 2 + headBytes(links.length) + LINK_BYTES * links.length
  const bytes = new Uint8Array(before + headBytes(bodyBytes) + bodyBytes)
  let at = writeHead(bytes, 0, { major: ARRAY, argument: 3 })
  at = writeHead(bytes, at, { major: 0, argument: VERSION })
  at = writeHead(bytes, at, { major: ARRAY, argument: links.length })
  for (const link of links) {
    bytes.set(LINK_PREFIX, at)
    link.writeTo(bytes, at + LINK_PREFIX.length)
    at += LINK_BYTES
  }
  return { bytes, at: writeHead(bytes, at, { major: BYTE_STRING, argument: bodyBytes }) }
}

function writeEntries(bytes: Uint8Array, from: number, entries: readonly LeafEntry[]): number {
  let at = writeHead(bytes, from, { major: ARRAY, argument: 2 * entries.length })
  for (const { key, value } of entries) {
    at = writeByteString(bytes, at, key)
    at = writeByteString(bytes, at, value)
  }
  return at
}

/** Checks every link and gives the positions of their 36 bytes. */
function readLinks(cursor: CborCursor): Uint32Array {
  const count = cursor.array()
  if (count * LINK_BYTES > cursor.left) refuse(`${count} links in ${cursor.left} bytes`)
  const positions = new Uint32Array(count)
  for (let index = 0; index < count; index++) {
    checkLink(cursor.bytes, cursor.position)
    positions[index] = cursor.position + LINK_PREFIX.length
    cursor.position += LINK_BYTES
  }
  return positions
}

function checkLink(bytes: Uint8Array, at: number): void {
  for (let offset = 0; offset < LINK_PREFIX.length; offset++) {
    if (bytes[at + offset] !== LINK_PREFIX[offset]) refuse(`no link at byte ${at}`)
  }
  const from = at + LINK_PREFIX.length
  const codec = bytes[from + 1]
  const known =
    bytes[from] === CID_VERSION &&
    (codec === RAW || codec === DAG_CBOR) &&
    bytes[from + 2] === SHA2_256 &&
    bytes[from + 3] === DIGEST_BYTES
  if (!known) refuse(`a link of a kind we do not use at byte ${at}`)
}

function readLeaf(cursor: CborCursor, linksAt: Uint32Array): PackedLeaf {
  const items = cursor.array()
  if (items % 2 !== 0) refuse('a key without a value')
  const from = cursor.position
  const bounds = new Uint32Array(2 * items)
  for (let index = 0; index < items; index++) {
    const length = cursor.byteString()
    const most = index % 2 === 0 ? KEY_BYTES_MAX : VALUE_BYTES_MAX
    if (length > most) refuse(`item of ${length} bytes, ${most} at most`)
    bounds[2 * index] = cursor.position - length
    bounds[2 * index + 1] = cursor.position
  }
  checkOrder(cursor.bytes, bounds, 4)
  const contentBytes = cursor.position - from + linksAt.length * (LINK_BYTES + LINK_OWNER_BYTES)
  const owners = readOwners(cursor, linksAt.length, items / 2)
  return new PackedLeaf(cursor.bytes, { bounds, linksAt, owners, contentBytes })
}

function readOwners(cursor: CborCursor, links: number, entries: number): Uint32Array {
  const count = cursor.array()
  if (count !== links) refuse(`${count} owners for ${links} links`)
  const owners = new Uint32Array(count)
  let after = -1
  for (let index = 0; index < count; index++) {
    const owner = cursor.unsigned()
    if (owner <= after || owner >= entries) refuse(`link owner ${owner} of ${entries} entries`)
    owners[index] = owner
    after = owner
  }
  return owners
}

function readInner(cursor: CborCursor, level: number, linksAt: Uint32Array): InnerNode {
  const count = cursor.array()
  if (count === 0 || count + 1 !== linksAt.length) {
    refuse(`${count} separators for ${linksAt.length} children`)
  }
  const { bytes } = cursor
  const bounds = new Uint32Array(2 * count)
  const lowers: Uint8Array[] = [EMPTY_KEY]
  for (let index = 0; index < count; index++) {
    const length = cursor.byteString()
    if (length > KEY_BYTES_MAX) refuse(`key of ${length} bytes, ${KEY_BYTES_MAX} at most`)
    const from = cursor.position - length
    bounds[2 * index] = from
    bounds[2 * index + 1] = cursor.position
    lowers.push(new Uint8Array(bytes.buffer, bytes.byteOffset + from, length))
  }
  checkOrder(bytes, bounds, 2)
  if (lowers[1]?.length === 0) refuse('nothing can be before an empty separator')
  const children = Array.from(linksAt, at => {
    if (bytes[at + 1] !== DAG_CBOR) refuse('a child that is not a node')
    return Link.within(bytes, at)
  })
  return new InnerNode(level, lowers, children, new KeyIndex(bytes, bounds, 2))
}

/** Checks that keys ascend strictly; they begin and end at `bounds[n * stride]` and the next. */
function checkOrder(bytes: Uint8Array, bounds: Uint32Array, stride: number): void {
  for (let bound = stride; bound < bounds.length; bound += stride) {
    if (!isBefore(bytes, bounds, bound - stride, bound)) {
      refuse(`key ${bound / stride} is out of order`)
    }
  }
}

/** Compares two keys where they stand: a view of each would cost more than the comparison. */
function isBefore(bytes: Uint8Array, bounds: Uint32Array, left: number, right: number): boolean {
  const leftFrom = bounds[left] as number
  const rightFrom = bounds[right] as number
  const leftLength = (bounds[left + 1] as number) - leftFrom
  const rightLength = (bounds[right + 1] as number) - rightFrom
  for (let offset = 0; offset < leftLength && offset < rightLength; offset++) {
    const difference = (bytes[leftFrom + offset] as number) - (bytes[rightFrom + offset] as number)
    if (difference !== 0) return difference < 0
  }
  return leftLength < rightLength
}

function refuse(message: string): never {
  throw new WarrenError('EPROTO', { message: `tree node: ${message}` })
}
