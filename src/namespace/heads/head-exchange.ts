/**
 * Heads between peers: plugs `/warren/heads/1.0.0` into a peer and a head store.
 *
 * Whatever way a head comes in, it is verified, put into the store if it is newer than what is
 * there, and only then passed on: to listeners here and to the peers that follow the volume at us,
 * except the one it came from. So news travels over any chain of peers and stops where it is known.
 */
import { WarrenError, isWarrenError } from '../../errors.ts'
import type { CallOptions, Clock, Peer, PeerId, TypedEventTarget } from '../../peer/index.ts'
import { GRACE_MS, NEWEST_TIMEOUT_MS, askForNewest, fetchOffers } from './fetch-heads.ts'
import type { RecordSource } from './follow-heads.ts'
import { FollowedVolumes } from './followed-volumes.ts'
import type { HeadListener } from './followed-volumes.ts'
import { HEADS_PROTOCOL } from './head-messages.ts'
import type { Offer } from './head-messages.ts'
import { isFork, supersedes } from './head-order.ts'
import { decodeHead, requireSigned } from './head-record.ts'
import type { HeadStore } from './head-store.ts'
import type { SignedHead, VolumeId } from './head.ts'
import { serveHeads } from './serve-heads.ts'
import type { HeadsPolicy, HeadsServer } from './serve-heads.ts'

export interface HeadExchangeComponents {
  readonly peer: Pick<Peer, 'id' | 'events' | 'connected' | 'serve' | 'call'>
  readonly heads: Pick<HeadStore, 'get' | 'compareAndSet'>
  readonly clock: Clock
  /** Who may be told what. */
  readonly policy: HeadsPolicy
}

export interface HeadExchangeOptions {
  /** How long others may still answer after the first, in milliseconds. Default `GRACE_MS`. */
  readonly graceMs?: number
  /** From 0 up to 1: spreads the pauses of many peers. Default `Math.random`. */
  readonly random?: () => number
}

export interface NewestOptions {
  readonly signal?: AbortSignal
  /** Peers to ask beside the connected ones, such as those of a share link. They are dialled. */
  readonly sources?: readonly PeerId[]
  /** Milliseconds. Default `NEWEST_TIMEOUT_MS`. */
  readonly timeoutMs?: number
}

export interface NewestHead {
  /** Undefined when nobody who was reached knows the volume, and neither do we. */
  readonly head: SignedHead | undefined
  /** Whether another peer stated a valid head just now. Otherwise the head is what was known before. */
  readonly fresh: boolean
}

/** An owner signed two versions under one sequence: its key is in use at two places. */
export interface Fork {
  /** What every peer keeps. */
  readonly kept: SignedHead
  readonly dropped: SignedHead
}

export interface HeadExchangeEvents {
  /** At most once for each sequence of a volume in a row. */
  fork: CustomEvent<Fork>
}

export interface HeadExchange extends AsyncDisposable {
  readonly events: TypedEventTarget<HeadExchangeEvents>
  /** Serves and follows from now on. Idempotent. */
  start(): Promise<void>
  /** Idempotent. Leaves no call, timer or listener behind. */
  stop(): Promise<void>
  /**
   * The newest head of a volume that can be had now: asks the sources and the connected peers at
   * once and keeps what is newer than ours. Never rejects for what peers do; rejects with the
   * signal's reason, or what the store throws.
   */
  newest(volume: VolumeId, options?: NewestOptions): Promise<NewestHead>
  /**
   * Hears of newer heads of a volume as long as the exchange runs: calls back for each that comes,
   * from other peers or from `announce`. Returns how to stop.
   */
  follow(
    volume: VolumeId,
    listener: HeadListener,
    options?: { readonly sources?: readonly PeerId[] }
  ): () => void
  /** Passes on a head that was made here and is in the store already. */
  announce(head: SignedHead): void
  /** What another peer offers us. Throws what a call throws. */
  offersOf(peer: PeerId, options?: CallOptions): Promise<Offer[]>
}

export function createHeadExchange(
  components: HeadExchangeComponents,
  options: HeadExchangeOptions = {}
): HeadExchange {
  return new PeerHeadExchange(components, options)
}

