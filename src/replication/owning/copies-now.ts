/** Counts copies of the newest durable version of the own volume, as they are at this moment. */
import type { BlockId } from '../../blocks/index.ts'
import type { LocalVolume, SignedHead, Snapshot } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import type { Policies } from '../holders/policy.ts'
import { CopyCount } from './copy-count.ts'
import type { NewSince } from './copy-count.ts'
import { findNewSince } from './new-since.ts'
import type { OwnedVolume } from './owned-volume.ts'

/**
 * Versions whose roots are remembered, to tell what holders have that are behind: a minute or so of
 * somebody who writes all the time. Of older ones the owner has not all nodes any more.
 */
const VERSIONS_REMEMBERED = 256

/** Older versions that are compared with the newest for one count; holders are seldom at more. */
const VERSIONS_COMPARED = 4

export interface CopiesComponents {
  readonly self: PeerId
  readonly own: Pick<LocalVolume, 'head' | 'at'>
  readonly owned: Pick<OwnedVolume, 'circle' | 'list'>
  /** Blocks that should be here and are not. */
  readonly lacks: (id: BlockId) => boolean
  /** Looks for them here before they are counted. */
  readonly lookAgain: (options: { readonly signal: AbortSignal }) => Promise<void>
}

export interface CopiesOfVersion {
  readonly owner: PeerId
  readonly version: SignedHead
  readonly snapshot: Snapshot
  readonly policies: Policies
  readonly count: CopyCount
}

export class CopiesNow {
  readonly #components: CopiesComponents
  readonly #roots = new Map<number, SignedHead>()

  constructor(components: CopiesComponents) {
    this.#components = components
    const { head } = components.own
    if (head !== undefined) this.committed(head)
  }

  /** There is a new version. */
  committed(head: SignedHead): void {
    this.#roots.set(head.sequence, head)
    if (this.#roots.size <= VERSIONS_REMEMBERED) return
    this.#roots.delete(this.#roots.keys().next().value!)
  }

  /** The root of a version that is not long ago. */
  rootOf(sequence: number): BlockId | undefined {
    return this.#roots.get(sequence)?.root
  }

  /** What the others that are counted on say. */
  reports(): Map<PeerId, HolderReport> {
    const { self, owned } = this.#components
    const reports = new Map<PeerId, HolderReport>()
    for (const { peer } of owned.circle.counted()) {
      const report = peer === self ? undefined : owned.circle.reportOf(peer)
      if (report !== undefined) reports.set(peer, report)
    }
    return reports
  }

  /** Holders that say they have their part of a version, the owner among them. */
  holding(version: number): number {
    let holding = 1
    for (const { holds } of this.reports().values()) if (holds >= version) holding++
    return holding
  }

  /** Of one version, by those alone that say they have it. */
  countOf(version: SignedHead): CopiesOfVersion {
    return this.#countOf(version, new Map())
  }

  /** Of the newest version; holders that are behind count with what did not change since. */
  async count(options: { readonly signal: AbortSignal }): Promise<CopiesOfVersion> {
    const version = this.#components.own.head!
    await this.lookAgain(options)
    return this.#countOf(version, await this.#findNew(version, options))
  }

  /** Of what is told from now on: what was missing here may have come back. */
  lookAgain(options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#components.lookAgain(options)
  }

  #countOf(version: SignedHead, known: ReadonlyMap<number, NewSince | undefined>): CopiesOfVersion {
    const { self, own, owned, lacks } = this.#components
    const policies = owned.list.now
    const count = new CopyCount({
      owner: self,
      reports: this.reports(),
      listOf: sequence => owned.list.of(sequence),
      policies,
      version: version.sequence,
      newSince: sequence => known.get(sequence),
      lacks
    })
    return { owner: self, version, snapshot: own.at(version.root), policies, count }
  }

  async #findNew(
    version: SignedHead,
    options: { readonly signal: AbortSignal }
  ): Promise<ReadonlyMap<number, NewSince | undefined>> {
    const { own } = this.#components
    const found = new Map<number, NewSince | undefined>()
    const behind = new Set<number>()
    for (const { holds } of this.reports().values()) {
      if (holds >= 0 && holds < version.sequence) behind.add(holds)
    }
    const newest = [...behind].toSorted((one, other) => other - one).slice(0, VERSIONS_COMPARED)
    const after = own.at(version.root)
    for (const sequence of newest) {
      const before = this.#roots.get(sequence)
      if (before === undefined) continue
      found.set(sequence, await findOrNothing(own.at(before.root), after, options))
    }
    return found
  }
}

/** Nodes of an old version may be gone by now: then nobody knows what is new. */
async function findOrNothing(
  before: Snapshot,
  after: Snapshot,
  options: { readonly signal: AbortSignal }
): Promise<NewSince | undefined> {
  try {
    return await findNewSince(before, after, options)
  } catch {
    options.signal.throwIfAborted()
    return undefined
  }
}
