/** Wires the layers of a peer together, bottom up. */
import { openParts } from '#defaults'
import {
  createBlockExchange,
  createCollectableBlockStore,
  fixedSizeChunks
} from './blocks/index.ts'
import type {
  BlockReader,
  BlockStoreUsage,
  CollectOptions,
  CollectableBlockStore
} from './blocks/index.ts'
import { AutomaticCollection } from './automatic-collection.ts'
import { checkOptions } from './check-options.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Garbage } from './collect-garbage.ts'
import type { Parts } from './defaults/parts.ts'
import { KeptPeers } from './kept-peers.ts'
import {
  MountTable,
  PeerDirectory,
  Shares,
  createEagerHeadStore,
  createFileSystem,
  createHeadExchange,
  createNodeCache,
  createTree,
  createVolumeId,
  openLocalVolume
} from './namespace/index.ts'
import type {
  EagerHeadStore,
  HeadExchange,
  LocalVolume,
  NodeCache,
  SignedHead
} from './namespace/index.ts'
import { isPeerId } from './peer/index.ts'
import type { Clock, PeerId } from './peer/index.ts'
import { openSealing } from './open-sealing.ts'
import { PeerWarren } from './peer-warren.ts'
import { Volumes } from './volumes.ts'
import type { Warren, WarrenOptions } from './warren.ts'

/** Measured: docs/decisions tells how. */
const BLOCK_BYTES = 128 * 1024

/**
 * Makes a peer and starts it.
 *
 * @example
 * await using alice = await createWarren({ directory: './alice' })
 * await alice.fs.writeFile('/hello.txt', 'hello')
 * const link = await alice.share('/')
 *
 * Throws `EBUSY` when another process uses the directory, `EINVAL` for options out of range.
 */
export async function createWarren(options: WarrenOptions = {}): Promise<Warren> {
  checkOptions(options)
  return createWarrenOf(await openParts(options), options)
}

/** As `createWarren`, of parts that a simulation brings: its own clock, disks and network. */
export async function createWarrenOf(parts: Parts, options: WarrenOptions = {}): Promise<Warren> {
  let warren: PeerWarren | undefined
  try {
    warren = await assemble(parts, options)
    await warren.start()
    return warren
  } catch (error) {
    // What cannot be closed either is not what the caller has to hear of.
    if (warren !== undefined) await warren.stop().catch(() => {})
    else {
      await parts.peer.stop().catch(() => {})
      await parts.close().catch(() => {})
    }
    throw error
  }
}

async function assemble(parts: Parts, options: WarrenOptions): Promise<PeerWarren> {
  const { peer, clock } = parts
  const record = await parts.namespaceStore.load()
  const store = createCollectableBlockStore(parts.blockStore)
  const exchange = createBlockExchange({ peer, store }, { clock })
  const knownHeads = openKnownHeads(parts)
  const heads = createHeadExchange({
    peer,
    heads: knownHeads,
    clock,
    policy: {
      mayRead: volume => shares.shows(volume) || volumes.follows(volume),
      offers: () => shares.offers()
    }
  })
  const cache = createNodeCache(
    options.nodeCacheBytes === undefined ? {} : { bytesMax: options.nodeCacheBytes }
  )
  // Also our own blocks may come from others: a damaged one is repaired by whoever has a copy.
  const reader = exchange.reader(fetching(options))
  const makeRoom = (): Promise<boolean> => collection.makeRoom()
  const own = await openOwnVolume(parts, { store, reader, heads, cache, makeRoom }, options)
  const kept = new KeptPeers(peer, peersIn(options.bootstrap ?? []))
  const volumes = new Volumes(
    { own, peer, kept, exchange, heads, cache, clock },
    { ...options, ...fetching(options) }
  )
  const peers = new PeerDirectory({
    peer,
    heads,
    clock,
    ownOffers: () => shares.offers(),
    openVolume: (volume, from) => volumes.open(volume, [from]),
    closeVolume: volume => volumes.close(volume),
    emptyTree: createTree({ reader: exchange.reader(), cache })
  })
  const changed = (): Promise<void> =>
    parts.namespaceStore.save({
      mounts: table.records(),
      shares: shares.list()
    })
  const table = new MountTable(
    {
      own,
      peers,
      openLink: link => volumes.openLink(link),
      closeLink: link => volumes.closeLink(link),
      changed
    },
    record.mounts
  )
  const shares = new Shares({ table, changed }, record.shares)
  const garbage = { ...parts, store, reader, knownHeads, own, volumes }
  const collection = createCollection(garbage, options)
  return new PeerWarren({
    ...parts,
    store,
    exchange,
    reader,
    heads,
    knownHeads,
    own,
    kept,
    volumes,
    table,
    shares,
    collection,
    fs: createFileSystem({ mounts: table, clock }),
    transfers: parts.createTransfers?.(ids => store.touch(ids))
  })
}

/** Every head that peers tell of; those of the own volume are its own business to keep. */
function openKnownHeads({ headStore, volumeKey }: Parts): EagerHeadStore {
  const own = createVolumeId(volumeKey.publicKey)
  const others = createEagerHeadStore(headStore)
  return {
    get: volume => (volume === own ? headStore : others).get(volume),
    compareAndSet: (expected, next) =>
      (next.volume === own ? headStore : others).compareAndSet(expected, next),
    flush: () => others.flush()
  }
}

/** The peers that multiaddrs end in. */
function peersIn(addresses: readonly string[]): PeerId[] {
  return addresses.map(address => address.slice(address.lastIndexOf('/') + 1)).filter(isPeerId)
}

interface Lower {
  readonly store: CollectableBlockStore
  readonly reader: BlockReader
  readonly heads: HeadExchange
  readonly cache: NodeCache
  readonly makeRoom: () => Promise<boolean>
}

async function openOwnVolume(
  parts: Parts,
  lower: Lower,
  options: WarrenOptions
): Promise<LocalVolume> {
  const components = {
    key: parts.volumeKey,
    store: lower.store,
    reader: lower.reader,
    heads: parts.headStore,
    versions: parts.versionStore,
    cache: lower.cache,
    makeRoom: lower.makeRoom,
    clock: parts.clock,
    chunker: fixedSizeChunks(options.blockBytes ?? BLOCK_BYTES),
    sealing: await openSealing(parts, options),
    announce: (head: SignedHead) => lower.heads.announce(head)
  }
  const { retentionMs, retentionVersions } = options
  return openLocalVolume(components, { retentionMs, retentionVersions })
}

function createCollection(
  garbage: Garbage & { readonly own: LocalVolume; readonly clock: Clock },
  { collectEveryMs }: WarrenOptions
): AutomaticCollection {
  const { own, store, clock } = garbage
  const collect = (options: CollectOptions): Promise<BlockStoreUsage> =>
    collectGarbage(garbage, options)
  return new AutomaticCollection(
    { collect, expires: () => own.expires, store, clock },
    { intervalMs: collectEveryMs }
  )
}

function fetching({ fetchTimeoutMs }: WarrenOptions): { readonly deadlineMs?: number } {
  return fetchTimeoutMs === undefined ? {} : { deadlineMs: fetchTimeoutMs }
}
