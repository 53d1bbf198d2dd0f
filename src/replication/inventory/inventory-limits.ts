/** Every limit of comparing inventories, in one place, each with its reason. */

/** Holders may name what they compare as they like: a volume id and a number or two fit well. */
export const SCOPE_LENGTH_MAX = 256

/** Ranges of one request. With the longest bounds and all tags it stays below 300 KiB. */
export const REQUEST_RANGES_MAX = 512

/** Parts that one range is split into: most of a million ids is told apart in two steps. */
export const RANGE_PARTS_MAX = 256

/**
 * Parts that are asked for in one request. With the longest bounds an answer has 200 KiB of them;
 * to make them takes some 50 ms at worst, for which the event loop is held.
 */
export const REQUEST_PARTS_MAX = 4096

/** Parts of a range when many ranges differ: fewer take more steps, more tell more than is needed. */
export const RANGE_PARTS_MIN = 16

/**
 * Ranges with at most so many ids are not split further but told id by id, as tags. Then a block
 * that differs costs about as much for these as for the last split.
 */
export const LISTED_TAGS_MAX = 32

/** Ranges with at most so few ids at the other side are told as whole ids. */
export const LISTED_IDS_MIN = 4

/** Ids that one answer lists, and that one range lists: 290 KiB. Ranges with more are split. */
export const ANSWER_IDS_MAX = 8192

/** Requests under way at once: the other side works on one while others travel. */
export const REQUESTS_AT_ONCE = 4

/** Sixteen parts a step tell 2^64 ids apart in so many steps; who needs more leads us in circles. */
export const STEPS_MAX = 16

/** A hundred holders' worth of blocks, 128 TiB of them at 1 MiB each; more is a lie. */
export const INVENTORY_IDS_MAX: number = 2 ** 27

/**
 * Ranges that may be asked for beyond those that the stated number of ids explains: blocks come
 * and go while we compare.
 */
export const RANGES_SPARE = 4096

/** As many ids at most for each range: an honest side splits further only above `LISTED_TAGS_MAX`. */
export const IDS_PER_RANGE = 2

/** How long a comparison may take in all, in milliseconds: a million missing ids over 1 Mbit/s. */
export const COMPARE_MS_MAX = 600_000

/** How long one salt serves for a pair of peers and a scope, in milliseconds. */
export const SALT_MS = 3_600_000

/** Pairs of a peer and a scope whose salt we remember. */
export const SALTS_MAX = 1024

/**
 * Salts that one peer may bring in a row: each makes us hash everything once, 0.3 s for a million
 * blocks. It needs one an hour for each scope.
 */
export const NEW_SALTS_BURST = 8

/** Salts that one peer may bring in the long run, per second: one a minute. */
export const NEW_SALTS_PER_SECOND: number = 1 / 60
