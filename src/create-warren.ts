/** Wires the layers of a peer together, bottom up. */
import { openParts } from '#defaults'
import {
  createBlockExchange,
  createCollectableBlockStore,
  fixedSizeChunks
} from './blocks/index.ts'
import type { BlockSession, BlockStoreUsage, CollectOptions } from './blocks/index.ts'
import { AutomaticCollection } from './automatic-collection.ts'
import { checkOptions } from './check-options.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Garbage } from './collect-garbage.ts'
import type { Parts } from './defaults/parts.ts'
import { KeptPeers } from './kept-peers.ts'
import {
  EXTENT_BYTES_DEFAULT,
  MountTable,
  OpenFiles,
  PeerDirectory,
  Shares,
  createEagerHeadStore,
  createFileSystem,
  createHeadExchange,
  createNodeCache,
  createTree,
  linksWithin,
  createVolumeId,
  openLocalVolume
} from './namespace/index.ts'
import type {
  EagerHeadStore,
  LocalVolume,
  NamespaceRecord,
  NodeCache,
  SignedHead,
  VolumeId
} from './namespace/index.ts'
import { isPeerId } from './peer/index.ts'
import type { Clock, PeerId } from './peer/index.ts'
import { openReplication } from './replication/index.ts'
import type { PeerReplication, ReplicationComponents } from './replication/index.ts'
import { openSealing } from './open-sealing.ts'
import { PeerWarren } from './peer-warren.ts'
import type { WarrenComponents } from './peer-warren.ts'
import { Volumes } from './volumes.ts'
import type { Warren, WarrenOptions } from './warren.ts'

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

/** What those who are made first ask of those who are made last, once everything stands. */
interface Later {
  names?: Names
  replication?: PeerReplication
  collection?: AutomaticCollection
}

async function assemble(parts: Parts, options: WarrenOptions): Promise<PeerWarren> {
  const later: Later = {}
  const record = await parts.namespaceStore.load()
  const lower = await createLower(parts, options, later)
  const names = createNames({ ...lower, ...parts }, { record, later, options })
  later.names = names
  const { own, store, exchange, heads, reader } = lower
  const replication = await openReplication(
    { ...replicationParts(parts, names), own, store, exchange, heads, reader },
    options.replication
  )
  later.replication = replication
  parts.onDamaged?.(id => replication.damaged(id))
  const collection = createCollection({ ...parts, ...lower, ...names, replication }, options)
  later.collection = collection
  return new PeerWarren({
    ...parts,
    ...lower,
    ...names,
    replication,
    collection,
    transfers: parts.createTransfers?.(ids => store.touch(ids))
  })
}

type Lower = Pick<
  WarrenComponents,
  'store' | 'exchange' | 'reader' | 'heads' | 'knownHeads' | 'own'
> & { readonly cache: NodeCache; readonly reader: BlockSession }

/** Blocks, heads and the own volume. */
async function createLower(parts: Parts, options: WarrenOptions, later: Later): Promise<Lower> {
  const { peer, clock } = parts
  const store = createCollectableBlockStore(parts.blockStore)
  const exchange = createBlockExchange({ peer, store }, { clock, linksWithin })
  const knownHeads = openKnownHeads(parts)
  const heads = createHeadExchange({
    peer,
    heads: knownHeads,
    clock,
    policy: {
      mayRead: (volume, from) =>
        later.names?.shows(volume) === true || later.replication?.mayRead(volume, from) === true,
      offers: () => later.names?.shares.offers() ?? []
    }
  })
  const cache = createNodeCache(
    options.nodeCacheBytes === undefined ? {} : { bytesMax: options.nodeCacheBytes }
  )
  // Also our own blocks may come from others: a damaged one is repaired by whoever has a copy.
  const sources = (): PeerId[] => later.replication?.sources() ?? []
  const reader = exchange.reader({ ...fetching(options), sources })
  const announce = (head: SignedHead): void => {
    heads.announce(head)
    later.replication?.committed(head)
  }
  const makeRoom = async (): Promise<boolean> => (await later.collection?.makeRoom()) ?? false
  const upper = { announce, makeRoom }
  const own = await openOwnVolume(parts, { store, reader, cache, ...upper }, options)
  return { store, exchange, reader, heads, knownHeads, own, cache }
}

type Names = Pick<WarrenComponents, 'kept' | 'volumes' | 'table' | 'shares' | 'fs' | 'files'> & {
  /** Whether a volume is shown to others because it is shared or in use here. */
  readonly shows: (volume: VolumeId) => boolean
}

/** Mounts, shares and files. */
function createNames(
  { own, peer, exchange, heads, cache, clock, namespaceStore }: Lower & Parts,
  {
    record,
    later,
    options
  }: { readonly record: NamespaceRecord; readonly later: Later; readonly options: WarrenOptions }
): Names {
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
    namespaceStore.save({ mounts: table.records(), shares: shares.list() })
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
  const files = new OpenFiles(clock)
  const fs = createFileSystem({
    mounts: table,
    clock,
    files,
    durable: (path, wanted) => later.replication!.durable(path, wanted)
  })
  const shows = (volume: VolumeId): boolean => shares.shows(volume) || volumes.follows(volume)
  return { kept, volumes, table, shares, fs, files, shows }
}

function replicationParts(
  { peer, clock, volumeKey, holderListStore, addressStore, ...stores }: Parts,
  { fs, table, shows }: Names
): Pick<
  ReplicationComponents,
  | 'peer'
  | 'clock'
  | 'key'
  | 'lists'
  | 'addressStore'
  | 'records'
  | 'scrubStore'
  | 'mayRead'
  | 'flush'
  | 'locate'
> {
  return {
    peer,
    clock,
    key: volumeKey,
    lists: holderListStore,
    addressStore,
    records: stores.replicationStore,
    scrubStore: stores.scrubStore,
    mayRead: shows,
    flush: () => fs.flush(),
    locate: async path => {
      const { volume, path: inside } = table.locate(await fs.realpath(path))
      return { volume: volume.id, path: inside }
    }
  }
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

async function openOwnVolume(
  parts: Parts,
  lower: Pick<Lower, 'store' | 'reader' | 'cache'> & {
    readonly announce: (head: SignedHead) => void
    readonly makeRoom: () => Promise<boolean>
  },
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
    hasRoom: parts.hasRoom,
    clock: parts.clock,
    chunker: fixedSizeChunks(options.blockBytes ?? EXTENT_BYTES_DEFAULT),
    sealing: await openSealing(parts, options),
    announce: lower.announce
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
