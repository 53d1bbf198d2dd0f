/** Every limit and pause of holding, in one place, each with its reason. */

const KIB = 1024
const MIB = 1024 * KIB

/** Default for how many blocks of one volume may be known here: 4 million take half a gigabyte of memory. */
export const HELD_BLOCKS_MAX = 4_194_304

/** Bytes got ahead of what was looked at: what one `getMany` has under way too. */
export const PULL_WINDOW_BYTES: number = 8 * MIB

/** Blocks got at once, whatever their size: a want has as many at most. */
export const PULL_BLOCKS_MAX = 4096

/** Assumed of a block before any was seen. */
export const BLOCK_BYTES_GUESS: number = 64 * KIB

/** What is got between two looks at whether the store took it, and at whether it is still wanted. */
export const SLICE_BYTES: number = 16 * MIB

/**
 * How long a version is still worked on when there is a newer one, in milliseconds: whoever writes
 * all the time would else never see one held. Longer, and its owner has collected what only it had.
 */
export const FINISH_MS = 10_000

/** The first pause before what failed is tried again, in milliseconds; each further one is twice as long. */
export const RETRY_MS_MIN = 1_000
export const RETRY_MS_MAX = 300_000

/** Of a pledge so much is filled by a share that is chosen anew: growth by a tenth chooses no other. */
export const FITTING = 0.9

/** Of a pledge so much may be filled after a share was raised; less than above, so that it stays. */
export const ROOMY = 0.75

/** Less than this, in `SHARE_ALL`, is not worth that others let go of it. */
export const RAISE_MIN = 8

/** What is taken at first by who took nothing, in `SHARE_ALL`: of what there is it has seen nothing. */
export const SHARE_FIRST = 16

/** How long a share that was chosen stays before more may be taken, in milliseconds; each time that it was too much, twice as long. */
export const RAISE_MS: number = 15 * 60_000
export const RAISE_MS_MAX: number = 24 * 3_600_000

/**
 * How long others may take to have what we give up, in milliseconds. Whoever has no room then takes
 * less of what is new, because it keeps what nobody else takes.
 */
export const GIVE_UP_MS = 60_000

/** A disk that was full is not empty a second later. */
export const FULL_RETRY_MS_MIN = 10_000

/** Reports of how far it has come are at least this far apart, in milliseconds. */
export const PROGRESS_MS = 1_000

/** Ids in one question: 144 KiB, as in a want of blocks. */
export const ASK_IDS_MAX = 4096

/** How long a holder may take to say what it has, in milliseconds. */
export const ASK_MS_MAX = 30_000

/** Ids in one `lost` event: enough to see what is going on. */
export const LOST_IDS_MAX = 1024

/** Blocks that are read to learn what blocks have whose size nobody says. */
export const SAMPLED_BLOCKS = 64

/** Ids that are looked for in the store at once. */
export const LOOKUPS_MAX = 1024

/** After so many blocks in a row that nobody had it is somebody else who is missing, and not blocks. */
export const FAILURES_MAX = 256

/** Nodes that are kept decoded while directories are looked at: some levels of a tree. */
export const NODE_CACHE_BYTES: number = 8 * MIB

/** Inodes that are compared at once. */
export const INODES_AT_ONCE = 1024

/** Lost blocks that are remembered, so that each is told of once. */
export const LOST_REMEMBERED_MAX = 65_536

/** The first pause before holders are asked again whether they have what we need not keep, in milliseconds. */
export const CONFIRM_RETRY_MS_MIN = 5_000

/** In a circle of so many others each is asked for each block: blocks are found wherever they are. */
export const SMALL_CIRCLE = 16

/** Readers of single holders that are kept, with what they know of who lacks what. */
export const PLACED_SESSIONS_MAX = 256

/** Blocks that may be damaged and were not looked at yet; more are found by the next scrub. */
export const SUSPECTED_MAX = 65_536
