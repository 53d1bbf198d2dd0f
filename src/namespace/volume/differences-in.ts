/** What changed between two versions of a volume, as who counts copies wants to know it. */
import type { BlockId, StoreOptions } from '../../blocks/index.ts'
import { shareEventLoop } from './event-loop.ts'
import { inodeOf, kindOf } from './keys.ts'
import { decodeEntry } from './records.ts'
import type { InodeNumber, Snapshot } from './volume.ts'

export interface VolumeDifference {
  /** Whose record, name, attributes or content changed. */
  readonly inode: InodeNumber | undefined
  /** A block of data that was not there, or that stood elsewhere. */
  readonly block: BlockId | undefined
}

/** Of what was removed nothing is told. Skips what both versions share. */
export async function* differencesIn(
  before: Snapshot,
  after: Snapshot,
  options: StoreOptions = {}
): AsyncGenerator<VolumeDifference> {
  for await (const { key, after: entry } of after.tree.differences(before.tree, options)) {
    await shareEventLoop()
    if (entry === undefined) continue
    const kind = kindOf(key)
    if (kind === 'other') continue
    const inode = kind === 'entry' ? decodeEntry(entry).inode : inodeOf(key)
    yield { inode, block: entry.link }
  }
}
