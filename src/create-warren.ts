/** Wires the layers of a peer together, bottom up. */
import { openParts } from '#defaults'
import {
  BLOCK_BYTES_MAX,
  createBlockExchange,
  createCollectableBlockStore,
  fixedSizeChunks
} from './blocks/index.ts'
import type { BlockExchange, CollectableBlockStore } from './blocks/index.ts'
import type { Parts } from './defaults/parts.ts'
import {
  MountTable,
  PeerDirectory,
  Shares,
  createFileSystem,
  createHeadExchange,
  createNodeCache,
  createTree,
  openLocalVolume
} from './namespace/index.ts'
import type { HeadExchange, LocalVolume, NodeCache, SignedHead } from './namespace/index.ts'
import { PeerWarren } from './peer-warren.ts'
import { Volumes } from './volumes.ts'
import type { Warren, WarrenOptions } from './warren.ts'

/** Measured: docs/decisions tells how. */
const BLOCK_BYTES = 128 * 1024
const BLOCK_BYTES_MIN = 4 * 1024

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
  const blockBytes = options.blockBytes ?? BLOCK_BYTES
  if (!(blockBytes >= BLOCK_BYTES_MIN && blockBytes <= BLOCK_BYTES_MAX)) {
    throw new RangeError(
      `blockBytes is ${blockBytes}, not in ${BLOCK_BYTES_MIN}..${BLOCK_BYTES_MAX}`
    )
  }
  const parts = await openParts(options)
  try {
    const warren = await assemble(parts, { ...options, blockBytes })
    await warren.start()
    return warren
  } catch (error) {
    await parts.peer.stop()
    await parts.close()
    throw error
  }
}

async function assemble(
  parts: Parts,
  options: WarrenOptions & { readonly blockBytes: number }
): Promise<PeerWarren> {
  const { peer, clock } = parts
  const store = createCollectableBlockStore(parts.blockStore)
  const exchange = createBlockExchange({ peer, store }, { clock })
  const heads = createHeadExchange({
    peer,
    heads: parts.headStore,
    clock,
    policy: {
      mayRead: volume => shares.shows(volume) || volumes.follows(volume),
      offers: () => shares.offers()
    }
  })
  const cache = createNodeCache(
    options.nodeCacheBytes === undefined ? {} : { bytesMax: options.nodeCacheBytes }
  )
  const own = await openOwnVolume(parts, { store, exchange, heads, cache }, options)
  const volumes = new Volumes(
    { own, peer, exchange, heads, cache, clock },
    { ...fetching(options), ...options }
  )
  const record = await parts.namespaceStore.load()
  const peers = new PeerDirectory({
    peer,
    heads,
    clock,
    ownOffers: () => shares.offers(),
    openVolume: (volume, from) => volumes.open(volume, [from]),
    emptyTree: createTree({ reader: exchange.reader(), cache })
  })
  const table = new MountTable(
    {
      own,
      peers,
      openVolume: link => volumes.byLink(link),
      closeVolume: volume => volumes.close(volume)
    },
    record.mounts
  )
  const shares = new Shares(table, record.shares)
  const fs = createFileSystem({ mounts: table, clock })
  const transfers = parts.createTransfers?.(ids => store.touch(ids))
  return new PeerWarren({
    ...parts,
    store,
    exchange,
    heads,
    own,
    volumes,
    table,
    shares,
    fs,
    transfers
  })
}

interface Lower {
  readonly store: CollectableBlockStore
  readonly exchange: BlockExchange
  readonly heads: HeadExchange
  readonly cache: NodeCache
}

function openOwnVolume(
  parts: Parts,
  lower: Lower,
  options: WarrenOptions & { readonly blockBytes: number }
): Promise<LocalVolume> {
  const components = {
    key: parts.volumeKey,
    store: lower.store,
    // Also our own blocks may come from others: a damaged one is repaired by whoever has a copy.
    reader: lower.exchange.reader(fetching(options)),
    heads: parts.headStore,
    cache: lower.cache,
    clock: parts.clock,
    chunker: fixedSizeChunks(options.blockBytes),
    announce: (head: SignedHead) => lower.heads.announce(head)
  }
  const { retentionMs } = options
  return openLocalVolume(components, retentionMs === undefined ? {} : { retentionMs })
}

function fetching({ fetchTimeoutMs }: WarrenOptions): { readonly deadlineMs?: number } {
  return fetchTimeoutMs === undefined ? {} : { deadlineMs: fetchTimeoutMs }
}
