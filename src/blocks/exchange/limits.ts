/** Every deadline and limit of the block exchange, in one place, each with its reason. */

const KIB = 1024
const MIB = 1024 * KIB

/** Ids in one want: 144 KiB of request for, at most, what a peer sends in ten seconds or so. */
export const WANT_IDS_MAX = 4096

/** The ends of a range in a want: the longest key of a tree, and what makes the next one of it. */
export const WANT_KEY_BYTES_MAX = 1025

/** What one descent brings, in bytes: the nodes on the way, and what a short read needs. */
export const DESCENT_BYTES_MAX: number = MIB

/** Small blocks are sent together up to this; larger ones go alone. Less costs throughput, more only memory. */
export const MESSAGE_BYTES: number = 256 * KIB

/** The same for the first message of an answer, doubled for each that follows: somebody waits for it. */
export const FIRST_MESSAGE_BYTES: number = 64 * KIB

/** Blocks in one message, so that a message of empty blocks stays a small one. */
export const MESSAGE_BLOCKS_MAX = 1024

/** Deeper than any tree with two links a node that fits on Earth's disks. */
export const SUBTREE_DEPTH_MAX = 64

/** Links that one walk of a subtree may hold: ten nodes of the largest size, about 25 MB. */
export const SUBTREE_LINKS_MAX = 262_144

/**
 * Blocks that one walk remembers having passed, about 8 MB. Both halves count alike, so they agree
 * on which repetitions are left out; what repeats beyond is sent again.
 */
export const SUBTREE_SEEN_MAX = 65_536

/** Wants served at once for one peer; a peer that pipelines keeps a few more waiting. */
export const WANTS_SERVED_PER_PEER_MAX = 8

/** Wants of one peer that wait for their turn; more are refused with `EBUSY`. */
export const WANTS_QUEUED_PER_PEER_MAX = 24

/** Wants served or waiting over all peers; more are refused with `EBUSY`. */
export const WANTS_SERVED_MAX = 512

/** Bytes that all wants together may hold read ahead; beyond it each still holds its next block. */
export const READ_AHEAD_BYTES_MAX: number = 32 * MIB

/** Bytes that one want tries to hold read ahead: a few messages, so that disk and network overlap. */
export const READ_AHEAD_BYTES: number = 2 * MIB

/** Reads of one want under way at once: more than a disk answers in parallel. */
export const READS_AHEAD_MAX = 32

/** Nodes that a walk reads ahead of the one whose links come next: what is below it goes first. */
export const NODES_AHEAD_MAX = 8

/** Bytes of one answer whose hashes are still being computed while more arrives. */
export const VERIFYING_BYTES_MAX: number = 4 * MIB

/**
 * A block that is a small part of its message is copied out of it, so that whoever keeps the block
 * does not keep the message: copying less than an eighth costs little.
 */
export const COPIED_SHARE = 8

/** Default for how many bytes `getMany` holds or has asked for ahead of its caller. */
export const WINDOW_BYTES: number = 8 * MIB

/** Blocks `getMany` holds or has asked for ahead, whatever their size. */
export const WINDOW_BLOCKS_MAX = 4096

/** Fetched bytes that wait to be written to the local store; beyond it receiving pauses. */
export const WRITE_BEHIND_BYTES_MAX: number = 16 * MIB

/** Bytes that go to the local store in one batch, about. */
export const WRITE_BATCH_BYTES: number = 4 * MIB

/** Calls under way to one source: what it serves at once and as many again. */
export const ASKS_PER_SOURCE_MAX = 16

/** Assumed of blocks before any was seen, in bytes. */
export const BLOCK_BYTES_GUESS: number = 64 * KIB

/** Assumed of sources before any was measured, in bytes a second. */
export const SPEED_GUESS: number = 32 * MIB

/** Assumed of sources before any was measured. */
export const LATENCY_MS_GUESS = 20

/** What one source is given before the next is considered: small enough to share, large enough to batch. */
export const SLICE_BYTES: number = 512 * KIB

/** Nodes of a subtree that are got before the walk reaches them: enough to fill a round trip. */
export const NODES_GOT_AHEAD_MAX = 128

/** Bytes, as far as they can be foreseen, of nodes that are got before the walk reaches them. */
export const NODES_GOT_AHEAD_BYTES: number = 4 * MIB

/** Bytes of nodes that one source may have sent ahead of the walk before it has to pause. */
export const NODES_STREAMED_BYTES_MAX: number = 4 * MIB

/** Default for how long a block may make no progress before it is given up. */
export const DEADLINE_MS = 10_000

/** Default for how long a source may be silent before others are asked as well. */
export const STALL_MS = 750

/** What a slow source is allowed beyond that, at most, because its messages take long. */
export const SILENCE_MS_MAX = 5_000

/** A source is given no more than it delivers in this time, so that nothing waits longer there. */
export const BACKLOG_MS = 4_000

/** How often a session with something outstanding looks for stalls, deadlines and idle sources. */
export const TICK_MS = 50

/** Bytes that an idle source is asked for in one go although another source was asked already. */
export const RESCUE_BYTES: number = MIB

/** A want is not asked of a second source before this, unless the first one has stalled. */
export const RESCUE_MS_MIN = 100

/** A want is under way at this many sources at most. */
export const ASKS_PER_WANT_MAX = 2

/** How long "I do not have it" is believed: a peer that is fetching it may have it soon. */
export const LACK_MS = 5_000

/** Lacks remembered for one source in one session: eight windows of blocks, about 4 MB. */
export const LACKS_MAX = 32_768

/** How long a source that could not be reached is given before it counts as not having a block. */
export const PATIENCE_MS = 2_000

/** The first pause before a source that failed is asked again; each failure doubles it. */
export const RETRY_MS_MIN = 100
export const RETRY_MS_MAX = 4_000

/** How long a source that broke the protocol is left alone; each further time doubles it. */
export const SHUN_MS_MIN = 30_000
export const SHUN_MS_MAX = 3_600_000

/** How long a peer that does not speak the protocol is left alone. */
export const UNSUPPORTED_MS = 60_000

/** Sources remembered; the ones unused for longest are forgotten first. */
export const SOURCES_MAX = 1024

/** Connected peers that are asked beside the sources that were given. */
export const OTHER_SOURCES_MAX = 64

/** Sources remembered by a session because they have delivered although nobody named them. */
export const PROVEN_SOURCES_MAX = 64

/** A timer this late says that the machine slept, or that we were busy: nobody else is to blame. */
export const LATE_MS = 2_000

/** Progress events are at least this far apart. */
export const PROGRESS_MS = 100

/** How long a fetched block waits for others to be written together with. */
export const GATHER_MS = 20

/** With this much there is company enough. */
export const GATHER_BYTES: number = MIB
