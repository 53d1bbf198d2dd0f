/** The calls of `/warren/heads/1.0.0` that end by themselves: newest heads, and offers. */
import type { CallOptions, Clock, Peer, PeerId } from '../../peer/index.ts'
import { WarrenError } from '../../errors.ts'
import {
  HEADS_PROTOCOL,
  OFFERS_MAX,
  decodeOffers,
  decodeRecords,
  encodeRequest
} from './head-messages.ts'
import type { Offer } from './head-messages.ts'
import { readHead } from './head-record.ts'
import type { SignedHead, VolumeId } from './head.ts'

/** Covers a dial of a source that is not connected yet; who waits for it is a person at a prompt. */
export const NEWEST_TIMEOUT_MS = 5_000

/**
 * How long the others may still answer after the first has. On a local network all answers come
 * within this; a distant peer with a newer head is heard by following it.
 */
export const GRACE_MS = 100

/** Peers asked at once. The hinted come first; beyond this many, another answer tells nothing new. */
export const PEERS_ASKED_MAX = 32

export interface FetchComponents {
  readonly peer: Pick<Peer, 'call'>
  readonly clock: Clock
}

export interface AskOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs: number
  readonly graceMs: number
  /** Told of each valid head as it arrives. */
  readonly found: (head: SignedHead, from: PeerId) => Promise<void>
}

/**
 * Asks several peers at once for the head of a volume. Resolves when all have answered, when the
 * grace after the first valid answer is over, or at the deadline: to whether any answer was valid.
 * Peers that fail, lie or know nothing count as answered. Rejects with the signal's reason.
 */
export async function askForNewest(
  { peer, clock }: FetchComponents,
  question: { readonly volume: VolumeId; readonly peers: readonly PeerId[] },
  { signal, timeoutMs, graceMs, found }: AskOptions
): Promise<boolean> {
  signal?.throwIfAborted()
  const stop = new AbortController()
  const stopped = Promise.withResolvers<void>()
  const end = (): void => stopped.resolve()
  let hasAnswer = false
  let cancelTimer = clock.after(timeoutMs, end)
  const deadlineMs = clock.now() + timeoutMs
  signal?.addEventListener('abort', end, { once: true })

  const ask = async (from: PeerId): Promise<void> => {
    const head = await fetchHead(peer, { from, volume: question.volume }, stop.signal)
    if (head === undefined) return
    await found(head, from)
    if (hasAnswer || stop.signal.aborted) return
    hasAnswer = true
    cancelTimer()
    cancelTimer = clock.after(Math.max(0, Math.min(graceMs, deadlineMs - clock.now())), end)
  }
  const peers = question.peers.slice(0, PEERS_ASKED_MAX)
  void Promise.allSettled(peers.map(ask)).then(end)
  await stopped.promise

  cancelTimer()
  signal?.removeEventListener('abort', end)
  stop.abort()
  signal?.throwIfAborted()
  return hasAnswer
}

/** What one peer has: a verified head, or undefined. */
async function fetchHead(
  peer: Pick<Peer, 'call'>,
  { from, volume }: { readonly from: PeerId; readonly volume: VolumeId },
  signal: AbortSignal
): Promise<SignedHead | undefined> {
  const request = encodeRequest({ kind: 'newest', volumes: [volume] })
  for await (const { body } of peer.call(from, HEADS_PROTOCOL, request, { signal })) {
    const [record] = decodeRecords(body)
    if (record === undefined) return undefined
    const head = await readHead(record)
    if (head.volume === volume) return head
    throw new WarrenError('EPROTO', { message: `asked for ${volume}, told of ${head.volume}` })
  }
  return undefined
}

/**
 * What a peer offers us. Throws what the call throws, and `EPROTO` for more than `OFFERS_MAX` or
 * two of one name.
 */
export async function fetchOffers(
  peer: Pick<Peer, 'call'>,
  from: PeerId,
  options: CallOptions = {}
): Promise<Offer[]> {
  const offers = new Map<string, Offer>()
  const request = encodeRequest({ kind: 'offers' })
  for await (const { body } of peer.call(from, HEADS_PROTOCOL, request, options)) {
    const size = offers.size
    const more = decodeOffers(body)
    for (const offer of more) offers.set(offer.name, offer)
    // An endless stream of empty lists would be as bad as one of full ones.
    const valid = more.length > 0 && offers.size === size + more.length && offers.size <= OFFERS_MAX
    if (!valid) throw new WarrenError('EPROTO', { message: `the list of what ${from} offers` })
  }
  return [...offers.values()]
}
