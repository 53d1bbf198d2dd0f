/**
 * The parts of a warren in Node: on disk under one directory, or in memory without one.
 *
 *     <directory>/
 *       LOCK             one process at a time
 *       peer.key         who this peer is          (libp2p protobuf, readable by its owner only)
 *       volume.key       who may write the volume at `/`
 *       volume.read-key  who may read it, when it is sealed
 *       namespace.json   mounts and shares
 *       versions.json    superseded versions of the volume that are kept
 *       blocks/          the block store
 *       references/      which ranges of which host files are which blocks
 *       heads/           the newest head of each volume
 *       replication.json what is pledged, what is kept for others, invitations
 *       holders/         who holds each volume that is kept or read here
 *       addresses.json   where those holders were seen
 *       scrub.json       how far blocks were read again to find damage
 */
import { realpathSync } from 'node:fs'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  FileHashers,
  lockDirectory,
  openDiskBlockStore,
  openHostFileBlockStore,
  writeFileDurably
} from '../blocks/disk/index.ts'
import type { HostFileBlockStore } from '../blocks/disk/index.ts'
import { createMemoryBlockStore, createTieredBlockStore, parseReadKey } from '../blocks/index.ts'
import type { BlockId, BlockStore, ReadKey } from '../blocks/index.ts'
import {
  openDiskHeadStore,
  openDiskNamespaceStore,
  openDiskVersionStore
} from '../namespace/disk/index.ts'
import { createHostTransfers } from '../namespace/host/index.ts'
import {
  createMemoryHeadStore,
  createMemoryNamespaceStore,
  createMemoryVersionStore
} from '../namespace/index.ts'
import type { HeadStore, HostTransfers, NamespaceStore, VersionStore } from '../namespace/index.ts'
import { createSigningKey, importSigningKey, systemClock } from '../peer/index.ts'
import type { Libp2pPeerOptions, SigningKey } from '../peer/index.ts'
import { collectYoung, createNodePeer } from '../peer/node-peer.ts'
import {
  openDiskAddressStore,
  openDiskHolderListStore,
  openDiskReplicationStore,
  openDiskScrubStore
} from '../replication/disk/index.ts'
import {
  createMemoryAddressStore,
  createMemoryHolderListStore,
  createMemoryReplicationStore
} from '../replication/index.ts'
import type {
  AddressStore,
  HolderListStore,
  ReplicationStore,
  ScrubStore
} from '../replication/index.ts'
import type { WarrenOptions } from '../warren.ts'
import type { Parts } from './parts.ts'

/** What is kept, and how it is closed again. */
interface Kept {
  readonly blockStore: BlockStore
  readonly headStore: HeadStore
  readonly namespaceStore: NamespaceStore
  readonly versionStore: VersionStore
  readonly holderListStore: HolderListStore
  readonly replicationStore: ReplicationStore
  readonly addressStore: AddressStore
  readonly scrubStore: ScrubStore | undefined
  readonly peerKey: SigningKey
  readonly volumeKey: SigningKey
  readonly readKey: ReadKey | undefined
  keepReadKey(key: ReadKey): Promise<void>
  readonly references: HostFileBlockStore | undefined
  readonly hashers: FileHashers | undefined
  readonly onDamaged?: Parts['onDamaged']
  readonly compact: () => Promise<void>
  readonly hasRoom: () => Promise<boolean>
  close(): Promise<void>
}

export async function openParts(options: WarrenOptions): Promise<Parts> {
  const kept =
    options.directory === undefined
      ? await keepInMemory()
      : await keepOnDisk(options.directory, options)
  const { listen, discovery, bootstrap, libp2p } = options
  try {
    return {
      peer:
        options.peer ??
        (await createNodePeer({
          key: kept.peerKey,
          ...(listen === undefined ? {} : { listen }),
          ...(discovery === undefined ? {} : { discovery }),
          ...(bootstrap === undefined ? {} : { bootstrap }),
          ...(libp2p === undefined
            ? {}
            : { libp2p: libp2p as NonNullable<Libp2pPeerOptions['libp2p']> })
        })),
      blockStore: options.blockStore ?? kept.blockStore,
      headStore: options.headStore ?? kept.headStore,
      namespaceStore: options.namespaceStore ?? kept.namespaceStore,
      versionStore: kept.versionStore,
      holderListStore: options.holderListStore ?? kept.holderListStore,
      replicationStore: options.replicationStore ?? kept.replicationStore,
      addressStore: options.addressStore ?? kept.addressStore,
      // Its place is one in the list of the store that is kept.
      scrubStore: options.blockStore === undefined ? kept.scrubStore : undefined,
      volumeKey: options.volumeKey ?? kept.volumeKey,
      // The one that is kept belongs to the volume whose key is kept.
      readKey: options.readKey ?? (options.volumeKey === undefined ? kept.readKey : undefined),
      keepReadKey: key => kept.keepReadKey(key),
      clock: systemClock,
      createTransfers: touch => createTransfers(kept, touch, options),
      onDamaged: kept.onDamaged,
      compact: () => kept.compact(),
      hasRoom: () => kept.hasRoom(),
      close: () => kept.close()
    }
  } catch (error) {
    await kept.close()
    throw error
  }
}

