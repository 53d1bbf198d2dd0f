/** What goes on in the background: blocks are read again here, and holders are audited. */
import type { BlockId, BlockSession, BlockStore } from '../../blocks/index.ts'
import type { LocalVolume, VolumeId } from '../../namespace/index.ts'
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import type { AuditRounds, PartQuestion } from '../audit-rounds/audit-rounds.ts'
import { createAuditRounds } from '../audit-rounds/create-audit-rounds.ts'
import type { DistrustReason } from '../audit-rounds/distrust.ts'
import { createAuditor } from '../audit/auditor.ts'
import type { Auditor } from '../audit/auditor.ts'
import type { Circle } from '../circle/circle.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { HeldVolume } from '../holding/held-volume.ts'
import type { KeptDistrust } from '../kept-distrust.ts'
import type { RandomBytes } from '../random-bytes.ts'
import type { ScrubStore } from '../scrub/scrub-record.ts'
import { createScrubber } from '../scrub/scrubber.ts'
import type { Scrubber } from '../scrub/scrubber.ts'
import { OwnRepair } from './own-repair.ts'
import { samplePart } from './sample-part.ts'
import { SubtreeCounts } from './subtree-counts.ts'

/** The scrub and whoever reads find the same damage, often of many blocks: it is told once, in milliseconds. */
const GATHER_MS = 250

export interface UpkeepComponents {
  readonly peer: Pick<Peer, 'id' | 'call' | 'prepare'>
  readonly store: Pick<BlockStore, 'ids' | 'has' | 'get' | 'sync'>
  readonly clock: Clock
  readonly random: () => number
  readonly randomBytes: RandomBytes
  readonly own: Pick<LocalVolume, 'id' | 'head' | 'at'>
  readonly reader: Pick<BlockSession, 'get' | 'flush'>
  readonly scrubStore?: ScrubStore | undefined
  readonly held: () => Iterable<HeldVolume>
  readonly distrust: Pick<KeptDistrust, 'of' | 'remember'>
  readonly on: {
    readonly corrupt: (volume: VolumeId, peer: PeerId, blocks: number) => void
    readonly distrusted: (volume: VolumeId, peer: PeerId, reason: DistrustReason) => void
    readonly trusted: (volume: VolumeId, peer: PeerId) => void
    readonly repaired: (detail: { readonly blocks: number; readonly bytes: number }) => void
    readonly lost: (ids: readonly BlockId[]) => void
  }
}

export interface UpkeepOptions {
  /** Bytes read a second to find damage; 0: none. Default `SCRUB_BYTES_PER_SECOND`. */
  readonly scrubBytesPerSecond?: number
  /** Milliseconds between two audits of a circle; 0: none. Default `AUDIT_PERIOD_MS`. */
  readonly auditMs?: number
}

/** What holders of one volume are audited by. */
export interface AuditedCircle {
  readonly circle: Circle
  /** The list of a sequence; undefined: not known here any more. */
  readonly listOf: (sequence: number) => HolderList | undefined
  /** The root of a version; undefined: it is not here as a whole. */
  readonly rootOf: (sequence: number) => BlockId | undefined
}

export class Upkeep {
  readonly #components: UpkeepComponents
  readonly #options: UpkeepOptions
  readonly #auditor: Auditor
  readonly #counts: SubtreeCounts
  readonly #repair: OwnRepair
  readonly #scrubber: Scrubber | undefined
  readonly #damaged = new Set<BlockId>()
  #cancel: (() => void) | undefined
  #isStopped = false
  readonly #rounds = new Map<VolumeId, AuditRounds>()

  constructor(components: UpkeepComponents, options: UpkeepOptions) {
    const { own, peer, clock, store, scrubStore, on } = components
    this.#components = components
    this.#options = options
    this.#auditor = createAuditor(components)
    this.#counts = new SubtreeCounts(store)
    this.#repair = new OwnRepair({
      ...components,
      on: { ...on, damaged: blocks => on.corrupt(own.id, peer.id, blocks) }
    })
    const { scrubBytesPerSecond: bytesPerSecond } = options
    if (bytesPerSecond === 0) return
    this.#scrubber = createScrubber(
      {
        store,
        clock,
        onDamaged: ids => this.damaged(ids),
        ...(scrubStore !== undefined && { scrubStore })
      },
      bytesPerSecond === undefined ? {} : { bytesPerSecond }
    )
  }

  start(): void {
    this.#scrubber?.start()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#scrubber?.stop()
    for (const rounds of this.#rounds.values()) await rounds.stop()
    this.#rounds.clear()
    await this.#repair.stop()
  }

  /** Whether a block of the own volume should be here and is not. */
  lacks(id: BlockId): boolean {
    return this.#repair.lacks(id)
  }

  /** Before it is asked of many: whether what was missing is here by now. */
  lookAgain(options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#repair.lookAgain(options)
  }

  /** These were found damaged here: whoever needs them gets them again. */
  damaged(ids: readonly BlockId[]): void {
    if (this.#isStopped) return
    for (const id of ids) this.#damaged.add(id)
    this.#cancel ??= this.#components.clock.after(GATHER_MS, () => this.#tellDamaged())
  }

  /** Other holders of the own volume may have by now what nobody had. */
  retryLost(): void {
    this.#repair.retry()
  }

  #tellDamaged(): void {
    this.#cancel = undefined
    const ids = [...this.#damaged]
    this.#damaged.clear()
    const { held, on, peer } = this.#components
    for (const volume of held()) {
      const ours = ids.filter(id => volume.inventory.has(id))
      if (ours.length === 0) continue
      on.corrupt(volume.volume, peer.id, ours.length)
      volume.missing(ours)
    }
    this.#repair.damaged(ids)
  }

  /** Begins to audit the others of a circle. */
  watch(volume: VolumeId, audited: AuditedCircle): void {
    const { peer, clock, random, on, distrust } = this.#components
    const { auditMs } = this.#options
    if (auditMs === 0) return
    const rounds = createAuditRounds(
      {
        self: peer.id,
        auditor: this.#auditor,
        circle: audited.circle,
        clock,
        random,
        partOf: (holder, question) => this.#partOf(holder, question, audited),
        distrusted: distrust.of(volume),
        // A disk that is full, say: it is tried again with the next that is found.
        remember: distrusted => void distrust.remember(volume, distrusted).catch(() => {})
      },
      auditMs === undefined ? {} : { periodMs: auditMs }
    )
    rounds.events.addEventListener('distrusted', ({ detail }) => {
      const { holder, reason, missing, wrong } = detail
      if (reason === 'lacking') on.corrupt(volume, holder, missing.length + wrong.length)
      on.distrusted(volume, holder, reason)
    })
    rounds.events.addEventListener('trusted', ({ detail }) => on.trusted(volume, detail.holder))
    this.#rounds.set(volume, rounds)
    rounds.start()
  }

  unwatch(volume: VolumeId): void {
    // It never rejects, and nobody waits for an audit to end.
    void this.#rounds.get(volume)?.stop()
    this.#rounds.delete(volume)
  }

  async #partOf(
    holder: PeerId,
    { count, claim, signal }: PartQuestion,
    { listOf, rootOf }: AuditedCircle
  ): Promise<readonly BlockId[]> {
    const [list, root] = [listOf(claim.listSequence), rootOf(claim.holds)]
    if (list === undefined || root === undefined) return []
    const components = { ...this.#components, counts: this.#counts }
    return await samplePart(components, { holder, claim, list, root, count, signal })
  }
}
