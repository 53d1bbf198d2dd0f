/**
 * The contract of a warren: one peer with its files, its mounts and its shares. This is what an
 * app holds; `createWarren` makes one.
 */
import type { BlockStore, BlockStoreUsage, ReadKey } from './blocks/index.ts'
import type {
  ExportOptions,
  FileSystem,
  HeadStore,
  ImportOptions,
  MirrorOptions,
  NamespaceStore,
  TransferReport,
  VolumeId
} from './namespace/index.ts'
import type { Peer, PeerId, SigningKey } from './peer/index.ts'
import type { CheckOptions, CheckReport } from './replication/index.ts'
import type {
  AddressStore,
  HolderListStore,
  Replication,
  ReplicationOptions,
  ReplicationStore
} from './replication/index.ts'

export interface WarrenOptions {
  /**
   * Where everything is kept on this machine's disk. Without it everything is in memory and gone
   * at `stop`, also who this peer was. One process at a time: `EBUSY` otherwise.
   */
  readonly directory?: string
  /** Multiaddrs to listen on. Default: TCP on every interface, a free port. `[]`: none. */
  readonly listen?: readonly string[]
  /** Whether to find peers on the local network by multicast (mDNS). Default true. */
  readonly discovery?: boolean
  /** Multiaddrs of peers to stay connected with, each ending in `/p2p/<id>`. */
  readonly bootstrap?: readonly string[]
  /** Bytes of a block of a large file, 4 KiB to 1 MiB. Default 128 KiB: see docs/decisions. */
  readonly blockBytes?: number
  /** Threads that read and hash large files when they are imported. Default one per core, at most 4; 0: none. */
  readonly hashingThreads?: number
  /** Bytes of decoded tree nodes kept in memory. Default 32 MiB. */
  readonly nodeCacheBytes?: number
  /** How long a mount may show a version without asking for a newer one, in milliseconds. Default 3000. */
  readonly attributeLifetimeMs?: number
  /**
   * How long collection keeps versions of the own volume that were superseded, in milliseconds.
   * Default 60000. Of more than 4096 versions the older ones are thinned out.
   */
  readonly retentionMs?: number
  /** How many superseded versions collection keeps, however old they are. Default 0, at most 2048. */
  readonly retentionVersions?: number
  /**
   * How long what was deleted may take up space, in milliseconds: garbage is collected by itself in
   * the background, sooner when much was written, at once when the disk is full. Default an hour; 0:
   * only `collect` does.
   */
  readonly collectEveryMs?: number
  /** How long a read looks for somebody who has a block, in milliseconds. Default 10000. */
  readonly fetchTimeoutMs?: number

  /** Times of replication: how long others may be silent, and how fast blocks are got for them. */
  readonly replication?: ReplicationOptions

  /**
   * An app's own peer, instead of the default one and of `listen`, `discovery`, `bootstrap` and
   * `libp2p`. It is started and stopped with the warren.
   */
  readonly peer?: Peer
  /** An app's own libp2p node (js-libp2p 3), which the app starts before and stops after. */
  readonly libp2p?: unknown
  /** An app's own stores. They are not closed by `stop`. */
  readonly blockStore?: BlockStore
  readonly headStore?: HeadStore
  readonly namespaceStore?: NamespaceStore
  readonly holderListStore?: HolderListStore
  readonly replicationStore?: ReplicationStore
  readonly addressStore?: AddressStore
  /** Owner's key of the volume at `/`. Default: kept in the directory, or a new one. */
  readonly volumeKey?: SigningKey
  /**
   * Seals the volume at `/`: only who is given a link with its read key can read names and contents,
   * all others can at most hold it. It is decided when the volume is made and stays so; `EINVAL`
   * when it was decided otherwise. Default: as it was made; not sealed when it is new.
   */
  readonly sealed?: boolean
  /**
   * Read key of the volume at `/`, for apps that keep it themselves; with it a new volume is sealed.
   * Default: kept in the directory, or a new one.
   */
  readonly readKey?: ReadKey
}

export interface MountReport {
  readonly path: string
  readonly link: string
  readonly volume: VolumeId
  readonly writable: boolean
}

