/**
 * The contract of a version store: which versions of the own volume there were, so that those that
 * are to be kept are still kept after a restart. Written whole and seldom, beside the head and not
 * with it: a commit must not wait for it, and what it lacks after a crash are versions that were
 * the newest for a moment only.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../heads/head.ts'

export interface Version {
  readonly sequence: number
  readonly root: BlockId
  /** When its head was signed, in milliseconds since 1970. */
  readonly timeMs: number
}

export interface VersionStore {
  /** What was last saved, oldest first; nothing when that was of another volume or cannot be read. */
  load(volume: VolumeId): Promise<readonly Version[]>
  /** Resolves when it is durable. Of several at once the last one called is the one that stays. */
  save(volume: VolumeId, versions: readonly Version[]): Promise<void>
}

export function createMemoryVersionStore(): VersionStore {
  const saved = new Map<VolumeId, readonly Version[]>()
  return {
    load: async volume => saved.get(volume) ?? [],
    save: async (volume, versions) => {
      saved.set(volume, [...versions])
    }
  }
}
