/**
 * Frees blocks that nobody here needs any more: those no kept version of the own volume names, and
 * those of volumes that are neither mounted nor looked at.
 */
import type { BlockId, BlockStoreUsage, CollectableBlockStore } from './blocks/index.ts'
import type { HeadStore, LocalVolume } from './namespace/index.ts'
import type { Volumes } from './volumes.ts'

export interface Garbage {
  readonly store: CollectableBlockStore
  readonly own: LocalVolume
  readonly headStore: Pick<HeadStore, 'volumes'>
  readonly knownHeads: Pick<HeadStore, 'get'>
  /** The volumes of others that are in use. */
  readonly volumes: Pick<Volumes, 'follows' | 'roots'>
  readonly compact: () => Promise<void>
}

export async function collectGarbage(
  { store, own, headStore, knownHeads, volumes, compact }: Garbage,
  options: { readonly signal?: AbortSignal }
): Promise<BlockStoreUsage> {
  const freed = await store.collect(
    {
      inFlight: () => own.inFlight(),
      live: async () => {
        const roots: BlockId[] = [...(await own.roots()), ...volumes.roots()]
        for (const volume of await headStore.volumes()) {
          if (!volumes.follows(volume)) continue
          // A head that cannot be read any more has the owner to be asked for again.
          const head = await knownHeads.get(volume).catch(() => undefined)
          if (head !== undefined) roots.push(head.root)
        }
        return roots
      }
    },
    options
  )
  await compact()
  return freed
}
