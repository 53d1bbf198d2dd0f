/**
 * How much work each peer may cause: a token bucket a peer. Work is allowed in bursts, because
 * honest peers come in bursts, and slowly in the long run.
 */
import type { Clock, PeerId } from '../peer/index.ts'

/**
 * Peers that are remembered. The one that asked longest ago is forgotten first; with so many its
 * allowance is full again, unless somebody has thousands of identities at once.
 */
export const ALLOWANCES_MAX = 4096

export interface AllowanceLimits {
  /** The most that can be had at once. */
  readonly burst: number
  /** What comes back each second. */
  readonly perSecond: number
}

export class Allowances {
  readonly #clock: Pick<Clock, 'now'>
  readonly #limits: AllowanceLimits
  /** The one that asked longest ago first. */
  readonly #left = new Map<PeerId, { amount: number; at: number }>()

  constructor(clock: Pick<Clock, 'now'>, limits: AllowanceLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Takes so much of what a peer may have, or nothing and returns false. */
  take(peer: PeerId, amount: number): boolean {
    const { burst, perSecond } = this.#limits
    const now = this.#clock.now()
    const before = this.#left.get(peer) ?? { amount: burst, at: now }
    const returned = (Math.max(0, now - before.at) / 1000) * perSecond
    const left = Math.min(burst, before.amount + returned)
    const allowed = amount <= left
    this.#left.delete(peer)
    this.#left.set(peer, { amount: allowed ? left - amount : left, at: now })
    if (this.#left.size > ALLOWANCES_MAX) this.#left.delete(this.#left.keys().next().value!)
    return allowed
  }
}
