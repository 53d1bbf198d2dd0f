/**
 * Frees blocks that nobody here needs any more: those no kept version of the own volume names, and
 * those of volumes that are neither mounted nor looked at.
 */
import type {
  BlockExchange,
  BlockId,
  BlockStoreUsage,
  CollectableBlockStore
} from './blocks/index.ts'
import { WarrenError } from './errors.ts'
import type { HeadStore, LocalVolume } from './namespace/index.ts'
import type { Volumes } from './volumes.ts'

export interface Garbage {
  readonly store: CollectableBlockStore
  readonly exchange: Pick<BlockExchange, 'reader'>
  readonly own: Pick<LocalVolume, 'inFlight' | 'roots'>
  readonly headStore: Pick<HeadStore, 'volumes'>
  readonly knownHeads: Pick<HeadStore, 'get'>
  /** The volumes of others that are in use. */
  readonly volumes: Pick<Volumes, 'follows' | 'roots'>
  readonly compact: () => Promise<void>
}

/**
 * Resolves to what was freed. Throws `EBUSY` while it runs already, `EIO` when a tree node of the own
 * volume is damaged and nobody who can be reached has it: then nothing was removed.
 */
export async function collectGarbage(
  garbage: Garbage,
  options: { readonly signal?: AbortSignal } = {}
): Promise<BlockStoreUsage> {
  const { store, own, exchange, compact } = garbage
  const ownRoots = new Set<BlockId>()
  const reader = exchange.reader()
  const freed = await store.collect(
    {
      inFlight: () => own.inFlight(),
      live: async () => {
        for (const root of await own.roots()) ownRoots.add(root)
        return [...ownRoots, ...(await rootsOfOthers(garbage))]
      },
      find: async (id, root) => {
        // Of volumes of others only what was looked at is here.
        if (!ownRoots.has(root)) return undefined
        return reader.get(id, options).catch(cause => {
          options.signal?.throwIfAborted()
          throw new WarrenError('EIO', { message: `tree node ${id} is damaged`, cause })
        })
      }
    },
    options
  )
  await compact()
  return freed
}

async function rootsOfOthers({ headStore, knownHeads, volumes }: Garbage): Promise<BlockId[]> {
  const roots = volumes.roots()
  for (const volume of await headStore.volumes()) {
    if (!volumes.follows(volume)) continue
    // A head that cannot be read any more has the owner to be asked for again.
    const head = await knownHeads.get(volume).catch(() => undefined)
    if (head !== undefined) roots.push(head.root)
  }
  return roots
}
