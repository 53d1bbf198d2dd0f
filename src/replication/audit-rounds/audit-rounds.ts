/**
 * Audits the other holders of a volume, one at random every so often, and stops counting on those
 * that do not have what they claim.
 *
 * One bad answer is not enough, because an honest holder may just have lost a block to its disk and
 * say so next: it is asked about many more blocks, and later about the same one again. Silence
 * alone never counts, so an absent or slow holder is safe; but whoever fails and then is silent when
 * we want to make sure can do that once.
 *
 * A distrusted holder is audited on, with pauses that grow with each failure, and trusted again
 * when it has proven enough blocks in a row. What is known of holders is in memory: after a restart
 * everybody begins anew.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { Clock, PeerId, TypedEventTarget } from '../../peer/index.ts'
import type { AuditReport, Auditor } from '../audit/auditor.ts'
import type { Circle } from '../circle/circle.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import { pause } from '../pause.ts'
import {
  AUDIT_BLOCKS,
  AUDIT_PERIOD_MS,
  REDEEM_BLOCKS,
  REDEEM_PAUSE_MS,
  REDEEM_PAUSE_MS_MAX,
  REDEEM_PROVEN,
  SETTLE_MS,
  STRIKES_MAX,
  SURE_BLOCKS
} from './audit-rounds-limits.ts'
import { isClaim, isSameClaim } from './claim.ts'

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
  readonly circle: Pick<Circle, 'list' | 'presenceOf' | 'reportOf' | 'distrust'>
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  /**
   * Blocks that this holder should have by its own claim and that we can check, each as likely as
   * the others; fewer when there are fewer, none when we cannot say. Only what is surely its own:
   * for each block that it need not have, an honest holder is distrusted.
   */
  readonly partOf: (holder: PeerId, question: PartQuestion) => Promise<readonly BlockId[]>
}

export interface AuditRoundsOptions {
  /** Milliseconds between two audits, on average. Default `AUDIT_PERIOD_MS`. */
  readonly periodMs?: number
  /** Blocks an audit. Default `AUDIT_BLOCKS`. */
  readonly blocks?: number
}

/** A holder does not have what it claims. */
export interface AuditFailure {
  readonly holder: PeerId
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

export function createAuditRounds(
  components: AuditRoundsComponents,
  options: AuditRoundsOptions = {}
): AuditRounds {
  return new Rounds(components, options)
}

/** What is known of one holder. */
interface Standing {
  /** Blocks it failed to prove in an audit that did not decide; they are its own by this claim. */
  suspects: { readonly claim: HolderReport; readonly ids: readonly BlockId[] } | undefined
  /** Failed audits in a row after which it would not let us make sure. */
  strikes: number
  distrusted: boolean
  /** In a row, since it was distrusted. */
  proven: number
  pauseMs: number
  /** A distrusted one is not audited before. */
  nextMs: number
}

class Rounds implements AuditRounds {
  readonly events: TypedEventTarget<AuditRoundsEvents>
  readonly #events = new EventTarget()
  readonly #components: AuditRoundsComponents
  readonly #periodMs: number
  readonly #blocks: number
  readonly #standings = new Map<PeerId, Standing>()
  #running: { readonly ending: AbortController; readonly ended: Promise<void> } | undefined

  constructor(components: AuditRoundsComponents, options: AuditRoundsOptions) {
    this.events = this.#events as unknown as TypedEventTarget<AuditRoundsEvents>
    this.#components = components
    this.#periodMs = options.periodMs ?? AUDIT_PERIOD_MS
    this.#blocks = options.blocks ?? AUDIT_BLOCKS
  }

  isDistrusted(holder: PeerId): boolean {
    return this.#standings.get(holder)?.distrusted ?? false
  }

