/**
 * The data that a tree node links to, with whose it is: for holders, who decide by directory how
 * many copies there are to be.
 */
import { PackedLeaf } from '../tree/leaf.ts'
import { decodeNode } from '../tree/node.ts'
import { inodeOf, kindOf } from './keys.ts'
import { decodeExtentLength } from './records.ts'
import type { InodeNumber } from './volume.ts'

export interface LinkedData {
  /** The 36 bytes of the block's id, in the node: as text they would cost more than all else. */
  readonly id: Uint8Array
  /** Whose content it is; undefined when it is of no file. */
  readonly inode: InodeNumber | undefined
  /** How long it says the block is: true in a volume that is not sealed, if its owner is honest. */
  readonly length: number
}

/**
 * Every block of data that a node links to, in order, once for each link. Throws `EPROTO` unless
 * the bytes are a node whose links are extents, `EACCES` when it is sealed.
 */
export function readLinkedData(bytes: Uint8Array): LinkedData[] {
  const node = decodeNode(bytes)
  if (!(node instanceof PackedLeaf)) return []
  const linked: LinkedData[] = []
  for (const leafEntry of node.entries()) {
    if (leafEntry.link === undefined) continue
    const { key, value, link } = leafEntry
    const length = decodeExtentLength(value)
    const isContent = kindOf(key) === 'content'
    linked.push({ id: link.bytes, length, inode: isContent ? inodeOf(key) : undefined })
  }
  return linked
}
