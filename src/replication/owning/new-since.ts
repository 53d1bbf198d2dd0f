/** What a version has that an older one has not: the difference of two trees, by what it is about. */
import type { BlockId, StoreOptions } from '../../blocks/index.ts'
import { differencesIn } from '../../namespace/index.ts'
import type { InodeNumber, Snapshot } from '../../namespace/index.ts'
import type { NewSince } from './copy-count.ts'

/**
 * More changes than this are not told apart: a holder that is so far behind counts for nothing until
 * it has caught up. At about 100 bytes each they take 100 MB.
 */
export const NEW_MAX = 1_000_000

/** Undefined when it is more than `NEW_MAX`. Throws what reading the trees throws. */
export async function findNewSince(
  before: Snapshot,
  after: Snapshot,
  options: StoreOptions = {}
): Promise<NewSince | undefined> {
  const inodes = new Set<InodeNumber>()
  const blocks = new Set<BlockId>()
  for await (const { inode, block } of differencesIn(before, after, options)) {
    if (inode !== undefined) inodes.add(inode)
    if (block !== undefined) blocks.add(block)
    if (inodes.size + blocks.size > NEW_MAX) return undefined
  }
  return { inodes, blocks }
}
