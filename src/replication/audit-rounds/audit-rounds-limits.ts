/** Every limit of audit rounds, in one place, each with its reason. */

/**
 * From one audit of a peer to its next, in milliseconds: a holder among few is asked about 2,300
 * blocks a day, which finds the loss of a tenth within the hour and of a thousandth within the day
 * nine times in ten (docs/replication.md has the table), and costs a quarter of a megabyte.
 */
export const AUDIT_PERIOD_MS: number = 10 * 60 * 1000

/** Blocks of an audit. */
export const AUDIT_BLOCKS = 16

/** Blocks of the audit that makes sure: one in a hundred missing is found nine times in ten. */
export const SURE_BLOCKS = 256

/**
 * After a failed audit, in milliseconds, before it counts: what the holder says of itself may be on
 * its way still, such as that it is behind.
 */
export const SETTLE_MS = 5_000

/** Failed audits after which a holder was silent when we wanted to make sure, in a row, that are no accident. */
export const STRIKES_MAX = 2

/**
 * Audits that proved nothing, more than there were that did, after which a holder is not counted on.
 * Whoever answers nine of ten gets there once in many years, who answers every third within a day.
 */
export const DOUBTS_MAX = 8

/**
 * And so long after the first of them at least, in milliseconds: longer than a backup, a repair or
 * an evening of films keeps an honest holder busy.
 */
export const DOUBT_MS: number = 6 * 60 * 60 * 1000

/** Blocks of an audit of a distrusted holder. */
export const REDEEM_BLOCKS = 64

/** Proven in a row, they let a distrusted holder be trusted again: four audits of it. */
export const REDEEM_PROVEN = 256

/** From one audit of a distrusted holder to the next, in milliseconds, at first. It doubles with each that fails. */
export const REDEEM_PAUSE_MS: number = 10 * 60 * 1000

/** And at most: a day. */
export const REDEEM_PAUSE_MS_MAX: number = 24 * 60 * 60 * 1000
