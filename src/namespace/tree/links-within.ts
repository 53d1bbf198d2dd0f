/** The links of a node that lead into a range of keys: what a descent follows, on both sides of it. */
import type { BlockId, KeyRange } from '../../blocks/index.ts'
import { InnerNode } from './inner-node.ts'
import type { Link } from './link.ts'
import { decodeNode, levelOf } from './node.ts'
import type { StoredNode } from './node.ts'
import { childrenWithin } from './scan.ts'

/** None when the bytes cannot be read as a node, because they are sealed, say. */
export function linksWithin(
  bytes: Uint8Array,
  range: KeyRange,
  { nodesOnly }: { readonly nodesOnly: boolean }
): readonly BlockId[] {
  const node = tryDecode(bytes, nodesOnly)
  if (node === undefined) return []
  const ids: BlockId[] = []
  if (node instanceof InnerNode) {
    const { from, to } = childrenWithin(node, range)
    for (let index = from; index < to; index++) ids.push((node.child(index) as Link).id)
    return ids
  }
  const end = node.position(range.to)
  for (let index = node.position(range.from); index < end; index++) {
    const { link } = node.entry(index)
    if (link !== undefined) ids.push(link.id)
  }
  return ids
}

/** Leaves are large, and link to data only: who wants none is spared the reading. */
function tryDecode(bytes: Uint8Array, nodesOnly: boolean): StoredNode | undefined {
  try {
    return nodesOnly && levelOf(bytes) === 0 ? undefined : decodeNode(bytes)
  } catch {
    return undefined
  }
}
