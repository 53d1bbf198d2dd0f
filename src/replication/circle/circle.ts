/**
 * The contract of a circle: the holders of one volume as one of them, or the owner, sees them now.
 * It carries the holder list from whoever has a newer one, each holder's report of itself, and
 * knows who is there. There is one circle a volume on a peer.
 */
import type { VolumeId } from '../../namespace/index.ts'
import type { PeerId, TypedEventTarget } from '../../peer/index.ts'
import type { Holder, HolderList } from '../holders/holder-list.ts'
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
  presence: CustomEvent<{ readonly holder: PeerId; readonly presence: Presence }>
}

export interface Circle {
  readonly volume: VolumeId
  readonly events: TypedEventTarget<CircleEvents>
  /** The newest list we know; undefined: none yet. */
  readonly list: HolderList | undefined
  /** What a holder said last; undefined: nothing since we began. Our own is what `publish` was given. */
  reportOf(holder: PeerId): HolderReport | undefined
  /** Of a listed holder. We are always present. Everybody counts as present when a circle begins. */
  presenceOf(holder: PeerId): Presence
  /** Listed holders that are not gone, we among them when listed: whom placement counts on. */
  counted(): readonly Holder[]
  /** Does not count on a holder any more, or does again: audits found it lying, or honest. */
  distrust(holder: PeerId, distrusted: boolean): void
  /** Tells everybody who watches us. */
  publish(report: HolderReport): void
  /** Takes a list that was verified. True when it is newer than ours; then it is stored and passed on. */
  learn(list: HolderList): Promise<boolean>
  /** Leaves no call, timer or listener behind. Idempotent. */
  close(): Promise<void>
}
