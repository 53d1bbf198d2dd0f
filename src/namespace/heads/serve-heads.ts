/** The serving half of `/warren/heads/1.0.0`: see `head-messages.ts` for what is said. */
import type { CallContext, CallHandler, Clock, OutgoingMessage, PeerId } from '../../peer/index.ts'
import { Followers } from './followers.ts'
import {
  OFFERS_MAX,
  OFFERS_PER_MESSAGE_MAX,
  decodeRequest,
  encodeHeads,
  encodeOffers
} from './head-messages.ts'
import type { Offer } from './head-messages.ts'
import { isShareName, isSharePath } from './share-name.ts'
import type { HeadStore } from './head-store.ts'
import type { SignedHead, VolumeId } from './head.ts'

/** Often enough that silence soon means death, rarely enough to cost a sleeping laptop nothing. */
export const SIGN_OF_LIFE_MS = 5_000

/** Who may be told what. Asked again before each answer, so that what is revoked ends at once. */
export interface HeadsPolicy {
  /** Whether a peer may know versions of a volume. */
  mayRead(volume: VolumeId, from: PeerId): boolean
  /** What a peer is shown. */
  offers(from: PeerId): readonly Offer[]
}

export interface HeadsServer {
  readonly handler: CallHandler
  /** Tells the followers of a volume a newer head; not the peer we have it from. */
  publish(head: SignedHead, from?: PeerId): void
  /** Ends the answers to all followers. Nothing may be asked afterwards. */
  stop(): void
}

export interface ServeHeadsComponents {
  readonly heads: Pick<HeadStore, 'get'>
  readonly clock: Clock
  readonly policy: HeadsPolicy
}

export function serveHeads(components: ServeHeadsComponents): HeadsServer {
  const followers = new Followers()
  const stop = new AbortController()
  return {
    publish: (head, from) => followers.publish(head, from),
    stop: () => stop.abort(),
    handler: (request, context) => answer(request.body, context)
  }

  async function* answer(body: unknown, context: CallContext): AsyncGenerator<OutgoingMessage> {
    const request = decodeRequest(body)
    if (request.kind === 'newest') yield encodeHeads(await held(request.volumes, context.from))
    else if (request.kind === 'follow') yield* follow(request.volumes, context)
    else yield* offer(context.from)
  }

  async function* follow(
    volumes: readonly VolumeId[],
    { from, signal: callerSignal }: CallContext
  ): AsyncGenerator<OutgoingMessage> {
    const signal = AbortSignal.any([callerSignal, stop.signal])
    // Added before the store is read, so that no change falls in between.
    const follower = followers.add(from, volumes)
    try {
      yield encodeHeads(await held(volumes, from))
      while (!signal.aborted) {
        const heads = await follower.take(components.clock, { waitMs: SIGN_OF_LIFE_MS, signal })
        if (!signal.aborted) yield encodeHeads(heads.filter(head => isReadable(head.volume, from)))
      }
    } finally {
      followers.remove(follower)
    }
  }

  async function* offer(from: PeerId): AsyncGenerator<OutgoingMessage> {
    // One that the other side would refuse must not cost us the rest.
    const offers = components.policy
      .offers(from)
      .filter(({ name, path }) => isShareName(name) && isSharePath(path))
      .slice(0, OFFERS_MAX)
    for (let start = 0; start < offers.length; start += OFFERS_PER_MESSAGE_MAX) {
      yield encodeOffers(offers.slice(start, start + OFFERS_PER_MESSAGE_MAX))
    }
  }

  async function held(volumes: readonly VolumeId[], from: PeerId): Promise<SignedHead[]> {
    const readable = [...new Set(volumes)].filter(volume => isReadable(volume, from))
    // One damaged head must not keep the others from being told.
    const heads = await Promise.all(
      readable.map(volume => components.heads.get(volume).catch(() => undefined))
    )
    return heads.filter(head => head !== undefined)
  }

  function isReadable(volume: VolumeId, from: PeerId): boolean {
    return components.policy.mayRead(volume, from)
  }
}
