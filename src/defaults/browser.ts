/**
 * The parts of a warren in a browser: everything in memory unless the app brings stores of its
 * own. How to reach others depends on the app's servers, so it brings its libp2p node too.
 */
import { createMemoryBlockStore } from '../blocks/index.ts'
import { WarrenError } from '../errors.ts'
import {
  createMemoryHeadStore,
  createMemoryNamespaceStore,
  createMemoryVersionStore
} from '../namespace/index.ts'
import { createLibp2pPeer, createSigningKey, systemClock } from '../peer/index.ts'
import type { Libp2pPeerOptions } from '../peer/index.ts'
import {
  createMemoryAddressStore,
  createMemoryHolderListStore,
  createMemoryReplicationStore
} from '../replication/index.ts'
import type { WarrenOptions } from '../warren.ts'
import type { Parts } from './parts.ts'

export async function openParts(options: WarrenOptions): Promise<Parts> {
  if (options.directory !== undefined) {
    throw new WarrenError('ENOTSUP', { message: 'there is no host file system here' })
  }
  const { libp2p, peer } = options
  if (libp2p === undefined && peer === undefined) {
    throw new WarrenError('EINVAL', { message: 'in a browser the app brings its libp2p node' })
  }
  return {
    peer: peer ?? (await createLibp2pPeer({ libp2p } as Libp2pPeerOptions)),
    blockStore: options.blockStore ?? createMemoryBlockStore(),
    headStore: options.headStore ?? createMemoryHeadStore(),
    namespaceStore: options.namespaceStore ?? createMemoryNamespaceStore(),
    versionStore: createMemoryVersionStore(),
    holderListStore: options.holderListStore ?? createMemoryHolderListStore(),
    replicationStore: options.replicationStore ?? createMemoryReplicationStore(),
    addressStore: options.addressStore ?? createMemoryAddressStore(),
    volumeKey: options.volumeKey ?? (await createSigningKey()),
    readKey: options.readKey,
    keepReadKey: async () => {},
    clock: systemClock,
    createTransfers: undefined,
    compact: async () => {},
    close: async () => {}
  }
}
