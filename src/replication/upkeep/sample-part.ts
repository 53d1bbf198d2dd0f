/**
 * Blocks that a holder must have by what it says of itself, found at random, each as likely as the
 * others. Each draw goes down from the root of the version, by as many blocks as there are below
 * each link; what it meets and is not the holder's, or not here, is dropped. Draws that go the same
 * way go together. Links can be read without the key of a sealed volume.
 *
 * Blocks and not bytes: lengths are sealed, nearly all blocks are of a size, and what an audit finds
 * is said for a share of the blocks.
 */
import { codecOf } from '../../blocks/index.ts'
import type { BlockId, BlockStore } from '../../blocks/index.ts'
import { shareEventLoop } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { Policies, Policy } from '../holders/policy.ts'
import { withShares } from '../holders/shares.ts'
import type { Assignment } from '../placement/assignment.ts'
import { createPlacement } from '../placement/placement.ts'
import { HEIGHT_MAX, linksOf } from './subtree-counts.ts'
import type { SubtreeCounts } from './subtree-counts.ts'

/** Draws for each block that is asked for: of many holders each has few of the blocks that are drawn. */
const DRAWS_MAX = 32

/** Nodes read for one sample: 128 MiB at the usual size, and that only where holders are many. */
const READS_MAX = 2048

export interface SampleComponents {
  readonly store: Pick<BlockStore, 'get' | 'has'>
  readonly counts: Pick<SubtreeCounts, 'count' | 'of'>
  /** From 0 up to 1. */
  readonly random: () => number
}

export interface SampleQuestion {
  readonly holder: PeerId
  readonly claim: HolderReport
  /** The list that the claim names. */
  readonly list: HolderList
  /** Of the version that the claim names. */
  readonly root: BlockId
  readonly count: number
  readonly signal: AbortSignal
}

/** Each id once; fewer than asked when there are fewer, or when they are not found soon. */
export async function samplePart(
  components: SampleComponents,
  { holder, claim, list, root, count, signal }: SampleQuestion
): Promise<BlockId[]> {
  const gone = new Set(claim.gone)
  const counted = list.holders.filter(({ peer }) => !gone.has(peer))
  const holders = withShares(counted, claim.shares)
  if (!holders.some(({ peer }) => peer === holder)) return []
  const part = createPlacement({ holders }).assignmentOf(holder, weakestPolicy(list))
  await components.counts.count(root, { signal })
  const draws = new Draws(components, part, signal)
  const found = new Set<BlockId>()
  for (let drawn = 0; drawn < DRAWS_MAX && found.size < count && draws.mayRead; drawn++) {
    const before = found.size
    const met = await draws.draw(root, count)
    // In the order of the draws: what comes first in the tree must not come first here.
    for (const id of met) if (id !== undefined && found.size < count) found.add(id)
    const isAll = found.size === before && met.some(id => id !== undefined)
    if (isAll) break
  }
  return [...found]
}

class Draws {
  readonly #components: SampleComponents
  readonly #part: Assignment
  readonly #signal: AbortSignal
  #readsLeft = READS_MAX
  #met: (BlockId | undefined)[] = []

  constructor(components: SampleComponents, part: Assignment, signal: AbortSignal) {
    this.#components = components
    this.#part = part
    this.#signal = signal
  }

  get mayRead(): boolean {
    return this.#readsLeft > 0
  }

  /** What each of so many draws met; undefined: nothing that can be asked for. */
  async draw(root: BlockId, count: number): Promise<readonly (BlockId | undefined)[]> {
    this.#met = Array.from({ length: count }, () => undefined)
    const all = Array.from({ length: count }, (_, index) => index)
    await this.#descend(root, all, 1)
    return this.#met
  }

  async #descend(node: BlockId, draws: readonly number[], height: number): Promise<void> {
    if (height > HEIGHT_MAX || !this.mayRead) return
    this.#readsLeft--
    const { store, random } = this.#components
    const bytes = await store.get(node, { signal: this.#signal })
    await shareEventLoop()
    this.#signal.throwIfAborted()
    if (bytes === undefined) return
    // Nodes are at every holder.
    const links = [node, ...linksOf(bytes)]
    const ends = this.#ends(links)
    const below = new Map<number, number[]>()
    for (const draw of draws) {
      const link = firstOver(ends, random() * ends.at(-1)!)
      below.set(link, [...(below.get(link) ?? []), draw])
    }
    for (const [index, some] of below) {
      const link = links[index]!
      if (index === 0 || (codecOf(link) === 'raw' && (await this.#canAsk(link)))) {
        for (const draw of some) this.#met[draw] = link
      } else if (codecOf(link) !== 'raw') await this.#descend(link, some, height + 1)
    }
  }

  async #canAsk(id: BlockId): Promise<boolean> {
    return this.#part.has(id) && (await this.#components.store.has(id, { signal: this.#signal }))
  }

  /** Sums of how many blocks there are, the first of them the node. What is not counted yet is as its neighbours. */
  #ends([, ...links]: readonly BlockId[]): number[] {
    const counts = links.map(link => this.#components.counts.of(link))
    const known = counts.filter(count => count !== undefined)
    const usual = known.length === 0 ? 1 : sum(known) / known.length
    let end = 1
    return [end, ...counts.map(count => (end += count ?? usual))]
  }
}

/** The index of the first end that is over a place: binary search. */
function firstOver(ends: readonly number[], place: number): number {
  let [low, high] = [0, ends.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ends[middle]! > place) high = middle
    else low = middle + 1
  }
  return low
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** What placement gives under it, it gives under all others of the list too. */
function weakestPolicy({ policy, overrides }: Policies): Policy {
  const counts = [policy, ...overrides.values()].flatMap(({ replicas }) =>
    replicas === 'all' ? [] : [replicas]
  )
  const replicas = counts.length === 0 ? 'all' : Math.min(...counts)
  return { replicas, minimum: 1, on: [] }
}
