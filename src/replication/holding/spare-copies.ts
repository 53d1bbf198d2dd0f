/**
 * Finds out which copies here are not needed: of blocks that are another's by now, and, before we
 * leave, of all. A copy is one too many only when everybody who should have the block says so.
 */
import type { Clock, PeerId } from '../../peer/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Circle } from '../circle/circle.ts'
import { confirmBlocks } from './confirm-blocks.ts'
import type { AskHas, Question } from './confirm-blocks.ts'
import type { HeldVersions } from './held-versions.ts'
import { ASK_IDS_MAX } from './limits.ts'
import { DEFAULT_POLICY, NO_POLICY } from './part.ts'
import type { Part } from './part.ts'

export interface SpareCopiesComponents {
  readonly versions: HeldVersions
  readonly circle: Pick<Circle, 'list' | 'counted' | 'presenceOf' | 'reportOf'>
  readonly askHas: AskHas
  readonly clock: Clock
  readonly volume: VolumeId
}

interface Options {
  readonly signal: AbortSignal
}

export class SpareCopies {
  readonly #components: SpareCopiesComponents

  constructor(components: SpareCopiesComponents) {
    this.#components = components
  }

  /** Gives up what is here, not ours, and where it should be. Resolves to how many blocks that were. */
  async trim(options: Options): Promise<number> {
    const { blocks } = this.#components.versions
    let trimmed = 0
    if (blocks.surplus === 0) return trimmed
    const silent = new Set<PeerId>()
    const isSurplus = (block: number): boolean => blocks.isSurplus(block)
    for (const questions of inBatches(this.#questions({ leaving: false, silent }, isSurplus))) {
      const part = this.#components.versions.part!
      const confirmed = await confirmBlocks(this.#components, questions, { ...options, silent })
      if (!this.#isNewest(part)) break
      for (const block of confirmed) blocks.lose(block)
      trimmed += confirmed.length
    }
    return trimmed
  }

  /** Whether all that is here is elsewhere as often as it should be without us. */
  async isDrained(options: Options): Promise<boolean> {
    const { blocks } = this.#components.versions
    const isOpen = (block: number): boolean => blocks.isPresent(block) && !blocks.isConfirmed(block)
    const silent = new Set<PeerId>()
    for (const questions of inBatches(this.#questions({ leaving: true, silent }, isOpen))) {
      const part = this.#components.versions.part!
      const confirmed = await confirmBlocks(this.#components, questions, { ...options, silent })
      if (!this.#isNewest(part)) return false
      for (const block of confirmed) blocks.confirm(block)
    }
    for (let block = 0; block < blocks.end; block++) if (isOpen(block)) return false
    return true
  }

  /** For each of these blocks who should have it, if all of them are up to date and answer. */
  *#questions(
    { leaving, silent }: { readonly leaving: boolean; readonly silent: ReadonlySet<PeerId> },
    isAsked: (block: number) => boolean
  ): Generator<Question> {
    const { blocks, part } = this.#components.versions
    const eligible = this.#eligible(part!)
    for (let block = 0; block < blocks.end; block++) {
      if (!isAsked(block)) continue
      const id = blocks.idOf(block)
      const policy = blocks.isNode(block) ? DEFAULT_POLICY : blocks.policyOf(block)
      if (policy === NO_POLICY) continue
      const holders = part!.others(id, policy, { leaving })
      const isOpen = (holder: PeerId): boolean => eligible.has(holder) && !silent.has(holder)
      if (holders?.every(isOpen) === true) yield { block, id, holders }
    }
  }

  /** Who has all that is its own of what we hold, by the same list. */
  #eligible(part: Part): Set<PeerId> {
    const { circle, versions } = this.#components
    const holds = versions.held?.sequence ?? Infinity
    const others = part.counted.filter(({ peer }) => {
      const report = circle.reportOf(peer)
      return (
        peer !== part.self &&
        circle.presenceOf(peer) === 'present' &&
        report?.progress === 'current' &&
        report.listSequence === part.list.sequence &&
        report.holds >= holds
      )
    })
    return new Set(others.map(({ peer }) => peer))
  }

  #isNewest(part: Part): boolean {
    const { circle } = this.#components
    return circle.list !== undefined && part.isOf(circle.list, circle.counted())
  }
}

function* inBatches(questions: Iterable<Question>): Generator<Question[]> {
  let batch: Question[] = []
  for (const question of questions) {
    if (batch.push(question) < ASK_IDS_MAX) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
