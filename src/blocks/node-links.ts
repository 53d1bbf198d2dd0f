/**
 * The links of a tree node, read without understanding the rest of it: a holder that cannot read a
 * volume can still walk, serve, check and collect it.
 *
 * A node is dag-cbor: `[version, links, body]`, where each link is tag 42 around a byte string of a
 * zero and the 36 bytes of a block id. Only the part up to the last link is looked at; the body is
 * the tree's own business, and in version 2 sealed (encoding/sealed-node.ts).
 *
 *     83              array of 3
 *        01           version, or 02
 *        8n           array of n links (or 98 nn, 99 nnnn, 9a nnnnnnnn: shortest form only)
 *           d8 2a     tag 42
 *           58 25 00  byte string of 37, first byte 0
 *           …         36 bytes of id
 *        …            body, one byte at least
 *
 * Source: https://ipld.io/specs/codecs/dag-cbor/spec/
 */
import { BLOCK_ID_BYTES, blockIdFromBytes } from './block-id.ts'
import type { BlockId } from './block-id.ts'
import { WarrenError } from '../errors.ts'

const ARRAY_OF_3 = 0x83
const LINKS_AT = 2

/** Versions of nodes. */
export const PLAIN_NODE = 1
export const SEALED_NODE = 2

const ARRAY = 4
const LINK_HEAD = Uint8Array.of(0xd8, 0x2a, 0x58, 0x25, 0x00)
const LINK_BYTES = LINK_HEAD.length + BLOCK_ID_BYTES

/**
 * The ids a node links to, in order, with repetitions. Never more than fit in the node's bytes.
 * Throws `EPROTO` when the bytes do not begin like a node.
 */
export function readNodeLinks(node: Uint8Array): BlockId[] {
  const { end, bodyAt } = findLinks(node)
  const links: BlockId[] = []
  for (let at = end; at < bodyAt; at += LINK_BYTES) {
    for (let i = 0; i < LINK_HEAD.length; i++) {
      if (node[at + i] !== LINK_HEAD[i]) refuse(`link ${links.length} is not a link`)
    }
    links.push(blockIdFromBytes(node.subarray(at + LINK_HEAD.length, at + LINK_BYTES)))
  }
  return links
}

/** Where the body of a node begins. What the links are is not looked at. Throws `EPROTO`. */
export function nodeBodyAt(node: Uint8Array): number {
  return findLinks(node).bodyAt
}

function findLinks(node: Uint8Array): { end: number; bodyAt: number } {
  const version = node[1]
  if (node[0] !== ARRAY_OF_3 || (version !== PLAIN_NODE && version !== SEALED_NODE)) {
    refuse('it is not a node of a version we know')
  }
  const { value: count, end } = readArrayHead(node, LINKS_AT)
  const bodyAt = end + count * LINK_BYTES
  if (bodyAt >= node.length) refuse(`${count} links do not fit in ${node.length} bytes`)
  return { end, bodyAt }
}

function readArrayHead(node: Uint8Array, at: number): { value: number; end: number } {
  const first = node[at]
  if (first === undefined || first >> 5 !== ARRAY) refuse('it has no list of links')
  const short = first! & 31
  if (short < 24) return { value: short, end: at + 1 }
  // 24, 25 and 26 announce 1, 2 and 4 bytes; longer counts could not fit in a block.
  if (short > 26) refuse('its list of links has no usable length')
  const size = 1 << (short - 24)
  if (at + 1 + size > node.length) refuse('it is cut off')
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + node[at + 1 + i]!
  const smallest = size === 1 ? 24 : size === 2 ? 0x100 : 0x10000
  if (value < smallest) refuse('the length of its list of links is not in the shortest form')
  return { value, end: at + 1 + size }
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `cannot read the links of a node: ${why}` })
}
