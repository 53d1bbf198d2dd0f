/**
 * Audits the other holders of a volume, one at random every so often, and stops counting on those
 * that do not have what they claim.
 *
 * One bad answer is not enough, because an honest holder may just have lost a block to its disk and
 * say so next: it is asked about many more blocks, and later about the same one again. Who fails and
 * then is silent when we want to make sure can do that once. Silence alone, and what lacks at a
 * holder that has said it is behind, counts when there has been nothing better for hours
 * (standing.ts).
 *
 * A distrusted holder is audited on, with pauses that grow with each failure, and trusted again
 * when it has proven enough blocks in a row. Who is distrusted is remembered by whoever is told of it.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { PeerId, TypedEventTarget } from '../../peer/index.ts'
import type { AuditReport } from '../audit/auditor.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import { pause } from '../pause.ts'
import {
  AUDIT_BLOCKS,
  AUDIT_PERIOD_MS,
  REDEEM_BLOCKS,
  SETTLE_MS,
  SURE_BLOCKS
} from './audit-rounds-limits.ts'
import type {
  AuditRounds,
  AuditRoundsComponents,
  AuditRoundsEvents,
  AuditRoundsOptions
} from './audit-rounds.ts'
import { isClaim, isSameClaim, isWhole } from './claim.ts'
import type { DistrustReason } from './distrust.ts'
import type { ClaimedBlocks, Standing } from './standing.ts'
import { Standings } from './standings.ts'

export function createAuditRounds(
  components: AuditRoundsComponents,
  options: AuditRoundsOptions = {}
): AuditRounds {
  return new Rounds(components, options)
}

type Failed = Pick<AuditReport, 'missing' | 'wrong'>

class Rounds implements AuditRounds {
  readonly events: TypedEventTarget<AuditRoundsEvents>
  readonly #events = new EventTarget()
  readonly #components: AuditRoundsComponents
  readonly #periodMs: number
  readonly #blocks: number
  readonly #standings: Standings
  #running: { readonly ending: AbortController; readonly ended: Promise<void> } | undefined

  constructor(components: AuditRoundsComponents, options: AuditRoundsOptions) {
    this.events = this.#events as unknown as TypedEventTarget<AuditRoundsEvents>
    this.#components = components
    this.#periodMs = options.periodMs ?? AUDIT_PERIOD_MS
    this.#blocks = options.blocks ?? AUDIT_BLOCKS
    this.#standings = new Standings(components.distrusted ?? [])
  }

  isDistrusted(holder: PeerId): boolean {
    return this.#standings.find(holder)?.distrust !== undefined
  }

  start(): void {
    if (this.#running !== undefined) return
    const ending = new AbortController()
    this.#components.circle.events.addEventListener('list', this.#onList)
    this.#onList()
    this.#running = { ending, ended: this.#run(ending.signal) }
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#components.circle.events.removeEventListener('list', this.#onList)
    running.ending.abort()
    await running.ended
    if (this.#running === running) this.#running = undefined
  }

  /** What is known of a holder goes with its place in the list. */
  readonly #onList = (): void => {
    const { circle } = this.#components
    if (circle.list === undefined) return
    if (this.#standings.keep(circle.list)) this.#remember()
    // A circle that has just begun does not know it yet.
    for (const { holder } of this.#standings.distrusted()) circle.distrust(holder, true)
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
    const due = (circle.list?.holders ?? []).flatMap(({ peer }) => {
      if (peer === self || circle.presenceOf(peer) !== 'present') return []
      return (this.#standings.find(peer)?.isDue(clock.now()) ?? true) ? [peer] : []
    })
    // Every other round is for those who have something to make up for, and they cannot take all.
    const doubtful = due.filter(holder => this.#standings.find(holder)?.isDoubtful === true)
    const from = doubtful.length > 0 && random() < 0.5 ? doubtful : due
    return from[Math.floor(random() * from.length)]
  }

  async #round(holder: PeerId, signal: AbortSignal): Promise<void> {
    const { circle, clock, partOf } = this.#components
    const claim = circle.reportOf(holder)
    if (!isClaim(claim)) return
    const standing = this.#standings.of(holder)
    standing.useClaim(claim)
    const { distrust, suspects, unanswered } = standing
    const count = distrust === undefined ? this.#blocks : REDEEM_BLOCKS
    const ids = unanswered?.ids ?? (await partOf(holder, { count, claim, signal }))
    const report = await this.#audit(holder, [...ids, ...(suspects?.ids ?? [])], signal)
    if (report.silent.length > 0) {
      this.#unanswered(holder, { claim, ids }, report)
      return
    }
    standing.unanswered = undefined
    const failed = failedOf(report)
    if (failed.length === 0) {
      if (standing.pass(report.proven, clock.now())) this.#trust(holder)
      return
    }
    const isDecided = isWhole(claim) && (await this.#stands(holder, claim, signal))
    if (signal.aborted) return
    if (!isDecided) {
      this.#doubt(holder, standing)
    } else if (distrust !== undefined || failed.some(id => suspects?.ids.includes(id))) {
      this.#distrust(holder, 'lacking', { claim, failed: report })
    } else {
      await this.#makeSure(holder, { claim, report }, signal)
    }
  }

  /** The same once more, of many more blocks and none that failed already. */
  async #makeSure(
    holder: PeerId,
    { claim, report }: { readonly claim: HolderReport; readonly report: AuditReport },
    signal: AbortSignal
  ): Promise<void> {
    const ids = failedOf(report)
    const part = await this.#components.partOf(holder, { count: SURE_BLOCKS, claim, signal })
    const others = part.filter(id => !ids.includes(id))
    const second = await this.#audit(holder, others, signal)
    if (failedOf(second).length > 0) {
      if (!(await this.#stands(holder, claim, signal))) return
      const missing = [...report.missing, ...second.missing]
      const wrong = [...report.wrong, ...second.wrong]
      this.#distrust(holder, 'lacking', { claim, failed: { missing, wrong } })
      return
    }
    const letUs = second.silent.length === 0 || !second.reached
    const isTooMuch = this.#standings.of(holder).excuse({ claim, ids }, letUs)
    if (isTooMuch) this.#distrust(holder, 'lacking', { claim, failed: report })
  }

  async #audit(holder: PeerId, ids: readonly BlockId[], signal: AbortSignal): Promise<AuditReport> {
    const report = await this.#components.auditor.audit(holder, ids, { signal })
    this.#dispatch('audit', { holder, report })
    return report
  }

  /** Whoever could not be reached, or is going away, has not refused anything. */
  #unanswered(holder: PeerId, blocks: ClaimedBlocks, { reached }: AuditReport): void {
    if (!reached || this.#components.circle.presenceOf(holder) !== 'present') return
    const standing = this.#standings.of(holder)
    standing.unanswered = blocks
    this.#doubt(holder, standing)
  }

  /** Whether the claim is still the same when everything that was on its way has arrived. */
  async #stands(holder: PeerId, claim: HolderReport, signal: AbortSignal): Promise<boolean> {
    const { circle, clock } = this.#components
    await pause(clock, SETTLE_MS, signal)
    return !signal.aborted && isSameClaim(claim, circle.reportOf(holder))
  }

  #doubt(holder: PeerId, standing: Standing): void {
    if (standing.doubt(this.#components.clock.now())) this.#distrust(holder, 'unproven')
  }

  #distrust(
    holder: PeerId,
    reason: DistrustReason,
    found?: { readonly claim: HolderReport; readonly failed: Failed }
  ): void {
    const { circle, clock } = this.#components
    const standing = this.#standings.of(holder)
    const isNew = standing.distrust?.reason !== reason
    const blocks = found && { claim: found.claim, ids: failedOf(found.failed) }
    standing.fail(reason, blocks, clock.now())
    if (!isNew) return
    circle.distrust(holder, true)
    this.#remember()
    const { missing, wrong } = found?.failed ?? { missing: [], wrong: [] }
    this.#dispatch('distrusted', { holder, reason, missing, wrong })
  }

  #trust(holder: PeerId): void {
    this.#components.circle.distrust(holder, false)
    this.#remember()
    this.#dispatch('trusted', { holder })
  }

  #remember(): void {
    this.#components.remember?.(this.#standings.distrusted())
  }

  #dispatch<Type extends keyof AuditRoundsEvents>(
    type: Type,
    detail: AuditRoundsEvents[Type]['detail']
  ): void {
    this.#events.dispatchEvent(new CustomEvent(type, { detail }))
  }
}

function failedOf({ missing, wrong }: Failed): BlockId[] {
  return [...missing, ...wrong]
}