  start(): void {
    if (this.#running !== undefined) return
    const ending = new AbortController()
    this.#running = { ending, ended: this.#run(ending.signal) }
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.ending.abort()
    await running.ended
    if (this.#running === running) this.#running = undefined
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#components
    while (!signal.aborted) {
      // At random, so that nobody knows when, and a circle that starts at once does not audit at once.
      await pause(clock, this.#periodMs * (0.5 + random()), signal)
      const holder = signal.aborted ? undefined : this.#choose()
      // A store that fails, say: there is another round.
      if (holder !== undefined) await this.#round(holder, signal).catch(() => {})
    }
  }

  #choose(): PeerId | undefined {
    const { self, circle, clock, random } = this.#components
    const listed = new Set((circle.list?.holders ?? []).map(({ peer }) => peer))
    for (const holder of this.#standings.keys()) {
      if (!listed.has(holder)) this.#standings.delete(holder)
    }
    const due = [...listed].filter(holder => {
      if (holder === self || circle.presenceOf(holder) !== 'present') return false
      const standing = this.#standings.get(holder)
      return standing?.distrusted !== true || clock.now() >= standing.nextMs
    })
    // Every other round is for those who have something to make up for, and they cannot take all.
    const suspected = due.filter(holder => this.#standings.get(holder)?.suspects !== undefined)
    const from = suspected.length > 0 && random() < 0.5 ? suspected : due
    return from[Math.floor(random() * from.length)]
  }

  async #round(holder: PeerId, signal: AbortSignal): Promise<void> {
    const claim = this.#components.circle.reportOf(holder)
    if (!isClaim(claim)) return
    const standing = this.#standingOf(holder)
    // By another claim they may be somebody else's.
    if (standing.suspects !== undefined && !isSameClaim(standing.suspects.claim, claim)) {
      standing.suspects = undefined
    }
    const { distrusted, suspects } = standing
    const question = { count: distrusted ? REDEEM_BLOCKS : this.#blocks, claim, signal }
    const report = await this.#audit(holder, question, { also: suspects?.ids ?? [] })
    const failed = failedOf(report)
    if (failed.length === 0) {
      if (distrusted) this.#redeem(holder, standing, report.proven.length)
      if (suspects?.ids.every(id => report.proven.includes(id))) standing.suspects = undefined
      return
    }
    if (!(await this.#stands(holder, claim, signal))) return
    if (distrusted || failed.some(id => suspects?.ids.includes(id))) {
      this.#distrust(holder, standing, { claim, ...report })
      return
    }
    await this.#makeSure(holder, { claim, report }, signal)
  }

  /** The same once more, of many more blocks and none that failed already. */
  async #makeSure(
    holder: PeerId,
    { claim, report }: { readonly claim: HolderReport; readonly report: AuditReport },
    signal: AbortSignal
  ): Promise<void> {
    const standing = this.#standingOf(holder)
    const failed = failedOf(report)
    const question = { count: SURE_BLOCKS, claim, signal }
    const second = await this.#audit(holder, question, { without: failed })
    if (failedOf(second).length > 0) {
      if (!(await this.#stands(holder, claim, signal))) return
      this.#distrust(holder, standing, {
        claim,
        missing: [...report.missing, ...second.missing],
        wrong: [...report.wrong, ...second.wrong]
      })
      return
    }
    standing.suspects = { claim, ids: failed }
    standing.strikes = second.proven.length > 0 ? 0 : standing.strikes + 1
    if (standing.strikes === STRIKES_MAX) this.#distrust(holder, standing, { claim, ...report })
  }

  async #audit(
    holder: PeerId,
    question: PartQuestion,
    { also = [], without = [] }: Readonly<Partial<Record<'also' | 'without', readonly BlockId[]>>>
  ): Promise<AuditReport> {
    const { auditor, partOf } = this.#components
    const part = await partOf(holder, question)
    const ids = [...part.filter(id => !without.includes(id)), ...also]
    const report = await auditor.audit(holder, ids, { signal: question.signal })
    this.#events.dispatchEvent(new CustomEvent('audit', { detail: { holder, report } }))
    return report
  }

  /** Whether the claim is still the same when everything that was on its way has arrived. */
  async #stands(holder: PeerId, claim: HolderReport, signal: AbortSignal): Promise<boolean> {
    const { circle, clock } = this.#components
    await pause(clock, SETTLE_MS, signal)
    return !signal.aborted && isSameClaim(claim, circle.reportOf(holder))
  }

  #distrust(
    holder: PeerId,
    standing: Standing,
    failure: Pick<AuditReport, 'missing' | 'wrong'> & { readonly claim: HolderReport }
  ): void {
    const { claim, missing, wrong } = failure
    const { circle, clock } = this.#components
    const isNew = !standing.distrusted
    standing.distrusted = true
    standing.proven = 0
    standing.strikes = 0
    // To be trusted again it has to prove these too, as long as they are its own.
    standing.suspects = { claim, ids: failedOf(failure).slice(0, REDEEM_BLOCKS) }
    standing.nextMs = clock.now() + standing.pauseMs
    standing.pauseMs = Math.min(2 * standing.pauseMs, REDEEM_PAUSE_MS_MAX)
    if (!isNew) return
    circle.distrust(holder, true)
    this.#events.dispatchEvent(
      new CustomEvent('distrusted', { detail: { holder, missing, wrong } satisfies AuditFailure })
    )
  }

  #redeem(holder: PeerId, standing: Standing, proven: number): void {
    const { circle, clock } = this.#components
    standing.proven += proven
    standing.nextMs = clock.now() + standing.pauseMs
    if (standing.proven < REDEEM_PROVEN) return
    standing.distrusted = false
    circle.distrust(holder, false)
    this.#events.dispatchEvent(new CustomEvent('trusted', { detail: { holder } }))
  }

  #standingOf(holder: PeerId): Standing {
    let standing = this.#standings.get(holder)
    if (standing === undefined) {
      standing = {
        suspects: undefined,
        strikes: 0,
        distrusted: false,
        proven: 0,
        pauseMs: REDEEM_PAUSE_MS,
        nextMs: 0
      }
      this.#standings.set(holder, standing)
    }
    return standing
  }
}

function failedOf({ missing, wrong }: Pick<AuditReport, 'missing' | 'wrong'>): BlockId[] {
  return [...missing, ...wrong]
}
