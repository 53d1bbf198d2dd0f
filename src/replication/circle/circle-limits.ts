/** Every limit and deadline of circles, in one place, each with its reason. */

/** Often enough that silence soon means something, rarely enough to cost a sleeping laptop nothing. */
export const SIGN_OF_LIFE_MS = 5_000

/** Six signs of life missed: more than a busy disk or a changed network takes. */
export const ABSENT_MS = 30_000

/** Longer than a restart or a walk between two meetings; shorter than a second disk takes to fail. */
export const GRACE_MS: number = 15 * 60_000

/** Signs of life missed in a row before a watch is begun anew. */
export const SIGNS_MISSED_MAX = 3

/**
 * Ticks of the clock that may be late or missing. When more are, we slept, were busy or had our
 * clock set, and the silence of the others was our own.
 */
export const TICKS_LATE_MAX = 3

/**
 * Holders that one holder watches, and is watched by. Up to one more than this many hear each
 * other directly. In larger circles what is heard is passed on, by few hops: the neighbours in the
 * ring of the list are watched, and those at distances of powers of two. At a hundred bytes each
 * five seconds this many cost less than a kilobyte a second.
 */
export const WATCHED_MAX = 32

/** Whom to ask while there is no list that names us: where we joined, and some more. */
export const SOURCES_MAX = 16

/** The first pause after a watch ended. Each further one is twice as long. */
export const WATCH_PAUSE_MS_MIN = 1_000

/** The longest pause: a holder that returns is heard again within about a minute. */
export const WATCH_PAUSE_MS_MAX = 60_000

/** Messages of one volume that follow each other at once: a few changes, told without delay. */
export const TELL_BURST = 64

/** And in the long run, per second: whoever writes durably one after the other waits for each. What changes more often is told as it is then. */
export const TELL_PER_SECOND = 200

/** Between messages when there were too many, in milliseconds. */
export const TELL_GAP_MS = 5

/** Messages of one peer that are read in a row: the first ones of a thousand volumes. */
export const HEAR_BURST: number = 16 * TELL_BURST

/** And in the long run, per second, over all volumes. A holder that sends more waits for us. */
export const HEAR_PER_SECOND: number = 2 * TELL_PER_SECOND

/** How long it waits, in milliseconds. */
export const HEAR_GAP_MS = 100

/** Bytes of one line that may be under way: the largest message is let through alone. */
export const WATCH_WINDOW_BYTES: number = 64 * 1024

/** How often the addresses that a watch tells are looked at again, in milliseconds. */
export const ADDRESSES_TOLD_MS = 15_000

/** Lines and watches that one peer may begin in a row: thousands of volumes after a restart. */
export const WATCHES_BURST = 4096

/** And in the long run, per second. */
export const WATCHES_PER_SECOND = 8

/** Lists that a peer may have us verify in a row: a signature and up to 256 KiB each. */
export const LISTS_BURST = 64

/** And in the long run, per second. */
export const LISTS_PER_SECOND = 1

/** What is told of one peer's addresses: some networks with an address of each kind. */
export const ADDRESSES_PER_PEER_MAX = 8

/** Longer than any address with a relay, a certificate and two peer ids in it. */
export const ADDRESS_LENGTH_MAX = 512

/** Peers whose addresses one message tells: those that its reader watches, and the sender. */
export const HINTS_MAX: number = 2 * WATCHED_MAX

/** Peers whose addresses are believed of one holder in a row. */
export const HINTS_BURST: number = 8 * HINTS_MAX

/** And in the long run, per second. */
export const HINTS_PER_SECOND = 1

/** How long what we know of addresses is used before we look again, in milliseconds. */
export const ADDRESSES_MS = 1_000

/**
 * Holders of whom one message says when they were heard. With 32 watches and a message each five
 * seconds, each of 1024 is told of every two or three seconds.
 */
export const HEARSAY_MAX = 64

/** Peers that the reports in one message say are gone or take less: together 80 KB. The other reports wait. */
export const HEARSAY_GONE_MAX = 2048

/** Ids of one question whether blocks are there: 144 KiB of them. */
export const HAS_IDS_MAX = 4096

/** Ids that one peer may ask about in a row: 4 GiB of blocks of the usual size and some more. */
export const HAS_BURST: number = 64 * HAS_IDS_MAX

/** And in the long run, per second. */
export const HAS_IDS_PER_SECOND: number = 4 * HAS_IDS_MAX

/** Longer than an invitation's token is: 16 bytes in any usual encoding. */
export const TOKEN_LENGTH_MAX = 64

/** Requests to join, invite or leave that one peer may make in a row. */
export const MEMBERSHIP_BURST = 16

/** And in the long run, per second. */
export const MEMBERSHIP_PER_SECOND = 0.2

/** How long the other side may take to decide and sync its answer, in milliseconds. */
export const MEMBERSHIP_MS_MAX = 15_000
