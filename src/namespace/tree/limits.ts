/**
 * The sizes of the tree, in one place because each follows from the others.
 *
 * A node is cut when its content grows over `full` and joined with a neighbour when it shrinks
 * under `low`. Cutting leaves pieces of at most `full`, plus half an entry, plus what was too small
 * to stand alone on either side: about 130 KiB with the largest entries, far under the largest
 * block, so a node can always be encoded and always be cut.
 */

/**
 * A name of 255 bytes behind a prefix of 16 fits several times over; short enough that an inner
 * node has three children even when it is as small as it may be.
 */
export const KEY_BYTES_MAX = 1024

/** The largest extended attribute that Linux allows (64 KiB), and 1 KiB for what stands around it. */
export const VALUE_BYTES_MAX: number = 65 * 1024

export interface NodeSize {
  /** Bytes of content after which a node is cut. */
  readonly full: number
  /** Bytes of content under which a node is joined with a neighbour. A quarter, so that a node that was just cut in half is not joined again at the next removal. */
  readonly low: number
}

/** Larger leaves cost more to rewrite for one change, smaller ones more hashes, requests and index entries for a scan. */
export const LEAF_SIZE: NodeSize = { full: 64 * 1024, low: 16 * 1024 }

/**
 * Inner nodes are rewritten with every leaf and read by nobody for their own sake. This is some
 * 300 children: one change costs a quarter of what it would with nodes as large as leaves, and
 * three levels are still 90,000 leaves.
 */
export const INNER_SIZE: NodeSize = { full: 16 * 1024, low: 4 * 1024 }

export function sizeOf({ level }: { readonly level: number }): NodeSize {
  return level === 0 ? LEAF_SIZE : INNER_SIZE
}

/**
 * Levels of a tree at most, leaves included. Even with the longest keys, and removals that left
 * every node as small as it may be, it holds hundreds of gigabytes; a reader needs the bound so that hostile nodes cannot lead it down for ever.
 */
export const LEVELS_MAX = 16