class PeerHeadExchange implements HeadExchange {
  readonly #components: HeadExchangeComponents
  readonly #graceMs: number
  readonly #events = new EventTarget()
  readonly #followed: FollowedVolumes
  /** The last sequence at which a volume was seen to fork, so that repeats are not reported. */
  readonly #forks = new Map<VolumeId, number>()
  #server: HeadsServer | undefined
  #stopServing: (() => void) | undefined

  constructor(components: HeadExchangeComponents, options: HeadExchangeOptions) {
    const { peer, clock } = components
    this.#components = components
    this.#graceMs = options.graceMs ?? GRACE_MS
    this.#followed = new FollowedVolumes({
      peer,
      clock,
      random: options.random ?? Math.random,
      learn: (record, source) => this.#learnRecord(record, source)
    })
  }

  get events(): TypedEventTarget<HeadExchangeEvents> {
    return this.#events as TypedEventTarget<HeadExchangeEvents>
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return
    this.#server = serveHeads(this.#components)
    this.#stopServing = this.#components.peer.serve(HEADS_PROTOCOL, this.#server.handler)
    this.#followed.start()
  }

  async stop(): Promise<void> {
    this.#stopServing?.()
    this.#server?.stop()
    this.#server = undefined
    this.#followed.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async newest(volume: VolumeId, options: NewestOptions = {}): Promise<NewestHead> {
    const { peer, heads } = this.#components
    const peers = new Set([...(options.sources ?? []), ...peer.connected()])
    peers.delete(peer.id)
    const question = { volume, peers: [...peers] }
    const fresh = await askForNewest(this.#components, question, {
      timeoutMs: options.timeoutMs ?? NEWEST_TIMEOUT_MS,
      graceMs: this.#graceMs,
      found: (head, from) => this.#learn(head, from),
      ...(options.signal && { signal: options.signal })
    })
    return { head: await heads.get(volume), fresh }
  }

  follow(
    volume: VolumeId,
    listener: HeadListener,
    { sources = [] }: { readonly sources?: readonly PeerId[] } = {}
  ): () => void {
    return this.#followed.add(volume, { listener, sources })
  }

  announce(head: SignedHead): void {
    this.#publish(head)
  }

  offersOf(peer: PeerId, options: CallOptions = {}): Promise<Offer[]> {
    return fetchOffers(this.#components.peer, peer, options)
  }

  async #learnRecord(record: Uint8Array, { from, asked }: RecordSource): Promise<void> {
    const head = decodeHead(record)
    if (!asked.has(head.volume)) {
      throw new WarrenError('EPROTO', { message: `told of ${head.volume} without asking` })
    }
    // What would change nothing is not worth the check of its signature.
    const current = await this.#components.heads.get(head.volume)
    const matters = supersedes(head, current) || (current !== undefined && isFork(head, current))
    if (!matters) return
    await requireSigned(head)
    await this.#learn(head, from)
  }

  /** Takes a verified head into the store if it is newer than what is there, and passes it on. */
  async #learn(head: SignedHead, from: PeerId): Promise<void> {
    const { heads } = this.#components
    for (;;) {
      const current = await heads.get(head.volume)
      const isNewer = supersedes(head, current)
      if (current !== undefined && isFork(head, current)) {
        this.#reportFork(
          isNewer ? { kept: head, dropped: current } : { kept: current, dropped: head }
        )
      }
      if (!isNewer) return
      if (await setIfNewer(heads, current, head)) return this.#publish(head, from)
    }
  }

  #publish(head: SignedHead, from?: PeerId): void {
    this.#server?.publish(head, from)
    this.#followed.publish(head)
  }

  #reportFork(fork: Fork): void {
    const { volume, sequence } = fork.kept
    if (this.#forks.get(volume) === sequence) return
    this.#forks.set(volume, sequence)
    this.#events.dispatchEvent(new CustomEvent('fork', { detail: fork }))
  }
}

/** False when another head came in between; then what is there now has to be looked at again. */
async function setIfNewer(
  heads: Pick<HeadStore, 'compareAndSet'>,
  current: SignedHead | undefined,
  head: SignedHead
): Promise<boolean> {
  try {
    return await heads.compareAndSet(current?.sequence, head)
  } catch (error) {
    // The other branch of a fork has the sequence we expect and yet is not what we compared with.
    if (isWarrenError(error, 'EINVAL')) return false
    throw error
  }
}
