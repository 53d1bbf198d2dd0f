/**
 * What is followed where: the volumes somebody here wants to hear of, and a subscription at each
 * peer that may know of them, which are all connected peers and the sources hinted at.
 */
import type { Peer, PeerId } from '../../peer/index.ts'
import { Subscription } from './follow-heads.ts'
import type { FollowComponents } from './follow-heads.ts'
import type { SignedHead, VolumeId } from './head.ts'
import { supersedes } from './head-order.ts'

/** Peers followed at once. News reaches us over any of them, so more would only repeat it. */
export const PEERS_FOLLOWED_MAX = 64

/** Volumes are mounted many at a time; those of one moment go into one call. */
const GATHER_MS = 10

export type HeadListener = (head: SignedHead) => void

interface Following {
  readonly listener: HeadListener
  readonly sources: readonly PeerId[]
}

export interface FollowedVolumesComponents extends FollowComponents {
  readonly peer: Pick<Peer, 'call' | 'connected' | 'events' | 'id'>
}

export class FollowedVolumes {
  readonly #components: FollowedVolumesComponents
  readonly #followings = new Map<VolumeId, Set<Following>>()
  /** The newest head listeners were told of, so that they never hear an older one after it. */
  readonly #told = new Map<VolumeId, SignedHead>()
  readonly #subscriptions = new Map<PeerId, Subscription>()
  #running = false
  #cancelArranging: (() => void) | undefined

  constructor(components: FollowedVolumesComponents) {
    this.#components = components
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#components.peer.events.addEventListener('connect', this.#connected)
    this.#components.peer.events.addEventListener('disconnect', this.#disconnected)
    this.#arrangeSoon()
  }

  stop(): void {
    this.#running = false
    this.#cancelArranging?.()
    this.#cancelArranging = undefined
    this.#components.peer.events.removeEventListener('connect', this.#connected)
    this.#components.peer.events.removeEventListener('disconnect', this.#disconnected)
    for (const subscription of this.#subscriptions.values()) subscription.stop()
    this.#subscriptions.clear()
  }

  /** Returns how to stop. */
  add(volume: VolumeId, following: Following): () => void {
    const followings = this.#followings.get(volume) ?? new Set()
    this.#followings.set(volume, followings.add(following))
    this.#arrangeSoon()
    return () => {
      if (!followings.delete(following)) return
      if (followings.size === 0) {
        this.#followings.delete(volume)
        this.#told.delete(volume)
      }
      this.#arrangeSoon()
    }
  }

  /** Tells the listeners of the volume, each in its own turn of the event loop. */
  publish(head: SignedHead): void {
    const followings = this.#followings.get(head.volume)
    if (followings === undefined || !supersedes(head, this.#told.get(head.volume))) return
    this.#told.set(head.volume, head)
    for (const following of followings) {
      // A listener that throws is a bug of its owner's, and must not end a call that brought news.
      queueMicrotask(() => {
        if (followings.has(following)) following.listener(head)
      })
    }
  }

  readonly #connected = ({ detail: peer }: CustomEvent<PeerId>): void => {
    this.#arrangeSoon()
    this.#subscriptions.get(peer)?.retry()
  }

  readonly #disconnected = (): void => this.#arrangeSoon()

  #arrangeSoon(): void {
    if (!this.#running) return
    this.#cancelArranging ??= this.#components.clock.after(GATHER_MS, () => this.#arrange())
  }

  #arrange(): void {
    this.#cancelArranging = undefined
    const wanted = this.#wantedByPeer()
    for (const [peer, subscription] of this.#subscriptions) {
      if (wanted.has(peer)) continue
      subscription.stop()
      this.#subscriptions.delete(peer)
    }
    for (const [peer, volumes] of wanted) {
      const subscription = this.#subscriptions.get(peer) ?? new Subscription(peer, this.#components)
      this.#subscriptions.set(peer, subscription)
      subscription.follow(volumes)
    }
  }

  #wantedByPeer(): Map<PeerId, ReadonlySet<VolumeId>> {
    const { peer } = this.#components
    const all: ReadonlySet<VolumeId> = new Set(this.#followings.keys())
    const connected = new Set(peer.connected())
    const wanted = new Map<PeerId, Set<VolumeId>>()
    for (const [volume, followings] of this.#followings) {
      for (const source of [...followings].flatMap(following => following.sources)) {
        if (source === peer.id || connected.has(source)) continue
        wanted.set(source, (wanted.get(source) ?? new Set()).add(volume))
      }
    }
    // Connected ones first, because they need no dial; a volume may be known to any of them.
    const asked = all.size === 0 ? [] : [...connected].map(one => [one, all] as const)
    return new Map([...asked, ...wanted].slice(0, PEERS_FOLLOWED_MAX))
  }
}
