/**
 * Sealed tree nodes. The links stand where they stand in every node, so that a holder without the
 * read key follows them; the body is sealed, and the links belong to what is sealed.
 *
 *     node   = [1, links, body]      dag-cbor, as the tree writes it (namespace/tree/node.ts)
 *     sealed = [2, links, seal]      seal: sealed bytes of the packed body, as a byte string;
 *                                    associated with them: all that stands before it
 *
 * What shows: the shape of the tree, which blocks are data, and about how long everything is.
 */
import { WarrenError } from '../../errors.ts'
import { PLAIN_NODE, SEALED_NODE, nodeBodyAt } from '../node-links.ts'

/** A node taken apart. */
export interface NodeParts {
  /** All that stands before the body, of a sealed node. */
  readonly head: Uint8Array
  readonly body: Uint8Array
}

const BYTE_STRING = 2 << 5
const VERSION_AT = 1

/** Throws `EPROTO` for what is no node of that version. */
export function splitNode(node: Uint8Array, version: number): NodeParts {
  const headBytes = nodeBodyAt(node)
  if (node[VERSION_AT] !== version) refuse(`version ${node[VERSION_AT]} where ${version} should be`)
  const head = node.slice(0, headBytes)
  head[VERSION_AT] = SEALED_NODE
  return { head, body: readByteString(node, headBytes) }
}

/** A node of its own, whose buffer nothing else is in. */
export function joinNode({ head, body }: NodeParts, version: number): Uint8Array {
  const bodyHead = byteStringHead(body.length)
  const node = new Uint8Array(head.length + bodyHead.length + body.length)
  node.set(head)
  node[VERSION_AT] = version
  node.set(bodyHead, head.length)
  node.set(body, head.length + bodyHead.length)
  return node
}

export { PLAIN_NODE, SEALED_NODE }

/** The one byte string that the node ends with, its length in the shortest form. */
function readByteString(node: Uint8Array, at: number): Uint8Array {
  const form = node[at]! - BYTE_STRING
  const width = form === 24 ? 1 : form === 25 ? 2 : form === 26 ? 4 : 0
  if (form < 0 || form > 26) refuse('its body is no byte string')
  const from = at + 1 + width
  const body = node.subarray(from)
  const head = byteStringHead(body.length)
  if (from > node.length || head.some((byte, index) => node[at + index] !== byte)) {
    refuse('its body is cut off, or not all of it')
  }
  return body
}

function byteStringHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(BYTE_STRING | length)
  if (length < 0x100) return Uint8Array.of(BYTE_STRING | 24, length)
  const head = new Uint8Array(length < 0x10000 ? 3 : 5)
  const view = new DataView(head.buffer)
  head[0] = BYTE_STRING | (length < 0x10000 ? 25 : 26)
  if (length < 0x10000) view.setUint16(1, length)
  else view.setUint32(1, length)
  return head
}

function refuse(why: string): never {
  throw new WarrenError('EPROTO', { message: `tree node: ${why}` })
}
