/**
 * The contract of a circle: the holders of one volume as one of them, or the owner, sees them now.
 * It carries the holder list from whoever has a newer one, each holder's report of itself, and
 * knows who is there. There is one circle a volume on a peer.
 */
import type { VolumeId } from '../../namespace/index.ts'
import type { CallHandler, PeerId, TypedEventTarget } from '../../peer/index.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { CountedHolder } from '../holders/shares.ts'
import type { HolderReport } from './holder-report.ts'

/**
 * - `present`: heard of lately.
 * - `absent`: silent for a while; it may be a laptop with its lid down, so nothing moves yet.
 * - `gone`: silent for longer than the grace period: its copies are not counted on any more.
 */
export type Presence = 'present' | 'absent' | 'gone'

export interface CircleEvents {
  /** A newer list counts from now on. */
  list: CustomEvent<HolderList>
  /** A holder said something new of itself. */
  report: CustomEvent<PeerId>
  /** A holder is seen otherwise than before, is distrusted or trusted again, or takes more or less. */
  presence: CustomEvent<{ readonly holder: PeerId; readonly presence: Presence }>
}

export interface Circle {
  readonly volume: VolumeId
  readonly events: TypedEventTarget<CircleEvents>
  /** The newest list we know; undefined: none yet. */
  readonly list: HolderList | undefined
  /** What a holder said last; undefined: nothing since we began. Our own is what `publish` was given. */
  reportOf(holder: PeerId): HolderReport | undefined
  /**
   * We are always present. Everybody counts as present when a circle begins or a list names them,
   * and whoever is not listed as gone.
   */
  presenceOf(holder: PeerId): Presence
  /**
   * Listed holders that are neither gone nor distrusted, and we when listed: whom placement counts
   * on, in the order of the list, with what each takes of what it is given. The same array until it changes; it does with `list` and
   * `presence` events only.
   */
  counted(): readonly CountedHolder[]
  /**
   * Does not count on a holder any more, or does again: audits found it lying, or honest. It is
   * forgotten when the circle is closed, or the holder no longer listed. Of ourselves it is ignored.
   */
  distrust(holder: PeerId, distrusted: boolean): void
  /** Tells everybody who watches us. */
  publish(report: HolderReport): void
  /**
   * Takes a list that was verified. True when it is newer than ours; then it is stored, survives
   * power loss, and is passed on. Throws what the store throws, and `EBADF` once closed.
   */
  learn(list: HolderList): Promise<boolean>
  /** Leaves no call, timer or listener behind. Idempotent. */
  close(): Promise<void>
}

export interface OpenCircleOptions {
  /**
   * Whom to ask beside those who are listed, while no list names us or few of those are reached:
   * the owner, whom we joined at. At most `SOURCES_MAX` of them count.
   * Their addresses should be remembered by the peer before.
   */
  readonly sources?: readonly PeerId[]
}

/** The circles of this peer. */
export interface Circles {
  /**
   * Begins a circle with the list in the store, if there is one. A list that came with a join is
   * learned before or after. Throws `EEXIST` when it is open, `EBADF` once closed, and what the
   * store throws.
   */
  open(volume: VolumeId, options?: OpenCircleOptions): Promise<Circle>
  /** The circle that is open; undefined: none. */
  get(volume: VolumeId): Circle | undefined
  /** Whether a circle is open whose newest list names this peer: who may be told of the volume. */
  isHolder(volume: VolumeId, peer: PeerId): boolean
  /** What this peer serves for its circles, for `createReplicasHandler`. */
  readonly verbs: Readonly<Record<'listen' | 'watch' | 'unwatch', CallHandler>>
  /** Closes every circle. Idempotent. */
  close(): Promise<void>
}
