/**
 * What is known of one holder from its audits, and the rules by which it is distrusted and trusted
 * again.
 *
 * Some audits prove nothing and are nobody's fault alone: no answer in time, blocks that a holder
 * lacks that has said that it is behind, or that it may have let go of meanwhile. Each of these is a
 * doubt, and each audit that was passed takes one away, so that a slow or busy holder is safe, and
 * whoever has nothing else to offer than excuses is not.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import {
  DOUBTS_MAX,
  DOUBT_MS,
  REDEEM_BLOCKS,
  REDEEM_PAUSE_MS,
  REDEEM_PAUSE_MS_MAX,
  REDEEM_PROVEN,
  STRIKES_MAX
} from './audit-rounds-limits.ts'
import { isSameClaim } from './claim.ts'
import type { Distrust, DistrustReason } from './distrust.ts'

/** Blocks that are a holder's own by what it claims; by another claim they may be somebody else's. */
export interface ClaimedBlocks {
  readonly claim: HolderReport
  readonly ids: readonly BlockId[]
}

export class Standing {
  /** It failed to prove these in an audit that did not decide. */
  suspects: ClaimedBlocks | undefined
  /** It did not answer when it was asked for these: it is asked for the same again. */
  unanswered: ClaimedBlocks | undefined
  #distrust: Omit<Distrust, 'holder'> | undefined
  /** Failed audits in a row after which it would not let us make sure. */
  #strikes = 0
  #doubts = 0
  #doubtedMs = 0
  /** In a row, since it was distrusted. */
  #proven = 0
  #pauseMs = REDEEM_PAUSE_MS
  /** A distrusted one is not audited before. */
  #nextMs = 0

  /** As it was remembered. */
  constructor(distrust?: Omit<Distrust, 'holder'>) {
    this.#distrust = distrust
  }

  get distrust(): Omit<Distrust, 'holder'> | undefined {
    return this.#distrust
  }

  /** Whether it has something to make up for. */
  get isDoubtful(): boolean {
    return this.suspects !== undefined || this.#doubts > 0
  }

  isDue(nowMs: number): boolean {
    if (this.#distrust === undefined) return true
    // A clock that was set back must not keep it waiting for years.
    return nowMs >= this.#nextMs || nowMs < this.#nextMs - REDEEM_PAUSE_MS_MAX
  }

  /** Forgets what is of another claim. */
  useClaim(claim: HolderReport): void {
    if (this.suspects && !isSameClaim(this.suspects.claim, claim)) this.suspects = undefined
    if (this.unanswered && !isSameClaim(this.unanswered.claim, claim)) this.unanswered = undefined
  }

  /** An audit was passed. True: it is trusted again. */
  pass(proven: readonly BlockId[], nowMs: number): boolean {
    if (proven.length === 0) return false
    this.#doubts = Math.max(0, this.#doubts - 1)
    if (this.suspects?.ids.every(id => proven.includes(id))) this.suspects = undefined
    if (this.#distrust === undefined) return false
    this.#proven += proven.length
    this.#nextMs = nowMs + this.#pauseMs
    if (this.#proven < REDEEM_PROVEN) return false
    this.#distrust = undefined
    this.#doubts = 0
    return true
  }

  /** An audit proved nothing. True: that was one too many. */
  doubt(nowMs: number): boolean {
    this.#proven = 0
    this.#nextMs = nowMs + this.#pauseMs
    if (this.#doubts === 0) this.#doubtedMs = nowMs
    this.#doubts = Math.min(DOUBTS_MAX, this.#doubts + 1)
    const isLong = nowMs - this.#doubtedMs >= DOUBT_MS
    return this.#distrust === undefined && isLong && this.#doubts === DOUBTS_MAX
  }

  /** It failed, and then let us make sure, or not. True: it did not, once too often. */
  excuse(blocks: ClaimedBlocks, letUs: boolean): boolean {
    this.suspects = blocks
    this.#strikes = letUs ? 0 : this.#strikes + 1
    return this.#strikes === STRIKES_MAX
  }

  /** It is not counted on. Whoever was already is asked after a longer pause. */
  fail(reason: DistrustReason, blocks: ClaimedBlocks | undefined, nowMs: number): void {
    this.#distrust = { reason, sinceMs: this.#distrust?.sinceMs ?? Math.floor(nowMs) }
    this.#proven = 0
    this.#strikes = 0
    // To be trusted again it has to prove these too, as long as they are its own.
    if (blocks !== undefined) {
      this.suspects = { ...blocks, ids: blocks.ids.slice(0, REDEEM_BLOCKS) }
    }
    this.#nextMs = nowMs + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, REDEEM_PAUSE_MS_MAX)
  }
}