function createTransfers(
  { references, hashers }: Kept,
  touch: Parameters<typeof createHostTransfers>[1],
  { directory, blockStore }: WarrenOptions
): HostTransfers {
  const exclude = directory === undefined ? [] : [realpathSync(directory)]
  // References are found only through the store they are a tier of; what an app's own store keeps
  // of the bytes it is given, only the app knows.
  const others = { exclude, collect: collectYoung }
  if (blockStore !== undefined) return createHostTransfers(undefined, touch, others)
  return createHostTransfers(references, touch, {
    ...others,
    ...(hashers === undefined ? {} : { hashers })
  })
}

async function keepInMemory(): Promise<Kept> {
  const blockStore = createMemoryBlockStore()
  return {
    blockStore,
    headStore: createMemoryHeadStore(),
    namespaceStore: createMemoryNamespaceStore(),
    versionStore: createMemoryVersionStore(),
    holderListStore: createMemoryHolderListStore(),
    replicationStore: createMemoryReplicationStore(),
    addressStore: createMemoryAddressStore(),
    scrubStore: undefined,
    peerKey: await createSigningKey(),
    volumeKey: await createSigningKey(),
    readKey: undefined,
    keepReadKey: async () => {},
    references: undefined,
    hashers: undefined,
    compact: async () => {},
    hasRoom: async () => true,
    close: () => blockStore.close()
  }
}

async function keepOnDisk(path: string, { hashingThreads }: WarrenOptions): Promise<Kept> {
  const directory = resolve(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  try {
    const lock = await lockDirectory(directory)
    closers.push(() => lock.release())
    let tellDamaged: (id: BlockId) => void = () => {}
    const onDamaged = (id: BlockId): void => tellDamaged(id)
    const blocks = await openDiskBlockStore(join(directory, 'blocks'), { reserve: true, onDamaged })
    closers.push(() => blocks.close())
    const references = await openHostFileBlockStore(join(directory, 'references'))
    closers.push(() => references.close())
    const hashers = new FileHashers(hashingThreads === undefined ? {} : { threads: hashingThreads })
    closers.push(() => hashers.close())
    const headStore = await openDiskHeadStore(join(directory, 'heads'))
    closers.push(() => headStore.close())
    const holderListStore = await openDiskHolderListStore(join(directory, 'holders'))
    closers.push(() => holderListStore.close())
    return {
      blockStore: createTieredBlockStore([blocks, references]),
      headStore,
      namespaceStore: openDiskNamespaceStore(directory),
      versionStore: openDiskVersionStore(directory),
      holderListStore,
      replicationStore: openDiskReplicationStore(directory),
      addressStore: openDiskAddressStore(directory),
      scrubStore: openDiskScrubStore(directory),
      peerKey: await keepKey(join(directory, 'peer.key')),
      volumeKey: await keepKey(join(directory, 'volume.key')),
      readKey: await loadReadKey(directory),
      keepReadKey: key =>
        writeSecret(join(directory, READ_KEY_FILE), new TextEncoder().encode(`${key}\n`)),
      references,
      hashers,
      onDamaged: listener => void (tellDamaged = listener),
      compact: () => blocks.compact(),
      hasRoom: () => blocks.hasRoom(),
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

const READ_KEY_FILE = 'volume.read-key'

async function loadReadKey(directory: string): Promise<ReadKey | undefined> {
  const stored = await readIfThere(join(directory, READ_KEY_FILE))
  return stored && parseReadKey(new TextDecoder().decode(stored).trim())
}

async function keepKey(path: string): Promise<SigningKey> {
  const stored = await readIfThere(path)
  if (stored !== undefined) return importSigningKey(new Uint8Array(stored))
  const key = await createSigningKey()
  await writeSecret(path, key.export())
  return key
}

async function writeSecret(path: string, bytes: Uint8Array): Promise<void> {
  await writeFileDurably(path, bytes)
  await chmod(path, 0o600)
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
