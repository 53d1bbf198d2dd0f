/** Frees blocks that no version kept here names any more. */
import type { BlockId, BlockStoreUsage, CollectableBlockStore } from './blocks/index.ts'
import type { HeadStore, LocalVolume } from './namespace/index.ts'

export interface Garbage {
  readonly store: CollectableBlockStore
  readonly own: LocalVolume
  readonly headStore: HeadStore
}

export function collectGarbage(
  { store, own, headStore }: Garbage,
  options: { readonly signal?: AbortSignal }
): Promise<BlockStoreUsage> {
  return store.collect(
    {
      inFlight: () => own.inFlight(),
      live: async () => {
        const roots: BlockId[] = [...(await own.roots())]
        for (const volume of await headStore.volumes()) {
          const head = await headStore.get(volume)
          if (head !== undefined) roots.push(head.root)
        }
        return roots
      }
    },
    options
  )
}
