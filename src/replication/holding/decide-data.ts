/**
 * Decides for the data that a node links to what of it is ours, and finds out what of that is here
 * already.
 */
import { blockIdFromBytes, blockIdToBytes, codecOf, readNodeLinks } from '../../blocks/index.ts'
import type { BlockId, CollectableBlockStore } from '../../blocks/index.ts'
import { isWarrenError } from '../../errors.ts'
import { readLinkedData } from '../../namespace/index.ts'
import type { InodeNumber, LinkedData } from '../../namespace/index.ts'
import { keyFromIdBytes } from '../inventory/inventory-key.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { LOOKUPS_MAX } from './limits.ts'
import { DEFAULT_POLICY } from './part.ts'
import type { Part } from './part.ts'

export interface Decision {
  readonly blocks: HeldBlocks
  readonly store: Pick<CollectableBlockStore, 'has' | 'touch'>
  readonly part: Part
  /** The number of the policy for a file's content; files that are not in it have the default. */
  readonly policies: ReadonlyMap<InodeNumber, number>
  /** Look also for what is here and not ours: after a restart nobody remembers it. */
  readonly findSurplus: boolean
}

export async function decideData(
  decision: Decision,
  node: number,
  bytes: Uint8Array
): Promise<void> {
  const { blocks, part, policies, findSurplus } = decision
  const verdicts = readData(bytes).flatMap(({ id, inode, length }) => {
    const policy = (inode && policies.get(inode)) ?? DEFAULT_POLICY
    const key = keyFromIdBytes(id, 0)
    const known = blocks.findKey(key)
    // An entry may link to a node: that was loaded, with all below it.
    if (known >= 0 && blocks.isNode(known)) return []
    const isOurs = part.isOurs(id, policy)
    const isHere = known >= 0 && blocks.isPresent(known)
    if (!isHere && !isOurs && !findSurplus) return []
    return [
      { key, length, policy, isOurs, isHere, asked: isHere ? undefined : blockIdFromBytes(id) }
    ]
  })
  const asked = verdicts.flatMap(({ asked: id }) => (id === undefined ? [] : [id]))
  const found = await findInStore(decision.store, asked)
  const data: number[] = []
  for (const { key, length, policy, isOurs, isHere, asked: id } of verdicts) {
    const isFound = id !== undefined && found.has(id)
    if (!isOurs && !isHere && !isFound) continue
    const block = blocks.addData(key)
    data.push(block)
    blocks.setPolicy(block, part.stronger(blocks.policyOf(block), policy))
    if (isOurs) blocks.setOurs(block)
    if (blocks.sizeOf(block) === 0) blocks.setSize(block, length)
    if (isFound) blocks.found(block)
  }
  blocks.decide(node, data)
}

/** Which of these the store has. They are announced first: a collection under way would take them. */
async function findInStore(
  store: Pick<CollectableBlockStore, 'has' | 'touch'>,
  ids: readonly BlockId[]
): Promise<Set<BlockId>> {
  const found = new Set<BlockId>()
  if (ids.length > 0) await store.touch(ids)
  for (let from = 0; from < ids.length; from += LOOKUPS_MAX) {
    const some = ids.slice(from, from + LOOKUPS_MAX)
    const answers = await Promise.all(some.map(id => store.has(id)))
    some.forEach((id, index) => answers[index] && found.add(id))
  }
  return found
}

/** With whose it is, where that can be read. */
function readData(bytes: Uint8Array): readonly LinkedData[] {
  try {
    return readLinkedData(bytes)
  } catch (error) {
    if (!isWarrenError(error, 'EPROTO') && !isWarrenError(error, 'EACCES')) throw error
    const data = readNodeLinks(bytes).filter(id => codecOf(id) === 'raw')
    return data.map(id => ({ id: blockIdToBytes(id), inode: undefined, length: 0 }))
  }
}
