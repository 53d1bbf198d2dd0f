/** Every deadline and limit of this layer, in one place, each with its reason. */

/** Ten seconds cover a dial over several dead addresses; a person does not wait longer. */
export const DIAL_MS_MAX = 10_000

/** A peer that reads a cold disk answers well within this; a dead one is noticed soon. */
export const SILENCE_MS_MAX = 10_000

/** Four of the largest blocks: while one is unpacked the next ones are already under way. */
export const WINDOW_BYTES: number = 4 * 1024 * 1024

/** Bodies are requests and listings; content belongs in payloads, so this is generous. */
export const BODY_BYTES_MAX: number = 1024 * 1024

/**
 * Four of the largest blocks. A frame occupies its channel while it is sent, for about 15 ms at
 * this size over an encrypted loopback stream, and its receiver allocates this much at most.
 */
export const PAYLOAD_BYTES_MAX: number = 4 * 1024 * 1024

/** Deeper values than any message of ours, shallow enough for recursion to be harmless. */
export const BODY_DEPTH_MAX = 32

/**
 * Calls a peer has under way on one channel. More wait their turn at the caller. Each may hold
 * one message at the side that answers.
 */
export const CALLS_MAX = 256

/**
 * Calls that one channel serves at once; more are answered with `EBUSY`. Twice what a caller uses,
 * because cancelled calls take a moment to unwind and must not count against new ones.
 */
export const CALLS_SERVED_MAX: number = 2 * CALLS_MAX

/**
 * Bytes of requests under way on one channel; more wait their turn at the caller, and are answered
 * with `EBUSY` at the side that serves. Sixteen of the largest requests.
 */
export const REQUEST_BYTES_MAX: number = 16 * (BODY_BYTES_MAX + PAYLOAD_BYTES_MAX)

/** Arrived bytes that wait to be parsed before the other side is asked to pause. */
export const UNREAD_BYTES_MAX: number = 1024 * 1024

/** Small frames that are ready together leave together, up to this many bytes. */
export const BATCH_BYTES_MAX: number = 64 * 1024

/** Frames up to this size are copied into a batch; larger payloads are never copied. */
export const BATCHED_FRAME_BYTES_MAX = 4096

/** How often an idle connection is asked for a sign of life. */
export const HEARTBEAT_MS = 10_000

/** Signs of life missed in a row before a connection is given up. */
export const HEARTBEATS_MISSED_MAX = 3

/** The first pause before a kept peer is dialled again; each failure doubles it. */
export const REDIAL_MS_MIN = 1_000

/** The longest pause: a peer that returns is found again within about a minute. */
export const REDIAL_MS_MAX = 60_000

/** Peers remembered beside the connected ones; the oldest are forgotten first. */
export const KNOWN_PEERS_MAX = 10_000

/** Addresses remembered for one peer. */
export const ADDRESSES_MAX = 32

/**
 * Bytes that may wait to leave on one channel before it is given up. Senders wait long before
 * this; it bounds the small frames that do not wait, towards a peer that has stopped reading.
 */
export const UNSENT_BYTES_MAX: number = 2 * (BODY_BYTES_MAX + PAYLOAD_BYTES_MAX)

/** Streams of one protocol on a connection: one is used each way, the others are being replaced. */
export const STREAMS_MAX = 32

/** A whole office behind one address may arrive at once when a peer comes up. */
export const CONNECTIONS_PER_SECOND_MAX = 100

/** Each of them shakes hands for some milliseconds, so as many may be pending. */
export const CONNECTIONS_PENDING_MAX = 100

/** Where it begins, as soon as the other side has heard of it: four messages of the block exchange. */
export const STREAM_WINDOW_BYTES: number = 1024 * 1024

/**
 * How far a stream's own window grows. It bounds what arrives at a stream that is paused, and is
 * enough for 40 MB/s at 100 ms there and back.
 */
export const STREAM_WINDOW_BYTES_MAX: number = 4 * 1024 * 1024

/** What a paused stream holds before it is reset: the window that yamux has by default, and some. */
export const STREAM_UNREAD_BYTES_MAX: number = 17 * 1024 * 1024
