/** Every limit of audits, in one place, each with its reason. */

/**
 * Challenges of one message: 25 KB of them. A holder reads a block for each, 32 MiB at the usual
 * size, which a slow disk does within the deadline.
 */
export const AUDIT_CHALLENGES_MAX = 256

/** Unpredictable however many were seen: nobody can keep answers in place of blocks. */
export const NONCE_BYTES = 16

/**
 * Bytes of a block that a challenge asks about. Who keeps all but a part of each block is found as
 * the formula says, with the part in place of missing blocks; more bytes would only take time.
 */
export const AUDIT_RANGE_BYTES = 4096

/** Blocks that an answer reads at a time: this many MiB at most are held for it. */
export const AUDIT_READS_AT_ONCE = 4

/** Challenges that one peer may have answered in a row: a thorough audit of a thousand blocks. */
export const AUDIT_BURST = 1024

/** And in the long run, per second: 4 MiB/s read from the disk for blocks of 128 KiB. */
export const AUDIT_CHALLENGES_PER_SECOND = 32

/**
 * How long a holder may take for one message, in milliseconds. The shorter the less can be fetched
 * from elsewhere meanwhile; an honest holder with one slow disk needs some seconds for 256 blocks.
 */
export const AUDIT_MS_MAX = 10_000

/** Prepared challenges kept for one holder: at 16 an audit they last most of a year of days. */
export const PREPARED_PER_HOLDER_MAX = 4096

/** Prepared challenges kept in all: some 20 MiB. The oldest go first. */
export const PREPARED_MAX = 65_536
