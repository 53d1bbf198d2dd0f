/** Whether the last process that had a volume left files in it that were open without a name. */
import { createDecodingReader, createLocalReader } from '../../blocks/index.ts'
import type { BlockId } from '../../blocks/index.ts'
import { createTree } from '../tree/create-tree.ts'
import { orphanRange } from './keys.ts'
import type { LocalVolumeComponents } from './local-volume.ts'

/**
 * Looks here only: at the start nobody else can be asked yet, and waiting for an answer would hold
 * it up. Throws `EHOSTUNREACH` when a node is not here.
 */
export async function hasOrphans(
  { store, cache, sealing }: Pick<LocalVolumeComponents, 'store' | 'cache' | 'sealing'>,
  root: BlockId
): Promise<boolean> {
  const local = createLocalReader(store)
  const reader = sealing === undefined ? local : createDecodingReader(local, sealing)
  const tree = createTree({ reader, cache, encoding: sealing }, root)
  for await (const batch of tree.scan(orphanRange())) if (batch.length > 0) return true
  return false
}
