/**
 * The peers that follow volumes here, and what each has yet to be told. For each of its volumes a
 * follower has at most one head waiting, the newest, so a slow one misses versions but never falls
 * behind by more than one message, and costs no more memory than it has volumes.
 */
import { WarrenError } from '../../errors.ts'
import type { Clock, PeerId } from '../../peer/index.ts'
import type { SignedHead, VolumeId } from './head.ts'
import { supersedes } from './head-order.ts'

/**
 * Follow calls of one peer at once. Twice what a peer makes (`FOLLOW_CALLS_MAX`), because a call
 * that was cancelled takes a moment to unwind and must not count against the next.
 */
export const FOLLOWERS_PER_PEER_MAX = 32

/** Follow calls at once. With all the volumes they may ask for they hold about 60 MB. */
export const FOLLOWERS_MAX = 1024

export class Followers {
  /** Lists, because nearly all have one follower and a set would cost more than all the rest. */
  readonly #byVolume = new Map<VolumeId, Follower[]>()
  readonly #countByPeer = new Map<PeerId, number>()
  #count = 0

  /** Throws `EBUSY` when there are too many. What is added must be removed. */
  add(from: PeerId, volumes: readonly VolumeId[]): Follower {
    const count = this.#countByPeer.get(from) ?? 0
    if (count >= FOLLOWERS_PER_PEER_MAX || this.#count >= FOLLOWERS_MAX) {
      throw new WarrenError('EBUSY', { message: `${count} followers of ${this.#count} are yours` })
    }
    this.#countByPeer.set(from, count + 1)
    this.#count++
    const follower = new Follower(from, new Set(volumes))
    for (const volume of follower.volumes) {
      const followers = this.#byVolume.get(volume)
      if (followers === undefined) this.#byVolume.set(volume, [follower])
      else followers.push(follower)
    }
    return follower
  }

  remove(follower: Follower): void {
    for (const volume of follower.volumes) {
      const others = this.#byVolume.get(volume)?.filter(other => other !== follower) ?? []
      if (others.length > 0) this.#byVolume.set(volume, others)
      else this.#byVolume.delete(volume)
    }
    const count = this.#countByPeer.get(follower.from) ?? 0
    if (count > 1) this.#countByPeer.set(follower.from, count - 1)
    else this.#countByPeer.delete(follower.from)
    this.#count--
  }

  /** Tells every follower of the volume but the peer we have it from. */
  publish(head: SignedHead, from?: PeerId): void {
    for (const follower of this.#byVolume.get(head.volume) ?? []) {
      if (follower.from !== from) follower.push(head)
    }
  }
}

export class Follower {
  readonly from: PeerId
  readonly volumes: ReadonlySet<VolumeId>
  readonly #waiting = new Map<VolumeId, SignedHead>()
  #wake: (() => void) | undefined

  constructor(from: PeerId, volumes: ReadonlySet<VolumeId>) {
    this.from = from
    this.volumes = volumes
  }

  push(head: SignedHead): void {
    if (!supersedes(head, this.#waiting.get(head.volume))) return
    this.#waiting.set(head.volume, head)
    this.#wake?.()
  }

  /** What waits now, or the first that comes; an empty list after `waitMs`, or when the signal is aborted. */
  async take(
    clock: Clock,
    { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal }
  ): Promise<SignedHead[]> {
    if (this.#waiting.size === 0 && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      signal.addEventListener('abort', this.#wake, { once: true })
      const cancel = clock.after(waitMs, this.#wake)
      await promise
      cancel()
      signal.removeEventListener('abort', this.#wake)
      this.#wake = undefined
    }
    const heads = [...this.#waiting.values()]
    this.#waiting.clear()
    return heads
  }
}
