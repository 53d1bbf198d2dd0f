/**
 * How much of what placement gives it a holder takes. A holder whose part does not fit its pledge
 * takes less, and says so; the next in line take over what it does not take. Everybody computes
 * from what it said which blocks these are.
 */
import type { PeerId } from '../../peer/index.ts'
import type { Holder } from './holder-list.ts'

/** A share is a whole number of these parts; all of them: the holder takes whatever it is given. */
export const SHARE_ALL = 256

/** A holder that is counted on. */
export interface CountedHolder extends Holder {
  /** From 0 to `SHARE_ALL`, which is the default. */
  readonly share?: number
}

/** Of those that do not take all. */
export type Shares = ReadonlyMap<PeerId, number>

export const NO_SHARES: Shares = new Map()

export function isShare(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= SHARE_ALL
}

export function shareOf({ share = SHARE_ALL }: CountedHolder): number {
  return share
}

/** The holders that take all are the same objects. */
export function withShares(holders: readonly Holder[], shares: Shares): CountedHolder[] {
  return holders.map(holder => {
    const share = shares.get(holder.peer)
    return share === undefined ? holder : { ...holder, share }
  })
}

export function sharesOf(holders: readonly CountedHolder[]): Shares {
  const limited = holders.filter(holder => shareOf(holder) < SHARE_ALL)
  return new Map(limited.map(holder => [holder.peer, shareOf(holder)]))
}

export function isSameShares(one: Shares, other: Shares): boolean {
  return one.size === other.size && [...one].every(([peer, share]) => other.get(peer) === share)
}
