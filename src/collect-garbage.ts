/**
 * Frees blocks that nobody here needs any more: those no kept version of the own volume names, and
 * those of volumes that are neither mounted nor looked at.
 */
import type {
  BlockId,
  BlockReader,
  BlockStoreUsage,
  CollectOptions,
  CollectableBlockStore
} from './blocks/index.ts'
import { WarrenError } from './errors.ts'
import type { HeadStore, LocalVolume } from './namespace/index.ts'
import { abortable } from './peer/index.ts'
import type { PeerReplication } from './replication/index.ts'
import type { Volumes } from './volumes.ts'

export interface Garbage {
  readonly store: CollectableBlockStore
  readonly reader: Pick<BlockReader, 'get'>
  readonly own: Pick<LocalVolume, 'inFlight' | 'roots' | 'forgetVersion'>
  readonly headStore: Pick<HeadStore, 'volumes'>
  readonly knownHeads: Pick<HeadStore, 'get'>
  /** The volumes of others that are in use. */
  readonly volumes: Pick<Volumes, 'follows' | 'roots'>
  /** Those that are kept for others. */
  readonly replication: Pick<PeerReplication, 'trees'>
  readonly compact: () => Promise<void>
}

/**
 * Resolves to what was freed. Throws `EBUSY` while it runs already, `EIO` when a tree node of the own
 * volume is damaged and nobody who can be reached has it: then nothing was removed.
 */
export async function collectGarbage(
  garbage: Garbage,
  options: CollectOptions = {}
): Promise<BlockStoreUsage> {
  const { store, own, replication, compact } = garbage
  const nodes = new OwnNodes(garbage, options)
  const freed = await store.collect(
    {
      inFlight: () => own.inFlight(),
      live: async () => [...(await nodes.roots()), ...(await rootsOfOthers(garbage))],
      inPart: () => replication.trees(),
      find: (id, root) => nodes.find(id, root)
    },
    options
  )
  options.signal?.throwIfAborted()
  // Nobody who is in a hurry waits for its end.
  await abortable(compact(), options.signal)
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

/** The nodes of the own volume: of those of others only what was looked at is here. */
class OwnNodes {
  readonly #garbage: Garbage
  readonly #options: { readonly signal?: AbortSignal }
  readonly #current = new Set<BlockId>()
  readonly #superseded = new Set<BlockId>()

  constructor(garbage: Garbage, options: { readonly signal?: AbortSignal }) {
    this.#garbage = garbage
    this.#options = options
  }

  /** What is current comes first: a node that it shares with older versions is its own. */
  async roots(): Promise<BlockId[]> {
    const { current, superseded } = await this.#garbage.own.roots()
    for (const root of current) this.#current.add(root)
    for (const root of superseded) if (!this.#current.has(root)) this.#superseded.add(root)
    return [...this.#current, ...this.#superseded]
  }

  /** A node is damaged: what it names can be saved by whoever else has it. */
  async find(id: BlockId, root: BlockId): Promise<Uint8Array | undefined> {
    const { own, reader } = this.#garbage
    if (!this.#current.has(root) && !this.#superseded.has(root)) return undefined
    try {
      return await reader.get(id, this.#options)
    } catch (cause) {
      this.#options.signal?.throwIfAborted()
      if (this.#current.has(root)) {
        throw new WarrenError('EIO', { message: `tree node ${id} is damaged`, cause })
      }
      // An old version that nobody can read must not keep us from ever making room.
      own.forgetVersion(root)
      this.#superseded.delete(root)
      return undefined
    }
  }
}
