/** Every limit of scrubbing, in one place, each with its reason. */

/**
 * Bytes read a second: 7.5 GB an hour, and a terabyte in a period. It takes less than a hundredth of
 * a core (docs/replication.md has the figures).
 */
export const SCRUB_BYTES_PER_SECOND: number = 2 * 1024 * 1024

/** Damage is found within a week of its coming, or however long all blocks take at the rate. */
export const SCRUB_PERIOD_MS: number = 7 * 24 * 60 * 60 * 1000

/** What a smaller block counts as: it is a trip to the disk and a call all the same. */
export const SMALL_BLOCK_BYTES: number = 32 * 1024

/** Read in a row before there is a pause, and no more than half a second's worth: what is rare is cold. */
export const SLICE_BYTES: number = 1024 * 1024

/** Blocks read at a time, 4 MiB of the largest: one at a time costs a third more processor time. */
export const SCRUB_READS_AT_ONCE = 4

/** A peer that has just started has better things to do. */
export const START_DELAY_MS = 30_000

/** How often the place is saved: what a crash has looked at again. */
export const SAVE_MS: number = 10 * 60 * 1000

/** Before a list that failed is begun again. */
export const SCRUB_RETRY_MS = 60_000

/** Ids of the list, such as those skipped on the way to the place, before others have their turn. */
export const LISTED_PER_TURN = 1024
