/**
 * What a platform provides for a warren: where it keeps things and how it reaches others. Node's
 * parts are in `node.ts`, a browser's in `browser.ts`; the package's `#defaults` import chooses.
 */
import type { BlockId, BlockStore, ReadKey } from '../blocks/index.ts'
import type { HeadStore, HostTransfers, NamespaceStore, VersionStore } from '../namespace/index.ts'
import type { Clock, Peer, SigningKey } from '../peer/index.ts'
import type {
  AddressStore,
  HolderListStore,
  ReplicationStore,
  ScrubStore
} from '../replication/index.ts'

export interface Parts {
  readonly peer: Peer
  readonly blockStore: BlockStore
  readonly headStore: HeadStore
  readonly namespaceStore: NamespaceStore
  readonly versionStore: VersionStore
  readonly holderListStore: HolderListStore
  readonly replicationStore: ReplicationStore
  readonly addressStore: AddressStore
  /** Where the place of the scrub is kept. Without it each start begins anew. */
  readonly scrubStore?: ScrubStore | undefined
  readonly volumeKey: SigningKey
  /** The read key that is kept with the volume's key. */
  readonly readKey: ReadKey | undefined
  /** Keeps it; it survives power loss when this resolves. */
  keepReadKey(key: ReadKey): Promise<void>
  readonly clock: Clock
  /** Absent where there is no host file system. `touch` is told of blocks that are stored by reference. */
  readonly createTransfers:
    | ((touch: (ids: readonly BlockId[]) => Promise<void>) => HostTransfers)
    | undefined
  /** Sets who is told of blocks that turn out to be damaged here when they are read. */
  readonly onDamaged?: ((listener: (id: BlockId) => void) => void) | undefined
  /** Gives space of blocks that were deleted back to the disk. */
  readonly compact: () => Promise<void>
  /** False while the disk is so full that only what deletes something may be written. Default: there is room. */
  readonly hasRoom?: () => Promise<boolean>
  /** Closes what was opened here, and not what the app brought. */
  close(): Promise<void>
}
