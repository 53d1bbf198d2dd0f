/** The contract of audit rounds: what they need, and what they tell. */
import type { BlockId } from '../../blocks/index.ts'
import type { Clock, PeerId, TypedEventTarget } from '../../peer/index.ts'
import type { AuditReport, Auditor } from '../audit/auditor.ts'
import type { Circle } from '../circle/circle.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import type { Distrust, DistrustReason } from './distrust.ts'

/** What is asked for: blocks at random of what a holder claims to have. */
export interface PartQuestion {
  readonly count: number
  /** What the holder says of itself: the ids are of its part of the version it `holds`. */
  readonly claim: HolderReport
  readonly signal: AbortSignal
}

export interface AuditRoundsComponents {
  readonly self: PeerId
  readonly auditor: Pick<Auditor, 'audit'>
  readonly circle: Pick<Circle, 'list' | 'presenceOf' | 'reportOf' | 'distrust' | 'events'>
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  /**
   * Blocks that this holder should have by its own claim and that we can check, each as likely as
   * the others; fewer when there are fewer, none when we cannot say. Only what is surely its own:
   * for each block that it need not have, an honest holder is distrusted.
   */
  readonly partOf: (holder: PeerId, question: PartQuestion) => Promise<readonly BlockId[]>
  /** Who was distrusted before a restart. Default: nobody. */
  readonly distrusted?: readonly Distrust[]
  /** Told who is distrusted each time that it changes, to remember it. */
  readonly remember?: (distrusted: readonly Distrust[]) => void
}

export interface AuditRoundsOptions {
  /** Milliseconds between two audits, on average. Default `AUDIT_PERIOD_MS`. */
  readonly periodMs?: number
  /** Blocks an audit. Default `AUDIT_BLOCKS`. */
  readonly blocks?: number
}

/** A holder does not have what it claims, or could not be brought to show it. */
export interface AuditFailure {
  readonly holder: PeerId
  readonly reason: DistrustReason
  /** Blocks it did not prove: admitted to be missing, or answered wrongly. */
  readonly missing: readonly BlockId[]
  readonly wrong: readonly BlockId[]
}

export interface AuditRoundsEvents {
  audit: CustomEvent<{ readonly holder: PeerId; readonly report: AuditReport }>
  /** It is distrusted from now on. */
  distrusted: CustomEvent<AuditFailure>
  /** It is trusted again. */
  trusted: CustomEvent<{ readonly holder: PeerId }>
}

export interface AuditRounds {
  readonly events: TypedEventTarget<AuditRoundsEvents>
  isDistrusted(holder: PeerId): boolean
  /** Idempotent. */
  start(): void
  /** Ends the audit under way. Idempotent. */
  stop(): Promise<void>
}
