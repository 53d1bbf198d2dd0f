/**
 * The sizes of the tree, in one place because each follows from the others.
 *
 * A node is cut when its content grows over `NODE_BYTES_FULL` and joined with a neighbour when it
 * shrinks under `NODE_BYTES_LOW`. Cutting leaves pieces of at most `NODE_BYTES_FULL`, plus half an
 * entry, plus what was too small to stand alone on either side: about 130 KiB with the largest
 * entries, far under the largest block, so a node can always be encoded and always be cut.
 */

/**
 * A name of 255 bytes behind a prefix of 16 fits several times over; short enough that an inner
 * node never has fewer than a dozen children for its bytes.
 */
export const KEY_BYTES_MAX = 1024

/** The largest extended attribute that Linux allows (64 KiB), and 1 KiB for what stands around it. */
export const VALUE_BYTES_MAX: number = 65 * 1024

/**
 * Bytes of content after which a node is cut. Measured trade: larger nodes cost more to rewrite
 * for one change, smaller ones cost more round trips and hashes for a scan.
 */
export const NODE_BYTES_FULL: number = 64 * 1024

/** Bytes of content under which a node is joined with a neighbour. A quarter, so that a node that was just cut in half is not joined again at the next removal. */
export const NODE_BYTES_LOW: number = 16 * 1024

/**
 * Levels of a tree at most, leaves included. With a dozen children a node it holds more entries
 * than can exist; a reader needs the bound so that hostile nodes cannot lead it down for ever.
 */
export const LEVELS_MAX = 16