export interface ShareReport {
  readonly path: string
  readonly name: string
  readonly link: string
}

export interface PeerReport {
  readonly id: PeerId
  readonly addresses: readonly string[]
  readonly connected: boolean
  /** Found on the local network. */
  readonly local: boolean
  /** What it shares with us, under the path that works on every peer. */
  readonly shares: readonly {
    readonly name: string
    readonly path: string
    readonly link: string
  }[]
}

export interface Warren extends AsyncDisposable {
  readonly id: PeerId
  /** The volume at `/`, owned by this peer. */
  readonly volume: VolumeId
  /** The peer's whole namespace, in the shape of `node:fs/promises`. */
  readonly fs: FileSystem
  readonly peer: Peer
  /** How many copies of the own volume there are and where, and what is kept here for others. */
  readonly replication: Replication

  /** Multiaddrs under which others reach this peer. */
  addresses(): string[]

  /** Takes a folder or file of the host in. A second run takes in only what changed. */
  import(hostPath: string, path: string, options?: ImportOptions): Promise<TransferReport>
  /**
   * Imports a folder and goes on taking in what changes in it, until the signal is aborted. Yields
   * what the first import did, and what each later round changed. Throws what `import` throws.
   */
  mirror(hostPath: string, path: string, options?: MirrorOptions): AsyncIterable<TransferReport>
  /** Writes a directory or file out to the host. A second run writes only what changed. */
  export(path: string, hostPath: string, options?: ExportOptions): Promise<TransferReport>

  /**
   * Offers a directory or file to others. The link is all another peer needs to mount it. Of a sealed
   * volume it carries the read key, which opens all of the volume; with `key: false` it names the
   * volume only, for peers that shall hold it without reading it.
   */
  share(path: string, options?: { readonly name?: string; readonly key?: boolean }): Promise<string>
  /** Takes an offer back. Who mounted it keeps what it fetched. Throws `EINVAL` when it was not shared. */
  unshare(path: string): Promise<void>
  shares(): ShareReport[]

  /**
   * Makes a shared directory (by its link) part of this peer's namespace, in place of what was
   * mounted at the path before. Survives a restart. Throws `EHOSTUNREACH` when nobody who has it
   * can be reached, unless `offline` says that is expected.
   */
  mount(
    path: string,
    link: string,
    options?: { readonly signal?: AbortSignal; readonly offline?: boolean }
  ): Promise<void>
  unmount(path: string): Promise<void>
  mounts(): MountReport[]

  /** Connects to a peer and stays connected. `target`: a multiaddr, or the id of a known peer. */
  connect(target: string, options?: { readonly signal?: AbortSignal }): Promise<PeerId>
  /** Who is known and what they share. Peers that do not answer within the deadline are listed without shares. */
  peers(options?: { readonly signal?: AbortSignal }): Promise<PeerReport[]>

  /** Resolves when everything written before survives `kill -9` and power loss. */
  sync(): Promise<void>
  /**
   * Gives back the space of what was deleted, now. Resolves to what was freed. Throws `EBUSY` while
   * another call runs, and `EIO`, with nothing removed, when part of the tree at `/` is damaged.
   */
  collect(options?: { readonly signal?: AbortSignal }): Promise<BlockStoreUsage>
  /**
   * Checks the volume at `/` as `fsck` does a disk: its tree, and every block of its files against
   * its hash. Others may go on writing. With `repair` it gets from holders what is missing or damaged
   * here, corrects link counts, and moves what has no name to `/lost+found`; it removes nothing. Takes
   * the time to read everything, and some 60 MB of memory for a million files. Throws `EBUSY` while
   * another check runs.
   */
  check(options?: CheckOptions): Promise<CheckReport>
  /** What is stored here. */
  usage(): BlockStoreUsage
  /** Syncs, says goodbye, lets go of everything. Idempotent. */
  stop(): Promise<void>
}

export type {
  ExportOptions,
  ImportOptions,
  MirrorOptions,
  TransferOptions,
  TransferProgress,
  TransferReport
} from './namespace/index.ts'
