/**
 * Blocks that a holder must have by what it says of itself, found at random: by walking from the root
 * of its version down to a leaf, a link at a time, as often as is asked. Links can be read without
 * the key of a sealed volume. Leaves have about the same number of links, so that blocks are about
 * equally likely, and a walk costs as many reads as the tree is high.
 */
import { codecOf, readNodeLinks } from '../../blocks/index.ts'
import type { BlockId, BlockStore } from '../../blocks/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { HolderReport } from '../circle/holder-report.ts'
import type { HolderList } from '../holders/holder-list.ts'
import type { Policies, Policy } from '../holders/policy.ts'
import type { Assignment } from '../placement/assignment.ts'
import { createPlacement } from '../placement/placement.ts'

/** Walks for each block that is asked for: some end at a leaf without data, or at what is another's. */
const WALKS_MAX = 4

/** No tree is as high; one that says it is was made to keep us walking. */
const HEIGHT_MAX = 32

export interface SampleComponents {
  readonly store: Pick<BlockStore, 'get' | 'has'>
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
  { store, random }: SampleComponents,
  { holder, claim, list, root, count, signal }: SampleQuestion
): Promise<BlockId[]> {
  const gone = new Set(claim.gone)
  const holders = list.holders.filter(({ peer }) => !gone.has(peer))
  if (!holders.some(({ peer }) => peer === holder)) return []
  const part = createPlacement({ holders }).assignmentOf(holder, weakestPolicy(list))
  const found = new Set<BlockId>()
  for (let walks = 0; walks < count * WALKS_MAX && found.size < count; walks++) {
    signal.throwIfAborted()
    const id = await walk({ store, random }, { root, part, signal })
    if (id !== undefined) found.add(id)
  }
  return [...found]
}

interface Walk {
  readonly root: BlockId
  readonly part: Assignment
  readonly signal: AbortSignal
}

/** A block of data that is the holder's, or else the last node: those are at everybody. */
async function walk(
  { store, random }: SampleComponents,
  { root, part, signal }: Walk
): Promise<BlockId | undefined> {
  let node = root
  for (let height = 0; height < HEIGHT_MAX; height++) {
    const bytes = await store.get(node, { signal })
    if (bytes === undefined) return undefined
    const links = readNodeLinks(bytes)
    const next = links[Math.floor(random() * links.length)]
    if (next === undefined) return node
    if (codecOf(next) === 'raw') {
      return part.has(next) && (await store.has(next, { signal })) ? next : node
    }
    node = next
  }
  return undefined
}

/** What placement gives under it, it gives under all others of the list too. */
function weakestPolicy({ policy, overrides }: Policies): Policy {
  const counts = [policy, ...overrides.values()].flatMap(({ replicas }) =>
    replicas === 'all' ? [] : [replicas]
  )
  const replicas = counts.length === 0 ? 'all' : Math.min(...counts)
  return { replicas, minimum: 1, on: [] }
}
