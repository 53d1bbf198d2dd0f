/** Every limit of a check, in one place, each with its reason. */

/** Problems that a report lists: nobody reads more, and they must not fill the memory. */
export const PROBLEMS_MAX = 1000

/** Of one file, so that a large one that is lost does not hide the others. */
export const PROBLEMS_PER_FILE = 4

/** Blocks of files that are read at a time: 16 MiB with the largest. */
export const BLOCKS_AT_ONCE = 16

/** Blocks lately found to be well, which files that repeat them need not have read again. */
export const RECENT_BLOCKS = 4096

/**
 * Blocks that nobody had, in a row, after which no more are asked for: each may take until a
 * deadline, and there may be a million of them.
 */
export const FAILURES_MAX = 64

/** Repairs of one transaction, which keeps other writers waiting for some milliseconds. */
export const REPAIRS_AT_ONCE = 256

/** Blocks whose copies are asked for at a time. */
export const COPIES_AT_ONCE = 256

/** Names of a path that is told: ten times what any system lets a program use. */
export const PATH_NAMES_MAX = 4096

/** Milliseconds between two reports of progress. */
export const PROGRESS_MS = 100
